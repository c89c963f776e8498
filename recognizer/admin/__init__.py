"""What Django's admin shows; each subject has its own module beside this one."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from recognizer.admin.jobs.admin import TrainingJobAdmin
from recognizer.admin.predictions.admin import PredictionAdmin
from recognizer.admin.predictions.label_history import LabelEventAdmin
from recognizer.admin.versions.admin import ModelVersionAdmin
from recognizer.models import LabelEvent, ModelVersion, Prediction, TrainingJob

admin.site.site_header = _("DigitSite administration")
admin.site.site_title = _("DigitSite")
admin.site.register(Prediction, PredictionAdmin)
admin.site.register(ModelVersion, ModelVersionAdmin)
admin.site.register(LabelEvent, LabelEventAdmin)
admin.site.register(TrainingJob, TrainingJobAdmin)
# The rows of the queue: what a person wants to know of a training is on its own page.
admin.site.unregister(DBTaskResult)
