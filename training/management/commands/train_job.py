from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from recognizer.jobs import training_jobs
from training import job

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run a queued training job (internal: the worker calls it)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=UUID, help="the job's id")

    def handle(self, *, id: UUID, **options: Any) -> None:
        threading.Thread(target=exit_with_parent, daemon=True).start()
        signal.signal(signal.SIGTERM, terminate)
        try:
            job.run(id)
        except training_jobs.JobOver as over:
            # Cancelled at the last moment. The worker shows every other error.
            logger.info("%s", over)


def exit_with_parent() -> None:
    """Exit when the worker dies, which closes its end of the pipe."""
    # Not through sys.stdin, whose lock this thread would still hold at shutdown.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def terminate(number: int, frame: FrameType | None) -> None:
    """Exit, running clean-up code on the way."""
    sys.exit(128 + number)
