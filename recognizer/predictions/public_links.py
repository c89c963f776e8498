"""Public links: off until the owner of a drawing makes one, and revoked for good by deleting it."""

from __future__ import annotations

from uuid import UUID

from recognizer.models import Owner, Prediction, PublicLink


def publish(*, prediction_id: UUID, owner: Owner) -> PublicLink:
    """Return the public link of the owner's drawing, a new one if it has none.

    Raises Prediction.DoesNotExist if the owner has no such drawing.
    """
    prediction = owner.filter(Prediction.objects.only("id")).get(pk=prediction_id)
    return PublicLink.objects.get_or_create(prediction=prediction)[0]


def revoke(*, prediction_id: UUID, owner: Owner) -> None:
    """Delete the public link of the owner's drawing, if it has one.

    Raises Prediction.DoesNotExist if the owner has no such drawing.
    """
    prediction = owner.filter(Prediction.objects.only("id")).get(pk=prediction_id)
    PublicLink.objects.filter(prediction=prediction).delete()


def key_of(prediction: Prediction) -> str | None:
    """Return the key of a drawing's public link; None if it has none."""
    return PublicLink.objects.filter(prediction=prediction).values_list("key", flat=True).first()


def published(key: str, *, with_image: bool = False) -> Prediction:
    """Return the drawing of a public link; raises Prediction.DoesNotExist if there is none."""
    found = Prediction.objects.filter(public_link__key=key)
    return (found.only("image") if with_image else found.without_bytes()).get()
