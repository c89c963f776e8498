"""The recognizer application: what is wired up when Django starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecognizerConfig(AppConfig):
    name = "recognizer"
    verbose_name = _("Digit recognition")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from recognizer import signals
        from recognizer.api import schema  # noqa: F401

        signals.connect(self)
