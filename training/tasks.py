"""What a worker does: it looks after a process that trains.

The training has a process of its own. A worker that imported TensorFlow would hold on to half a
gigabyte for good, and one that trained could not be told to stop while it prepares or measures.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import Error, connection
from django.utils.translation import gettext as _
from django_tasks import task

from recognizer.jobs import training_jobs
from recognizer.models import JobStatus

logger = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks at the job, each a sign of life."""
PATIENCE = 5.0
"""Seconds that a process has to clean up after it was told to end."""
OUTPUT_SHOWN = 8 * 1024
"""Bytes of a process's output that are shown when it has broken off: its end."""


@task()
def train(job_id: str) -> None:
    """Do one training job from beginning to end, in a process of its own."""
    job = UUID(job_id)
    if not training_jobs.begin(job_id=job):
        # Cancelled while it waited.
        return
    logger.info("Training %s begins.", job)
    status, error = JobStatus.INTERRUPTED, _("The worker was stopped.")
    try:
        # TensorFlow says much that nobody needs; it is shown where something has gone wrong.
        with tempfile.TemporaryFile() as output:
            with _told_to_stop() as told, _process(job, output) as process:
                code = _watch(process, job, told)
            if code and not told.is_set():
                logger.error("Training %s broke off:\n%s", job, _end_of(output))
        if code is not None and not told.is_set():
            status, error = _verdict(code)
    finally:
        # Does nothing where the process has ended the job itself.
        _stop(job, status, error)
        logger.info("Training %s has ended.", job)


def enqueue(job_id: UUID) -> str:
    """Put a job into the queue and return the task's id."""
    return train.enqueue(str(job_id)).id


def _watch(process: subprocess.Popen[bytes], job: UUID, told: threading.Event) -> int | None:
    """Wait for a process and return its exit status; None where it is to be ended early."""
    while not told.is_set():
        try:
            if not training_jobs.beat(job_id=job):
                return None
        except Error as error:
            # Locked or away: until the job is given up, the next look may get through.
            logger.warning("No sign of life could be left: %s", error)
            connection.close_if_unusable_or_obsolete()
        try:
            return process.wait(timeout=EVERY)
        except subprocess.TimeoutExpired:
            continue
    return None


def _end_of(output: IO[bytes]) -> str:
    output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT_SHOWN))
    return output.read().decode(errors="replace")


def _verdict(code: int) -> tuple[JobStatus, str]:
    """Return what has become of a job whose process ended without a word, by its exit status."""
    # A shell's way to tell of a signal, which `train_job` follows, and that of Python.
    number = -code if code < 0 else code - 128
    if number in {each.value for each in signal.Signals}:
        text = _("The process was ended from outside (%(signal)s). Perhaps memory ran out.")
        return JobStatus.INTERRUPTED, text % {"signal": signal.Signals(number).name}
    text = _("Something went wrong that should not. The worker's output says where.")
    return JobStatus.FAILED, text


def _stop(job: UUID, status: JobStatus, error: str) -> None:
    connection.close_if_unusable_or_obsolete()
    try:
        training_jobs.stop(job_id=job, status=status, error=error)
    except Error:
        # It falls silent, and is given up by whoever looks next.
        logger.exception("Training %s could not be ended.", job)


@contextmanager
def _process(job: UUID, output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process that trains; when the block is left it is gone, and all it has started.

    It ends by itself when this process dies: its standard input ends then.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "train_job", str(job)],
        cwd=settings.BASE_DIR,
        env={"TF_CPP_MIN_LOG_LEVEL": "1", **os.environ},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        # Ctrl-C in the terminal is for the worker.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)
        if process.stdin is not None:
            process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process clean up if it does so soon; end it in any case."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        logger.warning("The training does not clean up, and is killed.")
    finally:
        # Also where the worker is told a second time to end, and waits no longer.
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Yield an event that is set when the worker is told to end, and pass the signal on to it.

    The worker itself would finish the task first, and a training may take an hour.
    """
    told = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def tell(number: int, frame: FrameType | None) -> None:
        told.set()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            before[each] = signal.signal(each, tell)
    try:
        yield told
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
