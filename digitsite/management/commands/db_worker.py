"""`manage.py db_worker`, which says on the pages of the admin that it is there."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.core.management.base import CommandError
from django_tasks_db.management.commands.db_worker import Command as Worker

from recognizer.jobs import heartbeat


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
        # The library listens for signals only once it works. A worker that is told to end before
        # that, when it has signed in already, would be killed without signing off.
        _listen(_leave)
        name = options["worker_id"]
        with heartbeat.present(name=name, place=f"{platform.node()}, process {os.getpid()}"):
            try:
                super().handle(**options)
            finally:
                # Make and its shell both pass a Ctrl-C on: the second must not cut this short.
                _listen(signal.SIG_IGN)


def _listen(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, handler)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
