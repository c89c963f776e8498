"""People who write digits, correct what they are answered, and go on: what they are answered then.

The same mix answers here as on the site (``recognizer.inference.personal_posterior``), without
database and HTTP.
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

MOST_REMEMBERED, LOOKED_BACK = 200, 200
"""As in ``personalisation.retrieval``, which can't be imported before Django is set up."""

LIKE = 0.8
"""The cosine above which two drawings count as alike in the tables."""

SEED = 50


@dataclass(frozen=True)
class Sheet:
    """What one writer wrote, in order, and what one network says of it.

    ``others`` is what it says of drawings that are no digits.
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
    """Return what each writer wrote, in order, drawn on a canvas and read.

    ``mirrored`` turns every digit the wrong way round, as some hands write that no data holds.
    """
    refused = tuple(classifier.classify(image) for image in others.images)
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
                others=refused,
            )
        )
    return sheets


@dataclass(frozen=True)
class Visitor:
    """How somebody behaves: they correct what is wrong or refused.

    ``confirms``: they also say "right". ``slips``: the share of what they say that is wrong.
    ``lazy``: the share of the mistakes that they let pass.
    """

    confirms: bool = False
    slips: float = 0.0
    lazy: float = 0.0


CORRECTS = Visitor()


class Memory:
    """What a visitor has said, and let pass, as the site keeps it: embeddings in float16."""

    def __init__(self, calibration: Calibration, numbers: Mix = CHOSEN) -> None:
        self.calibration = calibration
        self.numbers = numbers
        self.embeddings: list[NDArray[np.float32]] = []
        self.labels: list[int] = []
        self.said: list[bool] = []

    def note(self, answer: Answer, label: int, *, said: bool) -> None:
        """Remember what a drawing was, by the visitor's word or by their silence."""
        packed = embeddings.pack(answer.embedding)
        if packed is not None:
            self.embeddings.append(embeddings.unpack(packed))
            self.labels.append(label)
            self.said.append(said)

    def answer(self, answer: Answer) -> Answer:
        """Return what is answered in place of the network's answer, or that."""
        if not any(self.said):
            return answer
        found = personal_posterior.mix(answer, self.calibration, self._examples(), self.numbers)
        return answer if found is None else found.answer

    def chances(self, answer: Answer) -> NDArray[np.float64]:
        """Return the eleven probabilities of network and memory together, (11,)."""
        if not any(self.said):
            return personal_posterior.prior(answer, self.calibration)
        return personal_posterior.posterior(
            answer, self.calibration, self._examples(), self.numbers
        )

    def _examples(self) -> Examples:
        labels, said = np.array(self.labels), np.array(self.said)
        # Answers in doubt were let pass too, but count for nothing.
        counts = said | (labels >= 0)
        last = np.arange(len(said)) >= len(said) - LOOKED_BACK
        newest = said[::-1].cumsum()[::-1] <= MOST_REMEMBERED
        kept = np.flatnonzero(np.where(said, newest, last & counts))
        return Examples(
            np.stack([self.embeddings[index] for index in kept]), labels[kept], said[kept]
        )


DOUBTED = -1
"""In place of a label where an answer in doubt was let pass."""


@dataclass(frozen=True)
class Played:
    """What a writer was answered, drawing by drawing, and how likely the truth was held, (n,).

    ``accepted``: the shares of the drawings that are no digits that pass as one, by the network
    alone and in the end by the memory too.
    """

    given: tuple[Answer, ...]
    chances: NDArray[np.float64]
    accepted: tuple[float, float]


def play(sheet: Sheet, visitor: Visitor = CORRECTS, numbers: Mix = CHOSEN) -> Played:
    """Let a writer draw, correct and go on."""
    memory, given, chances = Memory(sheet.calibration, numbers), [], []
    rng = np.random.default_rng(sheet.writer)
    for answer, label in zip(sheet.answers, map(int, sheet.labels), strict=True):
        shown = memory.answer(answer)
        given.append(shown)
        chances.append(memory.chances(answer)[label])
        slips, is_lazy = rng.random() < visitor.slips, rng.random() < visitor.lazy
        wrong = label_of(shown) != label
        if (wrong and not is_lazy) or (visitor.confirms and not wrong):
            memory.note(answer, int(rng.integers(10)) if slips else label, said=True)
        else:
            sure = shown.verdict is Verdict.DIGIT
            memory.note(answer, shown.digit if sure else DOUBTED, said=False)
    passed = [
        np.array([label_of(answer) != NOT_A_DIGIT for answer in answers], float)
        for answers in (sheet.others, [memory.answer(answer) for answer in sheet.others])
    ]
    accepted = (float(passed[0].mean()), float(passed[1].mean())) if sheet.others else (0.0, 0.0)
    return Played(tuple(given), np.array(chances), accepted)


def label_of(answer: Answer) -> int:
    """Return an answer as a label: its digit, or "not a digit"."""
    return NOT_A_DIGIT if answer.verdict is Verdict.NOT_A_DIGIT else answer.digit


@dataclass(frozen=True)
class Half:
    """The second half of what was written: what was answered without and with the memory.

    ``misread`` and ``refused`` of the two, and of the misread those that resemble an earlier
    mistake on the same digit (``recurring``): no other can be learned. How many right answers
    became wrong (``worsened``), and the confidences with which digits were right, (n,).
    """

    n: int
    misread: tuple[int, int]
    recurring: tuple[int, int]
    refused: tuple[int, int]
    worsened: int
    accepted: tuple[float, float]
    confidence: tuple[NDArray[np.float64], NDArray[np.float64]]
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @property
    def calibration_errors(self) -> tuple[float, float]:
        """The expected calibration error without and with the memory, 0-1."""
        first, second = (
            calibration_error(confidence, right)
            for confidence, right in zip(self.confidence, self.right, strict=True)
        )
        return first, second


def second_half(sheet: Sheet, played: Played) -> Half:
    """Compare what was answered with what the network alone says, in the second half."""
    half = slice(len(played.given) // 2, None)
    labels = sheet.labels[half]
    sides = (sheet.answers[half], played.given[half])
    read = [np.array([answer.digit for answer in answers]) == labels for answers in sides]
    kept = [np.array([label_of(answer) for answer in answers]) == labels for answers in sides]
    sure = [np.array([answer.confidence for answer in answers]) for answers in sides]
    refused = [sum(label_of(answer) == NOT_A_DIGIT for answer in answers) for answers in sides]
    known = recurs(sheet)[half]
    return Half(
        n=len(labels),
        recurring=(int((~read[0] & known).sum()), int((~read[1] & known).sum())),
        misread=(int((~read[0]).sum()), int((~read[1]).sum())),
        refused=(refused[0], refused[1]),
        worsened=int((kept[0] & ~kept[1]).sum()),
        accepted=played.accepted,
        confidence=(sure[0], sure[1]),
        right=(read[0], read[1]),
    )


def recurs(sheet: Sheet) -> NDArray[np.bool_]:
    """Tell which drawings are like one of the same digit that was misread or refused before."""
    vectors = np.stack([answer.embedding for answer in sheet.answers])
    wrong = np.array([label_of(answer) for answer in sheet.answers]) != sheet.labels
    like = (vectors @ vectors.T > LIKE) & (sheet.labels[:, None] == sheet.labels)
    return np.asarray(np.tril(like & wrong, -1).any(1))


def together(halves: Iterable[Half]) -> Half:
    """Return several writers' halves as one."""
    parts = list(halves)

    def each(name: str, how: Any) -> Any:
        return tuple(how([getattr(part, name)[side] for part in parts]) for side in (0, 1))

    return Half(
        n=sum(part.n for part in parts),
        misread=each("misread", sum),
        recurring=each("recurring", sum),
        refused=each("refused", sum),
        worsened=sum(part.worsened for part in parts),
        accepted=each("accepted", lambda shares: float(np.mean(shares))),
        confidence=each("confidence", np.concatenate),
        right=each("right", np.concatenate),
    )


@dataclass(frozen=True)
class Spill:
    """What single lessons do: how many were taught, and what became of all later answers."""

    taught: int
    to_right: int
    to_wrong: int


def spilled(sheets: Iterable[Sheet], numbers: Mix = CHOSEN) -> Spill:
    """Teach one misread drawing at a time, and look at all that its writer wrote after it.

    What they wrote before it they have let pass.
    """
    taught = better = worse = 0
    for sheet in sheets:
        truth = sheet.labels
        for lesson, odd in enumerate(sheet.answers):
            if label_of(odd) == truth[lesson]:
                continue
            taught += 1
            memory = Memory(sheet.calibration, numbers)
            for answer in sheet.answers[:lesson]:
                sure = answer.verdict is Verdict.DIGIT
                memory.note(answer, answer.digit if sure else DOUBTED, said=False)
            memory.note(odd, int(truth[lesson]), said=True)
            for answer, label in zip(sheet.answers[lesson + 1 :], truth[lesson + 1 :], strict=True):
                was, now = (label_of(a) == label for a in (answer, memory.answer(answer)))
                better += bool(now and not was)
                worse += bool(was and not now)
    return Spill(taught, better, worse)
