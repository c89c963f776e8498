"""The task that a worker runs: it starts a training process and supervises it.

Training needs a process of its own. A worker that imported TensorFlow would occupy half a gigabyte
from then on, and one that trained could not be stopped while it prepares data or evaluates.
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

HEARTBEAT_INTERVAL = 2.0
"""Seconds between two heartbeats, which also check whether the job has been cancelled."""
TERMINATION_TIMEOUT = 5.0
"""Seconds that a process has to clean up after SIGTERM before it is killed."""
OUTPUT_SHOWN = 8 * 1024
"""Bytes at the end of a failed process's output that are logged."""


@task()
def train(job_id: str) -> None:
    """Run a training job in a process of its own."""
    job = UUID(job_id)
    if not training_jobs.begin(job_id=job):
        # Cancelled while it was queued.
        return
    logger.info("Training %s started.", job)
    status, error, worker_lost = JobStatus.INTERRUPTED, _("The worker was stopped."), True
    try:
        # The output of TensorFlow is long, and shown only if the process fails.
        with tempfile.TemporaryFile() as output:
            with _stop_signals() as stopped, _process(job, output) as process:
                code = _watch(process, job, stopped)
            if code and not stopped.is_set():
                logger.error("Training %s failed:\n%s", job, _end_of(output))
        if code is not None and not stopped.is_set():
            (status, error), worker_lost = _verdict(code), False
    finally:
        # Does nothing if the process has already ended the job.
        _stop(job, status, error, worker_lost)
        logger.info("Training %s has ended.", job)


def enqueue(job_id: UUID) -> str:
    return train.enqueue(str(job_id)).id


def _watch(process: subprocess.Popen[bytes], job: UUID, stopped: threading.Event) -> int | None:
    """Wait for a process and return its exit status; None if it must be stopped."""
    while not stopped.is_set():
        try:
            if not training_jobs.beat(job_id=job):
                return None
        except Error as error:
            # Locked or unavailable. The next attempt may succeed before the job is given up.
            logger.warning("The heartbeat could not be written: %s", error)
            connection.close_if_unusable_or_obsolete()
        try:
            return process.wait(timeout=HEARTBEAT_INTERVAL)
        except subprocess.TimeoutExpired:
            continue
    return None


def _end_of(output: IO[bytes]) -> str:
    output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT_SHOWN))
    return output.read().decode(errors="replace")


def _verdict(code: int) -> tuple[JobStatus, str]:
    """Return status and error of a job whose process failed, from its exit status."""
    # Python reports signal n as -n; shells, and `train_job`, as 128 + n.
    number = -code if code < 0 else code - 128
    if number in {each.value for each in signal.Signals}:
        text = _("The process was ended by %(signal)s, perhaps because memory ran out.")
        return JobStatus.INTERRUPTED, text % {"signal": signal.Signals(number).name}
    text = _("An unexpected error occurred. The worker's output has the details.")
    return JobStatus.FAILED, text


def _stop(job: UUID, status: JobStatus, error: str, worker_lost: bool) -> None:
    connection.close_if_unusable_or_obsolete()
    try:
        training_jobs.stop(job_id=job, status=status, error=error, worker_lost=worker_lost)
    except Error:
        # Without a heartbeat the job is ended by the next process that looks at it.
        logger.exception("Training %s could not be ended.", job)


@contextmanager
def _process(job: UUID, output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the training process; it and its children end with the block.

    If this process dies, the training process ends too, because its standard input is closed.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "train_job", str(job)],
        cwd=settings.BASE_DIR,
        env={"TF_CPP_MIN_LOG_LEVEL": "1", **os.environ},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        # Ctrl-C in the terminal must reach the worker only.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)
        if process.stdin is not None:
            process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process, and kill it if it does not end soon."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(TERMINATION_TIMEOUT)
    except subprocess.TimeoutExpired:
        logger.warning("The training process did not end in time and is killed.")
    finally:
        # Also if a second signal to the worker interrupts the wait.
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Yield an event that is set on SIGINT or SIGTERM; the worker's own handlers run as well.

    Alone, the worker would finish the task first, and a training may take an hour.
    """
    stopped = threading.Event()
    handlers: dict[signal.Signals, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            handlers[each] = signal.signal(each, stop)
    try:
        yield stopped
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
