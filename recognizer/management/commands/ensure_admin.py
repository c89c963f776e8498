import itertools
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction


class Command(BaseCommand):
    help = "Create the first superuser, if there is none, and print its random password once."

    def handle(self, **options: Any) -> None:
        created = create_first_superuser()
        if created is None:
            self.stdout.write("An admin already exists.")
            return
        name, password = created
        self.stdout.write(
            "Created an admin account:\n\n"
            f"    name      {name}\n"
            f"    password  {password}\n\n"
            "The password is not shown again. Change it at /admin/password_change/ or with\n"
            f"    python manage.py changepassword {name}"
        )


def create_first_superuser() -> tuple[str, str] | None:
    """Create a superuser named ``admin`` (or ``admin-2`` etc., if taken) if there is no superuser.

    Returns its name and password, or None if there was one. Raises CommandError if another process
    creates it at the same time.
    """
    try:
        with transaction.atomic():
            if User.objects.filter(is_superuser=True).exists():
                return None
            names = itertools.chain(["admin"], (f"admin-{n}" for n in itertools.count(2)))
            name = next(name for name in names if not User.objects.filter(username=name).exists())
            password = secrets.token_urlsafe(15)
            User.objects.create_superuser(name, email="", password=password)
    except IntegrityError as error:
        raise CommandError("Another process is creating the admin account. Try again.") from error
    return name, password
