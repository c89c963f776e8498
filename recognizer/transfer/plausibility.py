"""Whether the labels of an import belong to its drawings: they are compared with predictions.

The rule. A label *agrees* if it is the predicted digit. Counted are the labels 0-9 that the file
brings. Not counted are labels that an export of this site has in its records: a reviewer gave them
and knew the prediction, so an export of mistakes alone can be imported again.

The import stops if

- fewer than half of the labels agree, and so few would agree by chance in less than `RARE` of the
  imports of this size, if each label agreed with a chance of `USUAL`. So it takes three drawings
  that all contradict the model, 3 of 4, or 4 of 5; from about 20 on half of them decide. Or
- less than `USUAL` agree, and far more would agree with the images transposed, or with the values
  of another column (sign test on the drawings where the two differ, p < `CLEAR`). Or
- nearly all drawings labelled 10 ("not a digit") are predicted as one same digit: 10 means that.

`Kind` lists what it may look like, in the order in which the explanations are tried: each needs its
own evidence, the last one none. "As is" imports anyway.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from recognizer.imaging import Pixels
from recognizer.inference.classifier import Answer, Verdict
from recognizer.transfer.formats import LABEL_NAMES, NOT_A_DIGIT, Item

if TYPE_CHECKING:
    from recognizer.models import Prediction

USUAL = 0.8
RARE = 0.03
CLEAR = 0.001
SAMPLE = 200
"""Drawings that are predicted transposed too: those with the lowest hashes, so a random sample."""
FEWEST = 5
"""Drawings with a label, at least, from which something is said about this label alone."""
CONFIDENT = 0.95
"""A label that contradicts a prediction of at least this confidence is suspect."""
SUSPECTS = 20
_EXAMPLES = 3


class Kind(str, Enum):
    """What labels that contradict the model look like."""

    COLUMN = "column"
    TRANSPOSED = "transposed"
    LETTERS = "letters"
    ONE_LABEL = "one label"
    RENUMBERED = "renumbered"
    FOLDERS = "folders"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """Why an import stops, in sentences; ``column`` is the one whose values agree."""

    kind: Kind
    text: str
    examples: Sequence[str]
    column: str = ""


@dataclass(frozen=True)
class Suspect:
    """A label that contradicts a confident prediction."""

    name: str
    text: str


@dataclass
class _Compared:
    """How often labels agree, and another way to read the same drawings."""

    n: int = 0
    agree: int = 0
    other: int = 0
    gain: int = 0
    loss: int = 0

    def add(self, agrees: bool, other: bool) -> None:
        self.n += 1
        self.agree += agrees
        self.other += other
        self.gain += other and not agrees
        self.loss += agrees and not other

    def is_better(self, *, contradicts: bool) -> bool:
        """Whether the other way is right; less evidence is needed if this way is wrong."""
        if not self.n or self.other < 0.5 * self.n or self.gain <= self.loss:
            return False
        if contradicts:
            return self.other >= 1.5 * self.agree
        unsure = self.gain + self.loss
        return self.agree < USUAL * self.n and at_most(self.loss, unsure, 0.5) < CLEAR


@dataclass
class LabelCheck:
    """Compares the labels of an import with the predictions, one drawing after the other."""

    format: str
    compared: int = 0
    agreeing: int = 0
    suspects: int = 0
    listed: list[Suspect] = field(default_factory=list)
    _pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    _columns: dict[str, _Compared] = field(default_factory=dict)
    _sample: list[tuple[int, int, bool, Pixels]] = field(default_factory=list)
    _examples: list[str] = field(default_factory=list)
    _largest_label: int = 0

    def add(
        self,
        item: Item,
        answer: Prediction | Answer,
        model_input: Pixels | None = None,
        pixels_sha256: str = "",
    ) -> None:
        """Compare the label of a drawing with its prediction, new or stored."""
        if item.label is None or (item.record is not None and item.record.label == item.label):
            return
        is_digit = answer.verdict != Verdict.NOT_A_DIGIT
        self._pairs[item.label, answer.digit if is_digit else NOT_A_DIGIT] += 1
        if item.label == NOT_A_DIGIT:
            return
        agrees = answer.digit == item.label
        self.compared += 1
        self.agreeing += agrees
        for name, other in item.others.items():
            self._columns.setdefault(name, _Compared()).add(agrees, other == answer.digit)
        if not agrees:
            self._note(item, answer)
        if model_input is None:
            return
        entry = (-int(pixels_sha256, 16), item.label, agrees, model_input)
        if len(self._sample) < SAMPLE:
            heapq.heappush(self._sample, entry)
        elif entry[0] > self._sample[0][0]:
            heapq.heapreplace(self._sample, entry)

    def reject(self, label: int | None) -> None:
        """Take note of a number that is no label."""
        self._largest_label = max(self._largest_label, label or 0)

    def _note(self, item: Item, answer: Prediction | Answer) -> None:
        text = _("labelled %(label)s, predicted as %(digit)s (%(confidence)s)") % {
            "label": LABEL_NAMES[item.label or 0],
            "digit": answer.digit,
            "confidence": f"{answer.confidence:.1%}",
        }
        if len(self._examples) < _EXAMPLES:
            self._examples.append(f"{item.name}: {text}")
        if answer.confidence >= CONFIDENT and answer.verdict == Verdict.DIGIT:
            self.suspects += 1
            if len(self.listed) < SUSPECTS:
                self.listed.append(Suspect(item.name, text))

    @property
    def has_letters(self) -> bool:
        """Whether numbers were rejected that stand for letters, as in EMNIST."""
        return self._largest_label > NOT_A_DIGIT

    def finding(self, classify: Callable[[Pixels], Answer]) -> Finding | None:
        """Return why the import must stop, None if nothing speaks against it."""
        n, agree = self.compared, self.agreeing
        contradicts = 2 * agree < n and at_most(agree, n, USUAL) < RARE
        for name, column in sorted(self._columns.items(), key=lambda each: -each[1].other):
            if column.is_better(contradicts=contradicts):
                return self._found(Kind.COLUMN, column, name)
        if contradicts or agree < USUAL * n:
            transposed = _Compared()
            for _hash, label, agrees, model_input in self._sample:
                transposed.add(agrees, classify(model_input.T.copy()).digit == label)
            if transposed.is_better(contradicts=contradicts):
                return self._found(Kind.TRANSPOSED, transposed)
        if contradicts:
            return self._found(self._kind())
        return self._ten_is_a_digit()

    def _kind(self) -> Kind:
        labels = {label for label, _digit in self._pairs}
        if self.has_letters or (NOT_A_DIGIT in labels and 0 not in labels and len(labels) > 2):
            return Kind.LETTERS
        if len(labels) == 1:
            return Kind.ONE_LABEL
        if self._renumbered():
            return Kind.RENUMBERED
        return Kind.FOLDERS if self.format == "png" else Kind.UNKNOWN

    def _renumbered(self) -> dict[int, int]:
        """Return the digit that most drawings of a label show, if each label has its own."""
        found: dict[int, int] = {}
        for label in {label for label, _digit in self._pairs if label != NOT_A_DIGIT}:
            digits = Counter({d: n for (of, d), n in self._pairs.items() if of == label})
            digit, most = digits.most_common(1)[0]
            if digits.total() < FEWEST or most < USUAL * digits.total():
                return {}
            found[label] = digit
        return found if len({*found.values()}) == len(found) > 1 else {}

    def _ten_is_a_digit(self) -> Finding | None:
        digits = Counter({d: n for (of, d), n in self._pairs.items() if of == NOT_A_DIGIT})
        if digits.total() < FEWEST:
            return None
        digit, most = digits.most_common(1)[0]
        if digit == NOT_A_DIGIT or most < USUAL * digits.total():
            return None
        text = _(
            "%(most)s of the %(n)s drawings labelled 10 (not a digit) are predicted as "
            "%(digit)s. In some files 10 stands for 0."
        )
        values = {"most": most, "n": digits.total(), "digit": digit}
        return Finding(Kind.RENUMBERED, text % values, ())

    def labels_in_doubt(self) -> list[str]:
        """Return a sentence for each label that most of its drawings contradict."""
        texts = []
        for label in range(NOT_A_DIGIT):
            digits = Counter({d: n for (of, d), n in self._pairs.items() if of == label})
            n = digits.total()
            if n >= FEWEST and 2 * digits[label] < n and at_most(digits[label], n, USUAL) < RARE:
                digit, most = digits.most_common(1)[0]
                texts.append(
                    _(
                        "%(most)s of the %(n)s drawings labelled %(label)s are predicted as "
                        "%(digit)s"
                    )
                    % {
                        "most": most,
                        "n": n,
                        "label": label,
                        "digit": _("not a digit") if digit == NOT_A_DIGIT else digit,
                    }
                )
        return texts

    def _found(self, kind: Kind, other: _Compared | None = None, column: str = "") -> Finding:
        few = _("Only %(agree)s of %(n)s labels agree with the model's predictions.") % {
            "agree": self.agreeing,
            "n": self.compared,
        }
        values = {
            "column": column,
            "other": other.other if other else 0,
            "tried": other.n if other else 0,
            "n": self.compared,
            "label": min((label for label, _digit in self._pairs), default=0),
            "digits": ", ".join(map(str, sorted({d for _label, d in self._pairs} - {NOT_A_DIGIT}))),
            "pairs": ", ".join(f"{a} → {b}" for a, b in sorted(self._renumbered().items())),
        }
        return Finding(
            kind=kind,
            text=f"{few} {_texts()[kind] % values}",
            examples=tuple(self._examples),
            column=column,
        )


def at_most(k: int, n: int, p: float) -> float:
    """Return the chance of at most ``k`` of ``n``, each with the chance ``p`` (binomial).

    For many it is that of a normal distribution, with a correction for continuity.
    """
    if n > 500:
        deviation = math.sqrt(n * p * (1 - p))
        return 0.5 * math.erfc((n * p - k - 0.5) / (deviation * math.sqrt(2)))
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


def _texts() -> dict[Kind, str]:
    return {
        Kind.COLUMN: _(
            "The labels look like those of the column “%(column)s”: %(other)s of %(tried)s of its "
            "values agree."
        ),
        Kind.TRANSPOSED: _(
            "The images look transposed, as those of EMNIST are: with rows and columns swapped "
            "%(other)s of %(tried)s labels agree."
        ),
        Kind.LETTERS: _(
            "The labels look like letters numbered from 1 (A) to 26 (Z), as those of EMNIST are."
        ),
        Kind.ONE_LABEL: _(
            "All %(n)s drawings are labelled %(label)s, but predicted as %(digits)s: %(label)s may "
            "be the number of a project, a person or a column of pixels, not a label."
        ),
        Kind.RENUMBERED: _(
            "The labels look renumbered. They stand for these predictions: %(pairs)s."
        ),
        Kind.FOLDERS: _(
            "The folders' numbers look like those of people or projects, not like labels."
        ),
        Kind.UNKNOWN: _(
            "The labels may belong to other drawings, for example because the rows are in another "
            "order, or stand in another column."
        ),
    }
