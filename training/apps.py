"""The Django application that connects training to the site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingConfig(AppConfig):
    """Trains models. Importing this module does not import TensorFlow."""

    name = "training"
    verbose_name = _("Training")

    def ready(self) -> None:
        """Let the site start a training without importing this package."""
        from recognizer.jobs import training_jobs
        from training import tasks

        training_jobs.connect_queue(tasks.enqueue)
