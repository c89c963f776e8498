"""The project as an application, for its system checks and commands."""

from django.apps import AppConfig


class DigitSiteConfig(AppConfig):
    name = "digitsite"

    def ready(self) -> None:
        from digitsite import checks  # noqa: F401
