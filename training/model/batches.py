"""In which order a training sees its drawings, and how often those of a frequent label."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

OFTEN = 2.5
"""How often a label may be shown, as a multiple of the mean over the labels that there are."""

RARELY = 20
"""Drawings of rare labels are shown at most this many times as often as those of the most frequent
one: a single drawing should not stand for its digit."""


def limit(labels: NDArray[np.uint8]) -> int:
    """Return how many drawings of one label a round shows at most, for labels (n,) of 0-10.

    That is ``OFTEN`` times the mean over the labels, in which a label counts up to the limit
    itself. Of 9,000 drawings labelled 1 among 10,000, a round shows 450, a third of its drawings.
    """
    if not labels.size:
        return 0
    counts = np.unique(labels, return_counts=True)[1]
    most, before = float(counts.max()), np.inf
    least = most / RARELY
    while before - most > 0.5:
        before, most = most, max(least, min(most, OFTEN * np.minimum(counts, most).mean()))
    return int(np.ceil(most))


def effective(labels: NDArray[np.uint8]) -> int:
    """Return how many drawings a round shows: those of a frequent label count up to ``limit``."""
    counts = np.unique(labels, return_counts=True)[1]
    return int(np.minimum(counts, limit(labels)).sum())


def endless(n: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the indexes of n drawings endlessly, in a new order each time."""
    while True:
        yield from map(int, rng.permutation(n))


def endless_balanced(labels: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[int]:
    """Yield the indexes of labelled drawings endlessly, in rounds of ``effective(labels)``.

    A round has all drawings but those beyond the ``limit`` of a label, whose turn comes in the
    rounds that follow. So frequencies of the labels that are an accident of what was labelled are
    hardly learned. Without such a label a round is a permutation.
    """
    most = limit(labels)
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if all(len(each) <= most for each in members):
        yield from endless(len(labels), rng)
    orders = [(each, endless(len(each), rng)) for each in members]
    while True:
        shown = [
            each[list(itertools.islice(order, min(len(each), most)))] for each, order in orders
        ]
        yield from map(int, rng.permutation(np.concatenate(shown)))
