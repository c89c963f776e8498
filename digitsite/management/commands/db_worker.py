"""`manage.py db_worker`, with a heartbeat that the admin shows."""

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
    """The worker of django-tasks, with a heartbeat, if training is installed."""

    help = "Run queued jobs, such as training, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the library's options, without a restart in the middle of a training."""
        super().add_arguments(parser)
        parser.set_defaults(reload=False)

    def handle(self, **options: Any) -> None:
        for package in ("training", "tensorflow"):
            if importlib.util.find_spec(package) is None:
                raise CommandError(
                    f"The worker needs {package}, which is not installed. "
                    "Run: python -m pip install -r requirements.txt"
                )
        # The library handles signals only once it runs. Before that, SIGTERM would kill the worker
        # without removing its heartbeat.
        _handle_signals(_exit)
        name = options["worker_id"]
        with heartbeat.present(name=name, place=f"{platform.node()}, process {os.getpid()}"):
            try:
                super().handle(**options)
            finally:
                # Make and its shell both pass on Ctrl-C: the second must not interrupt the cleanup.
                _handle_signals(signal.SIG_IGN)


def _handle_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, handler)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
