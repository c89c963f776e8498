"""A stored model version, loaded: the active one or any other."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from recognizer.inference.classifier import Bundle, BundleError, Classifier
from recognizer.models import ModelVersion


class LoadError(ValueError):
    """A model version that can't be loaded; the message says which and why."""


@dataclass(frozen=True)
class LoadedVersion:
    """A classifier and the row it came from, without the row's bytes and card."""

    version: ModelVersion
    classifier: Classifier

    @property
    def name(self) -> str:
        return self.version.name


def load(version: ModelVersion) -> LoadedVersion:
    """Load a version; of the row given only the id and the name are looked at.

    Raises LoadError if it was deleted, its bytes don't match their checksum, or they don't load.
    """
    stored = ModelVersion.objects.defer("training").filter(pk=version.pk).first()
    if stored is None:
        raise LoadError(_("The model version %(name)s was deleted.") % {"name": version.name})
    try:
        classifier = bundle_of(stored).load()
    except BundleError as error:
        text = _("The model version %(name)s can't be loaded: %(error)s.")
        raise LoadError(text % {"name": version.name, "error": error}) from error
    slim = ModelVersion.objects.defer("serving", "training", "card").get(pk=stored.pk)
    return LoadedVersion(slim, classifier)


def bundle_of(version: ModelVersion, *, with_training: bool = False) -> Bundle:
    """Return a stored version as a bundle; the training bytes only if asked for."""
    return Bundle(
        name=version.name,
        serving=bytes(version.serving),
        training=bytes(version.training) if with_training else b"",
        card=version.model_card,
        sha256=version.sha256,
    )
