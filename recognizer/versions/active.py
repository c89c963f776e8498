"""The classifier that this process answers with.

The active model version lives in the database. Each process loads it on first use and looks every
two seconds whether another one has been activated, so no restart is needed. A version that does
not load leaves the one before it serving.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from recognizer.inference.classifier import Bundle, BundleError, Classifier
from recognizer.models import ModelVersion

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""A version that did not load is tried again after this long: memory may have been short."""


class NoModel(RuntimeError):
    """There is no model version that could answer."""


class Key(NamedTuple):
    """What tells one model version from another."""

    pk: int
    sha256: str


@dataclass(frozen=True)
class Serving:
    """A loaded classifier and the row it came from (which has left its bytes behind)."""

    key: Key
    version: ModelVersion
    classifier: Classifier

    @property
    def name(self) -> str:
        """The name of the model version."""
        return self.version.name


@dataclass(frozen=True)
class Status:
    """What this process serves (None: nothing), and what is wrong with the active version."""

    serving: str | None
    problem: str | None


class _State:
    """What a process knows; guarded by a lock where it changes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.current: Serving | None = None
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
    """Look at the database again at the next call, not only after two seconds."""
    _state.checked_at = float("-inf")


# A lock held by another thread during a fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)


def current_classifier() -> Serving:
    """Return the classifier of the active version, loading it if need be.

    While one thread loads a new version, the others go on with the old one.

    Raises:
        NoModel: no version is active, or neither it nor any before it loads.
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
    """Return what this process serves, after looking at the database if that is due."""
    try:
        serving: str | None = current_classifier().name
    except NoModel:
        serving = None
    return Status(serving=serving, problem=_state.problem)


def _lacks_model(state: _State) -> bool:
    return state.current is None or _is_due(state)


def _is_due(state: _State) -> bool:
    return time.monotonic() - state.checked_at >= settings.MODEL_RECHECK_SECONDS


def _refresh(state: _State) -> None:
    row = ModelVersion.objects.filter(is_active=True).values_list("pk", "sha256", "name").first()
    state.checked_at = time.monotonic()
    if row is None:
        state.current = None
        state.problem = "No model version is active. Run: python manage.py migrate"
        return
    key, name = Key(row[0], row[1]), row[2]
    if state.current is not None and state.current.key == key:
        state.problem = None
        return
    if state.failed == key and time.monotonic() - state.failed_at < RETRY_SECONDS:
        return
    try:
        state.current = _load(key)
    except BundleError as error:
        state.failed, state.failed_at = key, time.monotonic()
        if state.current is None:
            state.current = next(_earlier(key), None)
        kept = f"{state.current.name} serves instead" if state.current else "nothing can serve"
        state.problem = f"The active model version {name} does not load; {kept}."
        logger.error("%s %s", state.problem, error)
    else:
        state.problem = None
        logger.info("Serving model version %s", name)


def _load(key: Key) -> Serving:
    stored = ModelVersion.objects.defer("training").filter(pk=key.pk).first()
    if stored is None:
        raise BundleError("the version has been deleted")
    bundle = bundle_of(stored)
    # The checksum first: LiteRT may crash on bytes that are no model.
    bundle.verify()
    classifier = Classifier(bundle)
    version = ModelVersion.objects.defer("serving", "training", "card").get(pk=key.pk)
    return Serving(key=key, version=version, classifier=classifier)


def _earlier(key: Key) -> Iterator[Serving]:
    """Yield what loads of the versions that were active before, the last one first."""
    rows = (
        ModelVersion.objects.filter(activated_at__isnull=False)
        .exclude(pk=key.pk)
        .order_by("-activated_at", "-pk")
        .values_list("pk", "sha256")
    )
    for pk, sha256 in rows:
        try:
            yield _load(Key(pk, sha256))
        except BundleError as error:
            logger.error("Model version %s does not load either: %s", pk, error)


def bundle_of(version: ModelVersion, *, with_training: bool = False) -> Bundle:
    """Return a stored version as a bundle; the training bytes only if asked for."""
    return Bundle(
        name=version.name,
        serving=bytes(version.serving),
        training=bytes(version.training) if with_training else b"",
        card=version.model_card,
        sha256=version.sha256,
    )
