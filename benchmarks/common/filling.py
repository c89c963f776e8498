"""Predictions to fill a database with. Django must be set up."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from recognizer import imaging
from recognizer.imaging.strokes import render
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

if TYPE_CHECKING:
    from recognizer.models import Prediction

CHUNK = 1000
EACH = 6
"""Different drawings of each digit."""


def digit_png(digit: int, *, seed: int, canvas: int = 280, brush: float = 20) -> bytes:
    """Return the PNG of a digit drawn with a round brush; ``canvas`` and ``brush`` are in px."""
    strokes = generate_digit(digit, np.random.default_rng(seed))
    placed = place(strokes, canvas=canvas, size=0.6)
    return imaging.encode_png(render(placed, canvas=canvas, brush=brush))


def fill(
    total: int,
    *,
    canvas: int = 280,
    brush: float = 20,
    labelled: float = 0,
    rejected: float = 0,
    suggested: float = 0,
    contradicted: float = 0,
) -> None:
    """Store predictions until there are ``total``; the other numbers are shares of them.

    ``contradicted`` is the share of the suggestions that differ from the prediction.
    """
    from django.utils import timezone

    from recognizer.models import ModelVersion, Prediction
    from recognizer.predictions.recognition import draw_audit_key

    there = Prediction.objects.count()
    rng = random.Random(there)
    version = ModelVersion.objects.defer("serving", "training").get(is_active=True)
    drawings = [
        [digit_png(digit, seed=seed, canvas=canvas, brush=brush) for seed in range(EACH)]
        for digit in range(10)
    ]
    now = timezone.now()

    def predictions() -> Iterator[Prediction]:
        for number in range(there, total):
            digit, identifier = rng.randrange(10), uuid.UUID(int=rng.getrandbits(128), version=4)
            confidence = rng.uniform(0.4, 1)
            rest = (1 - confidence) / 9
            probabilities = [rest] * 10
            probabilities[digit] = confidence
            is_labelled = rng.random() < labelled
            suggestion = None
            if rng.random() < suggested:
                suggestion = (digit + (rng.random() < contradicted)) % 10
            yield Prediction(
                id=identifier,
                image=rng.choice(drawings[digit]),
                digit=digit,
                confidence=confidence,
                probabilities=probabilities,
                margin=confidence - rest,
                verdict="not_a_digit" if rng.random() < rejected else "digit",
                model_version=version,
                source="canvas",
                visitor=uuid.uuid4(),
                audit_key=draw_audit_key(),
                suggestion=suggestion,
                label=digit if is_labelled else None,
                labelled_at=now if is_labelled else None,
                created_at=now - timedelta(seconds=number),
            )

    waiting = predictions()
    while chunk := list(islice(waiting, CHUNK)):
        Prediction.objects.bulk_create(chunk)
