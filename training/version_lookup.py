"""The stored versions of the model, as a training run needs them."""

from __future__ import annotations

from recognizer.inference.classifier import Bundle, BundleError
from recognizer.models import ModelVersion
from recognizer.predictions import selectors
from recognizer.versions import loading
from training.model.config import FINE_TUNE


def active_version() -> ModelVersion | None:
    """Return the active version with its bytes, or None."""
    try:
        return ModelVersion.objects.get(pk=selectors.active_model().pk)
    except ModelVersion.DoesNotExist:
        return None


def to_teach(version: ModelVersion | None) -> ModelVersion | None:
    """Return the version whose network learns what is labelled, or None where there is no network.

    That is the one that ``version`` was before it was taught any labels. Each lesson costs a little
    of what the network knew: taught one upon the other they add up, and no gate sees it, for each
    is measured against the last. From the same start each lesson is the first, a label that was
    taken back has never been learnt, and what is learnt does not depend on the days of training.
    """
    while version is not None and _is_taught(version) and version.parent is not None:
        if not version.parent.training:
            break
        version = version.parent
    return version if version is not None and version.training else None


def _is_taught(version: ModelVersion) -> bool:
    settings = version.card.get("settings")
    return isinstance(settings, dict) and settings.get("name") == FINE_TUNE.name


def start_of(version: ModelVersion | None) -> Bundle | None:
    """Return a version as a bundle with the network to start from."""
    return None if version is None else loading.bundle_of(version, with_training=True)


def bundle_of(version: ModelVersion | None) -> Bundle | None:
    """Return a stored version as a bundle, or None where there is none or it does not load."""
    if version is None:
        return None
    bundle = loading.bundle_of(version)
    try:
        bundle.load()
    except BundleError:
        # A model that can't answer is no measure for the one to take its place.
        return None
    return bundle
