"""The active model version, as this process has loaded it.

The active model version lives in the database. Each process loads it on first use and checks every
two seconds whether another one has been activated, so no restart is needed. If the active version
does not load, the one before it goes on serving.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from recognizer.models import ModelVersion
from recognizer.models.outages import is_outage
from recognizer.versions import loading
from recognizer.versions.loading import LoadedVersion, LoadError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""A version that did not load is tried again after this long: memory may have been short."""


class NoModel(RuntimeError):
    """No model version is active, or none loads."""


Key = tuple[int, str]
"""What tells one model version from another: its primary key and its SHA-256."""


@dataclass(frozen=True)
class Status:
    """What this process serves (None: nothing), and what is wrong with the active version."""

    serving: str | None
    problem: str | None


class _State:
    """What a process has loaded; guarded by a lock where it changes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.current: LoadedVersion | None = None
        self.problem: str | None = None
        self.checked_at = float("-inf")
        self.failed: Key | None = None
        self.failed_at = float("-inf")


_state = _State()


def forget() -> None:
    """Drop what this process has loaded, as if it had just started."""
    global _state
    _state = _State()


def expire() -> None:
    """Check the database at the next call, not only after two seconds."""
    _state.checked_at = float("-inf")


# A lock held by another thread during a fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)


def current_version() -> LoadedVersion:
    """Return the active version, loading it if need be.

    While one thread loads a new version, the others go on with the old one. Raises NoModel if no
    version is active, or neither it nor any before it loads.
    """
    state = _state
    if state.current is None:
        with state.lock:
            # Another thread may have loaded it while this one waited.
            if _lacks_model(state):
                _refresh(state)
    elif _is_due(state) and state.lock.acquire(blocking=False):
        try:
            _refresh(state)
        finally:
            state.lock.release()
    if state.current is None:
        raise NoModel(state.problem or "No model version is active.")
    return state.current


def status() -> Status:
    """Return what this process serves, after checking the database if that is due."""
    try:
        serving: str | None = current_version().name
    except NoModel:
        serving = None
    return Status(serving=serving, problem=_state.problem)


def _lacks_model(state: _State) -> bool:
    return state.current is None or _is_due(state)


def _is_due(state: _State) -> bool:
    return time.monotonic() - state.checked_at >= settings.MODEL_RECHECK_SECONDS


def _refresh(state: _State) -> None:
    try:
        _look_up(state)
    except (DatabaseError, InterfaceError) as error:
        if state.current is None or not is_outage(error):
            raise
        # What is loaded needs no database to answer.
        state.checked_at = time.monotonic()
        logger.warning("The active model version could not be looked up: %s", error)


def _look_up(state: _State) -> None:
    active = ModelVersion.objects.filter(is_active=True).only("name", "sha256").first()
    state.checked_at = time.monotonic()
    if active is None:
        state.current = None
        state.problem = "No model version is active. Run: python manage.py migrate"
        return
    key, name = _key(active), active.name
    if state.current is not None and _key(state.current.version) == key:
        state.problem = None
        return
    if state.failed == key and time.monotonic() - state.failed_at < RETRY_SECONDS:
        return
    try:
        state.current = loading.load(active)
    except LoadError as error:
        state.failed, state.failed_at = key, time.monotonic()
        if state.current is None:
            state.current = next(_earlier(active), None)
        kept = f"{state.current.name} serves instead" if state.current else "nothing can serve"
        state.problem = f"The active model version {name} does not load; {kept}."
        logger.error("%s %s", state.problem, error)
    else:
        state.problem = None
        logger.info("Serving model version %s", name)


def _key(version: ModelVersion) -> Key:
    return version.pk, version.sha256


def _earlier(active: ModelVersion) -> Iterator[LoadedVersion]:
    """Yield the versions that were active before and load, the last one first."""
    versions = ModelVersion.objects.filter(activated_at__isnull=False).exclude(pk=active.pk)
    for version in versions.order_by("-activated_at", "-pk").only("name"):
        try:
            yield loading.load(version)
        except LoadError as error:
            logger.error("%s", error)
