"""Whether a drawing is a number, which one, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recognizer.imaging import Drawing, InkBox, PenStrokes
from recognizer.inference.classifier import Answer, Classifier, Verdict
from recognizer.inference.numbers.cuts import cut
from recognizer.inference.numbers.paths import Boundary, Scored, Scorer, best_path, path_of
from recognizer.inference.numbers.pieces import Piece, Row, of_drawing, of_strokes

MAX_DIGITS = 8

_MOST_SCORED = 40
"""Groups of pieces that the network sees for one drawing at most."""

_MOST_SCORED_WITH_LABEL = 200

_LIMIT = 14.0
"""Cost of a path above which no drawing is a number."""

_CLEAN = 1.0
"""Strokes whose path costs less are not tried in another order."""

_WIDE, _WIDER_THAN_HIGH, _DOUBTFUL = 0.5, 1.1, -0.1
"""A piece is cut if it is wider than half the row's height, and the network is less sure than that
(log) that it is a digit, or it is that many times as wide as high.
"""

_LEAST_LOG = -4.0
"""A label's parts are used for training if the network gives them this on average (log)."""

_MARGIN = 12  # px of paper around a part that is stored


@dataclass(frozen=True)
class Part:
    """One digit of a number, where it is in the drawing, and its probability, 0-1."""

    box: InkBox
    digit: int
    confidence: float


@dataclass(frozen=True)
class Number:
    """A number of two to eight digits, and the calibrated probability, 0-1, that it is right.

    ``cost`` is that of its path, see ``paths``.
    """

    text: str
    confidence: float
    parts: tuple[Part, ...]
    cost: float


@dataclass(frozen=True)
class LabelledPart:
    """One digit of a number that a person has labelled, as a drawing of its own."""

    digit: int
    drawing: Drawing
    strokes: PenStrokes | None


@dataclass(frozen=True)
class _Split:
    """The boundaries in a row for every order of its pieces to try, and the row's height in px."""

    row: Row
    orders: list[list[Boundary]]
    height: float


def find_number(
    classifier: Classifier, answer: Answer, drawing: Drawing, strokes: PenStrokes | None = None
) -> Number | None:
    """Return the number that a drawing shows, or None for anything else.

    A drawing that the network's ``answer`` accepts as one digit is one. ``strokes`` are those that
    the drawing was made of, if they were sent.
    """
    if answer.verdict is not Verdict.NOT_A_DIGIT:
        return None
    found = likeliest(classifier, drawing, strokes)
    return None if found is None or found.confidence < LEAST_CONFIDENCE else found


def likeliest(
    classifier: Classifier, drawing: Drawing, strokes: PenStrokes | None = None
) -> Number | None:
    """Return the number that a drawing is if it is one, however unlikely; None without any."""
    score = Scorer(classifier, _MOST_SCORED)
    split = _split(drawing, strokes, score)
    if split is None:
        return None
    paths = []
    for order in split.orders:
        found = best_path(order, score, split.height, _LIMIT)
        if found is not None:
            paths.append(found)
            if found[0] < _CLEAN:
                break
    if not paths:
        return None
    cost, path = min(paths, key=lambda each: each[0])
    if not 2 <= len(path) <= MAX_DIGITS:
        return None
    path.sort(key=lambda each: each.piece.middle)
    parts = tuple(
        Part(split.row.box(each.piece), each.digit, min(1.0, math.exp(each.log))) for each in path
    )
    confidence = _confidence(cost, [part.confidence for part in parts])
    return Number("".join(str(part.digit) for part in parts), confidence, parts, cost)


def label_parts(
    classifier: Classifier, number: str, drawing: Drawing, strokes: PenStrokes | None = None
) -> list[LabelledPart]:
    """Return the digits of a number that a person has labelled, each as a drawing of its own.

    Empty where it can't be said which ink belongs to which digit.
    """
    score = Scorer(classifier, _MOST_SCORED_WITH_LABEL)
    split = _split(drawing, strokes, score)
    digits = [int(digit) for digit in number]
    paths = []
    for order in [] if split is None else split.orders:
        found = path_of(order, score, split.height, digits) if split else None
        if found is not None:
            paths.append(found)
    if not paths:
        return []
    _cost, path = min(paths, key=lambda each: each[0])
    logs = [float(each.logs[digit]) for each, digit in zip(path, digits, strict=True)]
    middles = [each.piece.middle for each in path]
    if sum(logs) / len(logs) < _LEAST_LOG or middles != sorted(middles):
        return []
    return [_labelled(digit, each, strokes) for digit, each in zip(digits, path, strict=True)]


def _labelled(digit: int, scored: Scored, strokes: PenStrokes | None) -> LabelledPart:
    piece = scored.piece
    if strokes is not None and piece.strokes:
        own = replace(
            strokes,
            strokes=tuple(strokes.strokes[index] for index in piece.strokes),
            widths=tuple(strokes.widths[index] for index in piece.strokes),
        )
        return LabelledPart(digit, own.drawing(), own)
    ink = np.pad(np.minimum(piece.ink, 1), _MARGIN)
    return LabelledPart(digit, Drawing(np.rint(255 * (1 - ink)).astype(np.uint8)), None)


def _split(drawing: Drawing, strokes: PenStrokes | None, score: Scorer) -> _Split | None:
    # What an eraser leaves of a stroke is only seen in the drawing.
    sent = None if strokes is None or strokes.erasers else of_strokes(strokes)
    row = of_drawing(drawing) if sent is None else sent
    if row is None:
        return None
    height = float(max(each.bottom - each.top for each in row.pieces))
    if sent is None:
        found = [_cut_if_wide(each, row, height, score) for each in row.pieces]
        return _Split(row, [_boundaries(found)], height)
    across = sorted(row.pieces, key=lambda piece: piece.middle)
    orders = [across] if across == row.pieces else [row.pieces, across]
    return _Split(
        row, [_boundaries([[frozenset([each])] for each in order]) for order in orders], height
    )


def _boundaries(pieces: Sequence[Sequence[Boundary]]) -> list[Boundary]:
    """Return the boundaries in a row of pieces, each of which may have more within it."""
    found: list[Boundary] = [frozenset()]
    for each in pieces:
        before = found[-1]
        found += [before | boundary for boundary in each]
    return found


def _cut_if_wide(piece: Piece, row: Row, height: float, score: Scorer) -> list[Boundary]:
    high, wide = piece.ink.shape
    whole = frozenset([piece])
    if wide <= _WIDE * height:
        return [whole]
    if wide <= _WIDER_THAN_HIGH * high and (score.left <= 0 or score(whole).log >= _DOUBTFUL):
        return [whole]
    return cut(piece, row.stroke_width, height)


# --- how sure ------------------------------------------------------------------------------------

LEAST_CONFIDENCE = 0.7
"""A drawing of which this is less likely is not called a number."""

_BIAS = -2.671
_WEIGHTS = (-1.134, 3.104, 2.009, 0.433)


def evidence(cost: float, probabilities: Sequence[float]) -> tuple[float, ...]:
    """Return what the confidence of a path depends on.

    That is its cost, the probabilities of the two least likely digits, and the number of digits.
    """
    worst, second, *_others = sorted(probabilities)
    return cost, worst, second, float(len(probabilities))


def _confidence(cost: float, probabilities: Sequence[float]) -> float:
    """Return the probability that a path is right: a logistic regression, by `benchmarks`."""
    seen = zip(_WEIGHTS, evidence(cost, probabilities), strict=True)
    value = _BIAS + sum(weight * each for weight, each in seen)
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))
