"""Create an API token for a user and print it once."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recognizer.accounts import tokens
from recognizer.models import Scope


class Command(BaseCommand):
    help = "Create an API token for a user and print it. It is not shown again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what it is for")
        parser.add_argument(
            "--scopes",
            nargs="+",
            choices=Scope.values,
            default=[Scope.PREDICT.value, Scope.READ.value],
            help="what it may do, if the user may (default: predict read)",
        )
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")

    def handle(self, **options: Any) -> None:
        days = options["days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--days must be from 1 to 36500.")
        try:
            user = User.objects.get(username=options["username"])
            _token, key = tokens.create(
                user=user,
                name=options["name"],
                scopes=options["scopes"],
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
            )
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {options['username']!r}.") from error
        except (tokens.TooManyTokens, ValidationError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key)
