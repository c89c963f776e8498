"""Labels that are probably wrong, by confident learning. No Django.

C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels",
JAIR 70, 2021: a drawing with the label i is counted as a j if its probability of j is at least the
mean probability of j over the drawings labelled j (section 3.1). Where j is not i, the label is
suspect.

The probabilities must not come from a model that has learned these labels. Two sources:

- a network that was not trained on them: sure, but often wrong on a style that it does not know;
- a vote of the nearest neighbours by embedding, without the drawing itself (so each vote is out of
  sample): knows the site's styles, but not a mistake that all similar drawings share.

They are pooled, and confident learning decides on the pooled probabilities. A label that the vote
supports is also suspect, though less, if the network alone is sure that it is another one: so a
reviewer who labels every crossed 7 as 1 is noticed.

``WEIGHT``, ``NEIGHBOURS`` and ``SURE`` were chosen on pen writers 1-24 with
``benchmarks.finetuning.wrong_labels --choose``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference import embeddings
from recognizer.inference.classifier import Answer

CLASSES = 11
"""The ten digits and "not a digit"."""

WEIGHT = 0.3
"""The network's weight in the pool; the vote of the neighbours has the rest."""

FEW = 30
"""With fewer labels the network's weight grows up to 1: most drawings then have no neighbour that
shows the same digit."""

NEIGHBOURS = 20

SURE = 0.98
"""The probability from which the network alone makes a label suspect."""

REFERENCES = 20_000
"""The most drawings that vote, a random sample: the time grows with the number of labels, not with
its square."""

_BLOCK = 500
_FLOOR = 0.01

Floats = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Suspect:
    """A label that looks wrong.

    ``index`` is its place among the labels, ``likely`` the label that fits better (0-10), and
    ``score`` how far it is ahead: above 0.5 if the neighbours agree, else only the network is sure.
    """

    index: int
    label: int
    likely: int
    score: float


def suspects_of(answers: Sequence[Answer], labels: Sequence[int]) -> list[Suspect]:
    """Return the suspects among labels 0-10, given a network's answers to their drawings."""
    if not answers:
        return []
    return find_suspects(
        np.stack([probabilities_of(answer) for answer in answers]),
        np.stack([direction_of(answer) for answer in answers]),
        np.array(labels),
    )


def probabilities_of(answer: Answer) -> Floats:
    """Return the probabilities of the ten digits and of "not a digit", (11,)."""
    digits = answer.digit_score * np.array(answer.probabilities)
    return np.append(digits, 1 - answer.digit_score).astype(np.float32)


def direction_of(answer: Answer) -> Floats:
    """Return the embedding with length 1, or 0 if it has no direction."""
    vector = answer.embedding
    if not embeddings.has_direction(vector):
        return np.zeros_like(vector)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def find_suspects(
    probabilities: Floats,
    embeddings: Floats,
    labels: Labels,
    *,
    weight: float = WEIGHT,
    neighbours: int = NEIGHBOURS,
    sure: float = SURE,
) -> list[Suspect]:
    """Return the labels that look wrong, the worst first.

    Args:
        probabilities: of a network that did not learn from these labels, (n, 11).
        embeddings: of the same network, (n, d), each of length 1 or 0.
        labels: 0-10, (n,).
    """
    if not len(labels):
        return []
    weight += (1 - weight) * max(0.0, 1 - len(labels) / FEW)
    vote = neighbour_vote(embeddings, labels, neighbours)
    pooled = (probabilities + _FLOOR) ** weight * (vote + _FLOOR) ** (1 - weight)
    pooled /= pooled.sum(1, keepdims=True)
    likely, ahead = _off_diagonal(pooled, labels)
    network = probabilities.argmax(1)
    alone = (network != labels) & (probabilities.max(1) >= sure) & (likely == labels)
    rows = np.arange(len(labels))
    score = np.where(
        alone,
        (probabilities[rows, network] - probabilities[rows, labels]) / 2,
        (1 + ahead) / 2,
    )
    likely = np.where(alone, network, likely)
    found = np.flatnonzero(likely != labels)
    worst_first = found[np.argsort(-score[found], kind="stable")]
    return [
        Suspect(int(index), int(labels[index]), int(likely[index]), float(score[index]))
        for index in worst_first
    ]


def _off_diagonal(probabilities: Floats, labels: Labels) -> tuple[Labels, Floats]:
    """Return the label that each drawing is counted as, and how far it is ahead of its own (n,).

    A drawing that reaches no label's threshold keeps its own.
    """
    thresholds = np.full(CLASSES, np.inf)
    for label in np.unique(labels):
        thresholds[label] = probabilities[labels == label, label].mean()
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    counted_as = np.where(reached.max(1) < 0, labels, reached.argmax(1))
    rows = np.arange(len(labels))
    return counted_as, probabilities[rows, counted_as] - probabilities[rows, labels]


def neighbour_vote(embeddings: Floats, labels: Labels, neighbours: int) -> Floats:
    """Return the shares of the labels among the nearest other drawings, (n, 11).

    Votes are weighted by cosine similarity; a weak prior keeps every share above 0.
    """
    n = len(labels)
    sample = np.random.default_rng(0).permutation(n)[:REFERENCES]
    references: Labels = np.sort(sample)
    known, known_labels = embeddings[references], np.eye(CLASSES, dtype=np.float32)[labels]
    known_labels = known_labels[references]
    count = min(neighbours, len(references) - 1)
    votes = np.full((n, CLASSES), 0.5 / CLASSES, np.float32)
    for start in range(0, n if count > 0 else 0, _BLOCK):
        rows = np.arange(start, min(n, start + _BLOCK))
        similarity = embeddings[rows] @ known.T
        similarity[rows[:, None] == references] = -1
        nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        weights = np.maximum(np.take_along_axis(similarity, nearest, 1), 0)
        votes[rows] += np.einsum("nk,nkc->nc", weights, known_labels[nearest])
    return np.asarray(votes / votes.sum(1, keepdims=True), np.float32)
