from __future__ import annotations

import importlib
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Make a key for one-time passwords, for a member of staff to enter in an app such as Aegis "
        "or Google Authenticator. A key made before stops working."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        if not settings.STAFF_SECOND_FACTOR:
            raise CommandError("Set STAFF_SECOND_FACTOR=yes and run manage.py migrate first.")
        try:
            user = User.objects.get(username=username)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {username!r}.") from error
        # Its models exist with the setting only.
        devices = importlib.import_module("django_otp.plugins.otp_totp.models").TOTPDevice.objects
        devices.filter(user=user).delete()
        device = devices.create(user=user, name="default")
        self.stdout.write(f"Enter this address, or its secret, in the app:\n{device.config_url}")
