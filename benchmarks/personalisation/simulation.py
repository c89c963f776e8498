"""Simulated visitors who draw digits and correct the predictions.

Uses the same function as the site (``recognizer.inference.personal_posterior``), without database
and HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference import embeddings, personal_posterior
from recognizer.inference.classifier import Answer, Calibration, Classifier, Verdict
from recognizer.inference.personal_posterior import CHOSEN, Examples, Mix
from training.data import datasets
from training.data.datasets import NOT_A_DIGIT, Data, PenDigit
from training.evaluation.metrics import calibration_error
from training.synthesis.strokes import Placement, draw_at

MOST_CORRECTIONS, MOST_UNCORRECTED = 200, 200
"""As in ``personalisation.retrieval``, which can't be imported before Django is set up."""

LIKE = 0.8
"""Two drawings are similar if the cosine of their embeddings is larger."""

SEED = 50


@dataclass(frozen=True)
class Sheet:
    """The digits of a writer in order, with the predictions of a network.

    ``others`` are its predictions for non-digits.
    """

    writer: int
    answers: tuple[Answer, ...]
    labels: NDArray[np.int64]
    calibration: Calibration
    others: tuple[Answer, ...] = ()


def write(
    classifier: Classifier,
    pen: Sequence[PenDigit],
    writers: Iterable[int],
    placement: Placement,
    others: Data,
    *,
    mirrored: bool = False,
) -> list[Sheet]:
    """Draw the digits of each writer in order on a canvas and predict them.

    ``mirrored`` flips every digit horizontally: a style that is not in any training data.
    """
    predicted = tuple(classifier.classify(image) for image in others.images)
    turn = np.array([-1.0, 1.0]) if mirrored else np.ones(2)
    sheets = []
    for writer in writers:
        written = sorted(datasets.by_writers(pen, [writer]), key=lambda digit: digit.index)
        rng = np.random.default_rng(SEED + writer)
        drawn = [
            datasets.model_input_of(
                draw_at([stroke * turn for stroke in digit.strokes], placement, rng)
            )
            for digit in written
        ]
        sheets.append(
            Sheet(
                writer=writer,
                answers=tuple(classifier.classify(image) for image in drawn),
                labels=np.array([digit.label for digit in written]),
                calibration=classifier.calibration,
                others=predicted,
            )
        )
    return sheets


@dataclass(frozen=True)
class Visitor:
    """How a visitor behaves. They correct predictions that are wrong or rejected.

    ``confirms``: they also confirm correct ones. ``wrong``: the share of their corrections that are
    wrong. ``ignored``: the share of the mistakes that they don't correct. ``slips``: the share of
    the correct predictions that they "correct" to another digit.
    """

    confirms: bool = False
    wrong: float = 0.0
    ignored: float = 0.0
    slips: float = 0.0


CORRECTS = Visitor()


class Corrections:
    """The corrections of a visitor, stored as on the site: embeddings in float16.

    Drawings that the visitor did not correct count too, as weak evidence for the prediction.
    """

    def __init__(self, calibration: Calibration, settings: Mix = CHOSEN) -> None:
        self.calibration = calibration
        self.settings = settings
        self.embeddings: list[NDArray[np.float32]] = []
        self.labels: list[int] = []
        self.corrected: list[bool] = []

    def note(self, answer: Answer, label: int, *, corrected: bool) -> None:
        """Store the label of a drawing, corrected (or confirmed) by the visitor or not."""
        packed = embeddings.pack(answer.embedding)
        if packed is not None:
            self.embeddings.append(embeddings.unpack(packed))
            self.labels.append(label)
            self.corrected.append(corrected)

    def answer(self, answer: Answer) -> Answer:
        if not any(self.corrected):
            return answer
        found = personal_posterior.mix(answer, self.calibration, self._examples(), self.settings)
        return answer if found is None else found.answer

    def chances(self, answer: Answer) -> NDArray[np.float64]:
        """Return the final probabilities of the eleven classes, (11,)."""
        if not any(self.corrected):
            return personal_posterior.prior(answer, self.calibration)
        return personal_posterior.posterior(
            answer, self.calibration, self._examples(), self.settings
        )

    def _examples(self) -> Examples:
        labels, corrected = np.array(self.labels), np.array(self.corrected)
        # Uncertain predictions that were not corrected are no evidence.
        counts = corrected | (labels >= 0)
        last = np.arange(len(corrected)) >= len(corrected) - MOST_UNCORRECTED
        newest = corrected[::-1].cumsum()[::-1] <= MOST_CORRECTIONS
        kept = np.flatnonzero(np.where(corrected, newest, last & counts))
        return Examples(
            np.stack([self.embeddings[index] for index in kept]), labels[kept], corrected[kept]
        )


UNCERTAIN = -1
"""Instead of a label, for an uncertain prediction that was not corrected."""


@dataclass(frozen=True)
class Played:
    """The final predictions for a writer, and the probabilities of the true labels, (n,).

    ``accepted``: the shares of the non-digits that are accepted as digits, by the network alone and
    with all corrections.
    """

    given: tuple[Answer, ...]
    chances: NDArray[np.float64]
    accepted: tuple[float, float]


def play(sheet: Sheet, visitor: Visitor = CORRECTS, settings: Mix = CHOSEN) -> Played:
    corrections, given, chances = Corrections(sheet.calibration, settings), [], []
    rng = np.random.default_rng(sheet.writer)
    for answer, label in zip(sheet.answers, map(int, sheet.labels), strict=True):
        shown = corrections.answer(answer)
        given.append(shown)
        chances.append(corrections.chances(answer)[label])
        is_wrong, is_ignored = rng.random() < visitor.wrong, rng.random() < visitor.ignored
        mistake = label_of(shown) != label
        if visitor.slips and not mistake and rng.random() < visitor.slips:
            corrections.note(answer, (label + int(rng.integers(1, 10))) % 10, corrected=True)
        elif (mistake and not is_ignored) or (visitor.confirms and not mistake):
            corrections.note(answer, int(rng.integers(10)) if is_wrong else label, corrected=True)
        else:
            sure = shown.verdict is Verdict.DIGIT
            corrections.note(answer, shown.digit if sure else UNCERTAIN, corrected=False)
    passed = [
        np.array([label_of(answer) != NOT_A_DIGIT for answer in answers], float)
        for answers in (sheet.others, [corrections.answer(answer) for answer in sheet.others])
    ]
    accepted = (float(passed[0].mean()), float(passed[1].mean())) if sheet.others else (0.0, 0.0)
    return Played(tuple(given), np.array(chances), accepted)


def label_of(answer: Answer) -> int:
    return NOT_A_DIGIT if answer.verdict is Verdict.NOT_A_DIGIT else answer.digit


@dataclass(frozen=True)
class Half:
    """The second half of a writer's digits, without and with personal learning.

    ``recurring`` are the misclassified drawings that are similar to an earlier mistake on the same
    digit: only these can be learned. ``worsened`` counts correct predictions that became wrong.
    ``confidence`` and ``right`` are of single drawings, (n,).
    """

    n: int
    misclassified: tuple[int, int]
    recurring: tuple[int, int]
    rejected: tuple[int, int]
    worsened: int
    accepted: tuple[float, float]
    confidence: tuple[NDArray[np.float64], NDArray[np.float64]]
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @property
    def calibration_errors(self) -> tuple[float, float]:
        """The expected calibration error without and with personal learning, 0-1."""
        first, second = (
            calibration_error(confidence, right)
            for confidence, right in zip(self.confidence, self.right, strict=True)
        )
        return first, second


def second_half(sheet: Sheet, played: Played) -> Half:
    """Compare the final predictions with those of the network alone, in the second half."""
    half = slice(len(played.given) // 2, None)
    labels = sheet.labels[half]
    sides = (sheet.answers[half], played.given[half])
    digit_right = [np.array([answer.digit for answer in answers]) == labels for answers in sides]
    label_right = [
        np.array([label_of(answer) for answer in answers]) == labels for answers in sides
    ]
    sure = [np.array([answer.confidence for answer in answers]) for answers in sides]
    rejected = [sum(label_of(answer) == NOT_A_DIGIT for answer in answers) for answers in sides]
    known = recurs(sheet)[half]
    return Half(
        n=len(labels),
        recurring=(int((~digit_right[0] & known).sum()), int((~digit_right[1] & known).sum())),
        misclassified=(int((~digit_right[0]).sum()), int((~digit_right[1]).sum())),
        rejected=(rejected[0], rejected[1]),
        worsened=int((label_right[0] & ~label_right[1]).sum()),
        accepted=played.accepted,
        confidence=(sure[0], sure[1]),
        right=(digit_right[0], digit_right[1]),
    )


def recurs(sheet: Sheet) -> NDArray[np.bool_]:
    """Return which drawings are similar to an earlier mistake on the same digit, bool (n,)."""
    vectors = np.stack([answer.embedding for answer in sheet.answers])
    wrong = np.array([label_of(answer) for answer in sheet.answers]) != sheet.labels
    like = (vectors @ vectors.T > LIKE) & (sheet.labels[:, None] == sheet.labels)
    return np.asarray(np.tril(like & wrong, -1).any(1))


def together(halves: Iterable[Half]) -> Half:
    parts = list(halves)

    def each(name: str, how: Any) -> Any:
        return tuple(how([getattr(part, name)[side] for part in parts]) for side in (0, 1))

    return Half(
        n=sum(part.n for part in parts),
        misclassified=each("misclassified", sum),
        recurring=each("recurring", sum),
        rejected=each("rejected", sum),
        worsened=sum(part.worsened for part in parts),
        accepted=each("accepted", lambda shares: float(np.mean(shares))),
        confidence=each("confidence", np.concatenate),
        right=each("right", np.concatenate),
    )


@dataclass(frozen=True)
class Effects:
    corrections: int
    fixed: int
    broken: int


def single_corrections(sheets: Iterable[Sheet]) -> Effects:
    """Correct one wrong or rejected drawing at a time, and predict the writer's later drawings.

    The earlier drawings are not corrected.
    """
    made = fixed = broken = 0
    for sheet in sheets:
        truth = sheet.labels
        for index, mistake in enumerate(sheet.answers):
            if label_of(mistake) == truth[index]:
                continue
            made += 1
            corrections = Corrections(sheet.calibration)
            for answer in sheet.answers[:index]:
                sure = answer.verdict is Verdict.DIGIT
                corrections.note(answer, answer.digit if sure else UNCERTAIN, corrected=False)
            corrections.note(mistake, int(truth[index]), corrected=True)
            for answer, label in zip(sheet.answers[index + 1 :], truth[index + 1 :], strict=True):
                was, now = (label_of(a) == label for a in (answer, corrections.answer(answer)))
                fixed += bool(now and not was)
                broken += bool(was and not now)
    return Effects(made, fixed, broken)
