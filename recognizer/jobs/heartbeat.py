"""Workers write heartbeats, so that a page can tell whether one is running."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, close_old_connections, connection
from django.utils import timezone

from recognizer.jobs import training_jobs
from recognizer.models import Worker

logger = logging.getLogger(__name__)

EVERY = 3.0
"""Seconds between two heartbeats."""
AWAY = timedelta(seconds=15)
"""A worker without a heartbeat for this long counts as stopped."""
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Attendance:
    """Whether a worker is running, and when one was last seen."""

    is_there: bool
    last_seen: datetime | None


def attendance() -> Attendance:
    last = Worker.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    return Attendance(is_there=last is not None and timezone.now() - last < AWAY, last_seen=last)


def sign(*, name: str, place: str) -> None:
    """Write a heartbeat of the worker ``name``, and delete those of old workers."""
    now = timezone.now()
    Worker.objects.update_or_create(pk=name, defaults={"place": place, "seen_at": now})
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN).delete()


def sign_off(*, name: str) -> None:
    """Delete a worker's heartbeat: it exits normally."""
    Worker.objects.filter(pk=name).delete()


@contextmanager
def present(*, name: str, place: str) -> Iterator[None]:
    """Write a heartbeat every few seconds while the block runs.

    Each time, a job whose own worker was killed is marked as interrupted.
    """
    done = threading.Event()
    # The thread signs off by itself, and Python waits for it: a worker may get two signals.
    thread = threading.Thread(target=_sign_until, args=(done, name, place))
    try:
        thread.start()
        sign(name=name, place=place)
        training_jobs.reap()
        yield
    finally:
        # Even if a signal interrupted the lines above, the thread signs off.
        done.set()
        if thread.is_alive():
            thread.join()


def _sign_until(done: threading.Event, name: str, place: str) -> None:
    while not done.wait(EVERY):
        close_old_connections()
        try:
            sign(name=name, place=place)
            training_jobs.reap()
        except Error as error:
            # The database is down or locked: the next heartbeat may succeed.
            logger.warning("The heartbeat could not be written: %s", error)
    close_old_connections()
    try:
        sign_off(name=name)
    except Error as error:
        logger.warning("The worker could not sign off: %s", error)
    # Nothing else closes a thread's connection.
    connection.close()
