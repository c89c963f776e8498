"""`manage.py db_worker`, which says on the pages of the admin that it is there."""

from __future__ import annotations

import importlib.util
import os
import platform
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django_tasks_db.management.commands.db_worker import Command as Worker

from recognizer import workers


class Command(Worker):
    """The worker of django-tasks, with signs of life, where there is something to train with."""

    help = "Do the work that the admin asks for, such as training, until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the library's options; never restart in the middle of a training."""
        super().add_arguments(parser)
        parser.set_defaults(reload=False)

    def handle(self, **options: Any) -> None:
        """Work the queue off."""
        for package in ("training", "tensorflow"):
            if importlib.util.find_spec(package) is None:
                raise CommandError(
                    f"A worker trains, and {package} is not installed here. "
                    "Run: python -m pip install -r requirements.txt"
                )
        name = options["worker_id"]
        with workers.present(name=name, place=f"{platform.node()}, process {os.getpid()}"):
            super().handle(**options)
