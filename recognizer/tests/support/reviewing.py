"""Rows and people for the tests of the admin and of the exports."""

from __future__ import annotations

import functools
import hashlib
import uuid
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from recognizer.models import Label, ModelVersion, Prediction
from recognizer.tests.support import drawings

LIST = "/admin/recognizer/prediction/"


@functools.lru_cache(maxsize=64)
def drawing(digit: int, seed: int = 0, canvas: int = 140) -> bytes:
    """A digit drawn with a pen, as PNG."""
    return drawings.digit_png(digit, seed=seed, canvas=canvas, brush=canvas / 14)


def make_version(name: str = "tested-1", **fields: Any) -> ModelVersion:
    """A model version that no test lets answer; its bytes are no model."""
    known = ModelVersion.objects.filter(name=name).first()
    if known is not None:
        return known
    serving = f"not a model, {name}".encode()
    defaults = {"serving": serving, "sha256": hashlib.sha256(serving).hexdigest()}
    return ModelVersion.objects.create(name=name, **{**defaults, **fields})


def probabilities(digit: int, confidence: float) -> list[float]:
    """Ten probabilities with that of ``digit`` given and the rest shared alike."""
    rest = (1 - confidence) / 9
    return [confidence if each == digit else rest for each in range(10)]


def prediction(digit: int = 3, *, confidence: float = 0.9, **fields: Any) -> Prediction:
    """An unsaved prediction of a drawn digit; a label in ``fields`` is dated now."""
    if fields.get("label") is not None:
        fields.setdefault("labelled_at", timezone.now())
    shown = fields.pop("shown", digit)
    fields.setdefault("image", drawing(shown))
    fields.setdefault("visitor", None if "user" in fields else uuid.uuid4())
    fields.setdefault("verdict", "digit")
    fields.setdefault("source", "canvas")
    fields.setdefault("probabilities", probabilities(digit, confidence))
    if "model_version" not in fields:
        fields["model_version"] = make_version()
    return Prediction(
        digit=digit,
        confidence=confidence,
        **fields,
    )


def make_prediction(digit: int = 3, **fields: Any) -> Prediction:
    """A stored prediction of a drawn digit."""
    row = prediction(digit, **fields)
    row.save(force_insert=True)
    return row


def make_staff(name: str, *permissions: str, group: str | None = None, **fields: Any) -> User:
    """A member of staff with these permissions of the recognizer, by codename."""
    person = User.objects.create_user(name, is_staff=True, **fields)
    if permissions:
        person.user_permissions.set(
            Permission.objects.filter(
                content_type__app_label="recognizer", codename__in=permissions
            )
        )
    if group:
        person.groups.add(Group.objects.get(name=group))
    return person


def label_of(row: Prediction) -> int | None:
    """The label as it is stored now."""
    return Prediction.objects.values_list("label", flat=True).get(pk=row.pk)


def in_list(
    rows: list[Prediction], labels: list[object], opened_with: list[object]
) -> dict[str, Any]:
    """What the list posts when its labels are saved."""
    text = {None: ""}
    data: dict[str, Any] = {
        "form-TOTAL_FORMS": len(rows),
        "form-INITIAL_FORMS": len(rows),
        "_save": "Save",
    }
    for index, (row, label, opened) in enumerate(zip(rows, labels, opened_with, strict=True)):
        data[f"form-{index}-id"] = str(row.pk)
        data[f"form-{index}-label"] = text.get(label, label)  # type: ignore[call-overload]
        data[f"initial-form-{index}-label"] = text.get(opened, opened)  # type: ignore[call-overload]
    return data


NOT_A_DIGIT = Label.NOT_A_DIGIT.value
