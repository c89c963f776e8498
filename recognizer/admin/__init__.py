"""Django's admin; each subject has its own folder."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from recognizer.admin.imports.admin import ImportJobAdmin
from recognizer.admin.jobs.admin import TrainingJobAdmin
from recognizer.admin.predictions.admin import PredictionAdmin
from recognizer.admin.predictions.label_history import LabelEventAdmin
from recognizer.admin.tokens import ApiTokenAdmin
from recognizer.admin.users import PersonAdmin
from recognizer.admin.versions.admin import ModelVersionAdmin
from recognizer.models import (
    ApiToken,
    ImportJob,
    LabelEvent,
    ModelVersion,
    Prediction,
    TrainingJob,
)

admin.site.site_header = _("DigitSite administration")
admin.site.site_title = _("DigitSite")
admin.site.register(Prediction, PredictionAdmin)
admin.site.register(ModelVersion, ModelVersionAdmin)
admin.site.register(LabelEvent, LabelEventAdmin)
admin.site.register(TrainingJob, TrainingJobAdmin)
admin.site.register(ImportJob, ImportJobAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
admin.site.unregister(User)
admin.site.register(User, PersonAdmin)
# The queue's own rows: the pages of the training jobs show what users need.
admin.site.unregister(DBTaskResult)
