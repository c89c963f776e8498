"""`manage.py db_worker`, whose heartbeat the admin shows."""

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
    """The worker of django-tasks, with a heartbeat; it needs the training code and TensorFlow."""

    help = "Run the jobs that the admin queues, such as training, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        # The library would restart in the middle of a training.
        parser.set_defaults(reload=False)

    def handle(self, **options: Any) -> None:
        for package in ("training", "tensorflow"):
            if importlib.util.find_spec(package) is None:
                raise CommandError(
                    f"The worker needs {package}, which is not installed. "
                    "Run: python -m pip install -r requirements.txt"
                )
        # The library handles signals only after its start. A worker that is stopped before that
        # would leave its heartbeat behind.
        _handle_signals(_exit)
        name = options["worker_id"]
        with heartbeat.beating(name=name, place=f"{platform.node()}, process {os.getpid()}"):
            try:
                super().handle(**options)
            finally:
                # Make and its shell both forward Ctrl-C: the second must not interrupt this.
                _handle_signals(signal.SIG_IGN)


def _handle_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
