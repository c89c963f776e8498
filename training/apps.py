"""The training application: where the site puts what is to be trained."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingConfig(AppConfig):
    """Trains models: all that needs TensorFlow, which nothing here imports."""

    name = "training"
    verbose_name = _("Training")

    def ready(self) -> None:
        """Let the site start a training, without knowing this package."""
        from recognizer.jobs import training_jobs
        from training import tasks

        training_jobs.connect_queue(tasks.enqueue)
