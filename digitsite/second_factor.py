"""The admin with a second factor, in use with STAFF_SECOND_FACTOR."""

from __future__ import annotations

from django_otp.admin import OTPAdminSite  # type: ignore[import-untyped]


class AdminSite(OTPAdminSite):  # type: ignore[misc]
    """Admits only staff who have logged in with a one-time password."""

    def __init__(self, name: str = "admin") -> None:
        # The admin's addresses keep their names.
        super().__init__(name)
