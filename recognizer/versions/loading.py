"""What a stored model version says of a drawing, whether it is the active one or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from recognizer.inference import embeddings
from recognizer.inference.classifier import Answer, BundleError, Classifier
from recognizer.models import ModelVersion
from recognizer.versions import active as active_version


class CantAnswer(ValueError):
    """A model version that does not load; the message says which."""


@dataclass(frozen=True)
class Answerer:
    """A version that is loaded, by its row without the bytes."""

    version: ModelVersion
    classifier: Classifier


def load(version: ModelVersion) -> Answerer:
    """Load a version.

    Raises:
        CantAnswer: it is gone, its bytes don't match their checksum, or they don't load.
    """
    stored = ModelVersion.objects.defer("training").filter(pk=version.pk).first()
    if stored is None:
        raise CantAnswer(_("The model version %(name)s is gone.") % {"name": version.name})
    try:
        bundle = active_version.bundle_of(stored)
        # The checksum first: LiteRT may crash on bytes that are no model.
        bundle.verify()
        classifier = Classifier(bundle)
    except BundleError as error:
        text = _("The model version %(name)s can't answer: %(error)s.")
        raise CantAnswer(text % {"name": version.name, "error": error}) from error
    slim = ModelVersion.objects.defer("serving", "training", "card").get(pk=stored.pk)
    return Answerer(slim, classifier)


def active() -> Answerer:
    """Return the version that this site answers with.

    Raises:
        serving.NoModel: none can answer.
    """
    current = active_version.current_classifier()
    return Answerer(current.version, current.classifier)


def fields(answer: Answer) -> dict[str, Any]:
    """Return an answer as the fields of a `Prediction`."""
    return {
        "digit": answer.digit,
        "confidence": answer.confidence,
        "probabilities": list(answer.probabilities),
        "margin": answer.margin,
        "verdict": answer.verdict.value,
        "embedding": embeddings.pack(answer.embedding),
    }
