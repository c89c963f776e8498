"""The project as an application, for its system checks and commands."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class DigitSiteConfig(AppConfig):
    name = "digitsite"

    def ready(self) -> None:
        from digitsite import checks  # noqa: F401


class SecondFactorAdminConfig(admin.AdminConfig):
    """The admin where STAFF_SECOND_FACTOR is on."""

    # The application of this module is the one above.
    default = False
    default_site = "digitsite.second_factor.AdminSite"
