"""The stored model versions that a training run starts from and compares with."""

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


def fine_tuning_base(version: ModelVersion | None) -> ModelVersion | None:
    """Return the version to fine-tune so that ``version`` is improved; None if it has no network.

    This is the nearest ancestor of ``version`` that was not fine-tuned. Fine-tuning makes a
    network forget a little. If versions were fine-tuned one after another, that loss would add up
    unnoticed, because the gate compares each only with the one before. Starting from the same
    ancestor, a removed label leaves no trace, and earlier fine-tunings do not matter.
    """
    while version is not None and _is_fine_tuned(version) and version.parent is not None:
        if not version.parent.training:
            break
        version = version.parent
    return version if version is not None and version.training else None


def _is_fine_tuned(version: ModelVersion) -> bool:
    return version.model_card.settings.name == FINE_TUNE.name


def trainable_bundle(version: ModelVersion | None) -> Bundle | None:
    """Return a version as a bundle that includes its Keras archive."""
    return None if version is None else loading.bundle_of(version, with_training=True)


def bundle_of(version: ModelVersion | None) -> Bundle | None:
    """Return a version as a bundle to compare with, or None if it does not load."""
    if version is None:
        return None
    bundle = loading.bundle_of(version)
    try:
        bundle.load()
    except BundleError:
        # A candidate can't be compared with a model that gives no answers.
        return None
    return bundle
