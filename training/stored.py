"""The active version of the model, as a training run needs it."""

from __future__ import annotations

from recognizer import selectors, serving
from recognizer.classifier import Bundle, BundleError
from recognizer.models import ModelVersion


def active_version() -> ModelVersion | None:
    """Return the active version with its bytes, or None."""
    try:
        return ModelVersion.objects.get(pk=selectors.active_model().pk)
    except ModelVersion.DoesNotExist:
        return None


def bundle_of(version: ModelVersion | None) -> Bundle | None:
    """Return a stored version as a bundle, or None where there is none or it does not load."""
    if version is None:
        return None
    bundle = serving.bundle_of(version)
    try:
        bundle.verify()
    except BundleError:
        # A model that can't answer is no measure for the one to take its place.
        return None
    return bundle
