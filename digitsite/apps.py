"""The project itself as an application, for its system checks."""

from django.apps import AppConfig


class DigitSiteConfig(AppConfig):
    """Registers the checks of the configuration."""

    name = "digitsite"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        from digitsite import checks  # noqa: F401
