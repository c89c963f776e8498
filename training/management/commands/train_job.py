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
        threading.Thread(target=end_with_parent, daemon=True).start()
        signal.signal(signal.SIGTERM, end)
        try:
            job.run(id)
        except training_jobs.JobOver as over:
            # Cancelled at the last moment. The worker shows every other error.
            logger.info("%s", over)


def end_with_parent() -> None:
    """End this process when the worker dies: its end of the pipe is closed then."""
    # Not through sys.stdin, whose lock this thread would hold when Python shuts down.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def end(number: int, frame: FrameType | None) -> None:
    """End this process, cleaning up on the way."""
    sys.exit(128 + number)
