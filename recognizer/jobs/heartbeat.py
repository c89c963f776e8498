"""Workers write heartbeats, so that a page can tell whether one is running."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, close_old_connections, connection

from recognizer.jobs import import_jobs, regression_jobs, training_jobs
from recognizer.models import Worker
from recognizer.models.clock import database_now

logger = logging.getLogger(__name__)

EVERY = 3.0
"""Seconds between two heartbeats."""
TIMEOUT = timedelta(seconds=15)
"""A worker without a heartbeat for this long counts as stopped."""
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class WorkerState:
    is_running: bool
    last_seen: datetime | None


def worker_state() -> WorkerState:
    last = Worker.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    return WorkerState(
        is_running=last is not None and database_now() - last < TIMEOUT, last_seen=last
    )


def beat(*, name: str, place: str) -> None:
    """Write a heartbeat of the worker ``name``, and delete those of old workers."""
    now = database_now()
    Worker.objects.update_or_create(
        pk=name,
        defaults={"place": place, "seen_at": now},
        create_defaults={"place": place, "seen_at": now, "started_at": now},
    )
    Worker.objects.filter(seen_at__lt=now - KEPT_FOR).delete()


def remove(*, name: str) -> None:
    Worker.objects.filter(pk=name).delete()


@contextmanager
def beating(*, name: str, place: str) -> Iterator[None]:
    """Write a heartbeat every few seconds while the block runs.

    Each time, a job whose own worker was killed is marked as interrupted, and one that was
    interrupted is queued again. So is one that waits because it was requested on a machine without
    the training code.
    """
    done = threading.Event()
    # The thread deletes its row itself, and Python waits for it: a worker may get two signals.
    thread = threading.Thread(target=_beat_until, args=(done, name, place))
    try:
        thread.start()
        beat(name=name, place=place)
        training_jobs.reap()
        import_jobs.reap()
        regression_jobs.reap()
        yield
    finally:
        # Even if a signal interrupted the lines above, the thread deletes its row.
        done.set()
        if thread.is_alive():
            thread.join()


def _beat_until(done: threading.Event, name: str, place: str) -> None:
    while not done.wait(EVERY):
        close_old_connections()
        try:
            beat(name=name, place=place)
            training_jobs.reap()
            import_jobs.reap()
            regression_jobs.reap()
            training_jobs.queue_waiting()
            training_jobs.resume()
        except Error as error:
            # The database is down or locked: the next heartbeat may succeed.
            logger.warning("The heartbeat could not be written: %s", error)
    close_old_connections()
    try:
        remove(name=name)
    except Error as error:
        logger.warning("The worker could not be removed: %s", error)
    # Nothing else closes a thread's connection.
    connection.close()
