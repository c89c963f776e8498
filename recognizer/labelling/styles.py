"""Which labels would be worth most: the newest drawings by digit and by handwriting style.

A style is a cluster of the active version's embeddings, among the drawings that it predicts as one
digit (spherical k-means: Dhillon, Modha, "Concept decompositions for large sparse text data using
clustering", 2001). Labels are worth most where the
model expects many mistakes among drawings that nobody has labelled. It expects ``1 - confidence``
of a mistake for each, which is calibrated, and for a rejected drawing how much it looks like a
digit.

It takes some seconds for 3,000 drawings: `find_styles` and `housekeeping` run it, and the page of
insights reads what it stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.inference.classifier import Answer, Verdict
from recognizer.labelling.confident_learning import direction_of
from recognizer.models import ModelVersion, Prediction, Source, StyleReport
from recognizer.models.correctness import answer_label, is_correct
from recognizer.versions import loading

SAMPLE = 3_000
"""The most drawings that are looked at, the newest ones without imports."""

ENOUGH = 100
"""With fewer drawings there is no report."""

DRAWINGS_IN_A_STYLE = 40
"""On average: a digit with so many drawings has one style, and `MOST_STYLES` at most."""
MOST_STYLES = 6

STYLES_KEPT = 6
EXAMPLES = 6
ROUNDS = 25

_BATCH = 500

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class DigitNeed:
    """The drawings predicted as one label (0-10): how many, how many of them have a label, and how
    many mistakes are expected among the others.
    """

    label: int
    n: int
    labelled: int
    expected: float


@dataclass(frozen=True)
class Style:
    """Drawings that are alike and predicted as ``label``; see `DigitNeed`.

    ``mistakes`` are those of the labelled ones, and ``examples`` those in its middle.
    """

    label: int
    n: int
    labelled: int
    mistakes: int
    expected: float
    examples: tuple[UUID, ...]


@dataclass(frozen=True)
class Report:
    """Both lists begin with what is worth most."""

    version: str
    drawings: int
    digits: tuple[DigitNeed, ...] = ()
    styles: tuple[Style, ...] = ()
    at: datetime | None = None


@dataclass
class _Seen:
    ids: list[UUID] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    labels: list[int | None] = field(default_factory=list)


def find_styles(*, progress: Callable[[], object] = lambda: None) -> Report | None:
    """Look at the newest drawings with the active version, store the report and return it.

    None, with nothing stored, if no version is active or there are fewer than 100 drawings.
    ``progress`` is called for each drawing. Raises loading.LoadError.
    """
    version = ModelVersion.objects.only("name").filter(is_active=True).first()
    if version is None:
        return None
    newest = (
        Prediction.objects.exclude(source=Source.IMPORT)
        .order_by("-created_at", "-id")
        .values_list("pk", flat=True)[:SAMPLE]
    )
    ids = list(newest)
    if len(ids) < ENOUGH:
        return None
    seen = _look_at(ids, loading.load(version), progress)
    report = _report(version.name, seen)
    with transaction.atomic():
        StyleReport.objects.all().delete()
        StyleReport.objects.create(report=_to_json(report))
    return report


def _look_at(
    ids: Sequence[UUID], judge: loading.LoadedVersion, progress: Callable[[], object]
) -> _Seen:
    seen = _Seen()
    for start in range(0, len(ids), _BATCH):
        rows = Prediction.objects.filter(pk__in=ids[start : start + _BATCH])
        for row in rows.only("image", "is_model_input", "label").order_by("pk"):
            progress()
            try:
                answer = judge.classifier.classify(row.model_input())
            except imaging.ImageError:
                continue
            seen.ids.append(row.pk)
            seen.answers.append(answer)
            seen.labels.append(row.label)
    return seen


def _report(version: str, seen: _Seen) -> Report:
    answered = np.array([answer_label(each.digit, each.verdict).value for each in seen.answers])
    is_labelled = np.array([label is not None for label in seen.labels])
    mistaken = np.array(
        [
            label is not None and not is_correct(label=label, digit=a.digit, verdict=a.verdict)
            for a, label in zip(seen.answers, seen.labels, strict=True)
        ]
    )
    expected = np.where(is_labelled, 0, [_expected(each) for each in seen.answers])
    digits = [
        DigitNeed(
            int(label), int(of.sum()), int((of & is_labelled).sum()), float(expected[of].sum())
        )
        for label in np.unique(answered)
        for of in [answered == label]
    ]
    embeddings = np.stack([direction_of(each) for each in seen.answers])
    found = []
    for label in np.unique(answered):
        of_label = np.flatnonzero(answered == label)
        count = min(MOST_STYLES, max(1, len(of_label) // DRAWINGS_IN_A_STYLE))
        cluster_of, closeness = clusters(embeddings[of_label], count)
        for number in np.unique(cluster_of):
            inside = cluster_of == number
            members = of_label[inside]
            # Those without a label first: they are the ones to be labelled.
            order = np.lexsort((-closeness[inside], is_labelled[members]))
            found.append(
                Style(
                    label=int(label),
                    n=len(members),
                    labelled=int(is_labelled[members].sum()),
                    mistakes=int(mistaken[members].sum()),
                    expected=float(expected[members].sum()),
                    examples=tuple(seen.ids[members[at]] for at in order[:EXAMPLES]),
                )
            )
    return Report(
        version,
        len(seen.ids),
        tuple(sorted(digits, key=lambda each: -each.expected)),
        tuple(sorted(found, key=lambda each: -each.expected)[:STYLES_KEPT]),
    )


def _expected(answer: Answer) -> float:
    """Return the probability of a mistake that the answer itself admits."""
    if answer.verdict is Verdict.NOT_A_DIGIT:
        return answer.digit_score
    return 1 - answer.confidence


def clusters(vectors: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Group vectors (n, d) of length 1 or 0 by direction.

    Return the cluster of each, 0 to ``count`` - 1, and its cosine similarity to the cluster's
    middle. The same vectors always give the same clusters.
    """
    rng = np.random.default_rng(0)
    middles = vectors[_far_apart(vectors, count, rng)]
    nearest = np.full(len(vectors), -1)
    for _round in range(ROUNDS):
        before, nearest = nearest, (vectors @ middles.T).argmax(1)
        if (before == nearest).all():
            break
        for number in range(count):
            total = vectors[nearest == number].sum(0)
            length = float(np.linalg.norm(total))
            if length > 0:
                middles[number] = total / length
    return nearest, np.asarray((vectors * middles[nearest]).sum(1), np.float32)


def _far_apart(vectors: Floats, count: int, rng: np.random.Generator) -> list[int]:
    """Choose starting points as k-means++ does (Arthur, Vassilvitskii 2007)."""
    chosen = [int(rng.integers(len(vectors)))]
    distance = 1 - vectors @ vectors[chosen[0]]
    while len(chosen) < count:
        weights = np.maximum(distance, 0).astype(np.float64) + 1e-9
        chosen.append(int(rng.choice(len(vectors), p=weights / weights.sum())))
        distance = np.minimum(distance, 1 - vectors @ vectors[chosen[-1]])
    return chosen


# What is stored ---------------------------------------------------------------------------------


def latest() -> Report | None:
    """Return the stored report; None if there is none."""
    row = StyleReport.objects.first()
    if row is None:
        return None
    stored = row.report
    return Report(
        version=stored["version"],
        drawings=stored["drawings"],
        digits=tuple(DigitNeed(**each) for each in stored["digits"]),
        styles=tuple(
            Style(**{**each, "examples": tuple(map(UUID, each["examples"]))})
            for each in stored["styles"]
        ),
        at=row.at,
    )


def _to_json(report: Report) -> dict[str, Any]:
    return {
        "version": report.version,
        "drawings": report.drawings,
        "digits": [vars(each) for each in report.digits],
        "styles": [
            {**vars(each), "examples": list(map(str, each.examples))} for each in report.styles
        ],
    }
