"""Who works the queue off: workers leave signs of life, so that a page can tell."""

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
"""Seconds between two signs of life."""
AWAY = timedelta(seconds=15)
"""A worker that has been silent for this long is taken to be gone."""
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Attendance:
    """Whether a worker is there, and when one was last seen."""

    is_there: bool
    last_seen: datetime | None


def attendance() -> Attendance:
    """Tell whether a worker is there that would take a job."""
    last = Worker.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    return Attendance(is_there=last is not None and timezone.now() - last < AWAY, last_seen=last)


def sign(*, name: str, place: str) -> None:
    """Leave a sign of life of the worker ``name``, and forget those of long ago."""
    now = timezone.now()
    Worker.objects.update_or_create(pk=name, defaults={"place": place, "seen_at": now})
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN).delete()


def sign_off(*, name: str) -> None:
    """Say that a worker ends in good order."""
    Worker.objects.filter(pk=name).delete()


@contextmanager
def present(*, name: str, place: str) -> Iterator[None]:
    """Leave a sign of life every few seconds until the block is left.

    On the way jobs whose own worker has been killed are ended as interrupted.
    """
    done = threading.Event()
    # It signs off by itself, and Python waits for it: a worker may be told twice to end.
    thread = threading.Thread(target=_sign_until, args=(done, name, place))
    try:
        thread.start()
        sign(name=name, place=place)
        training_jobs.reap()
        yield
    finally:
        # Whatever a signal has cut short above: the thread signs off.
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
            # The database is away or locked: the next sign may get through.
            logger.warning("No sign of life could be left: %s", error)
    close_old_connections()
    try:
        sign_off(name=name)
    except Error as error:
        logger.warning("The worker could not sign off: %s", error)
    # A thread's connection is nobody else's to close.
    connection.close()
