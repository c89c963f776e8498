"""Whether an answer is correct: one rule, as a function of values and as a condition of a query.

An answer is correct if the label is what the person was told: the digit, or "not a digit" where the
drawing was rejected. A digit that was rejected is misclassified, whatever digit it was closest to.
The quality gate applies the same rule to reviewed drawings:
`training.evaluation.metrics.Outcome.answered`.

In queries ``prefix`` comes before ``digit`` and ``verdict``: ``personal_`` for the personal answer,
or the prefix of the annotations that hold another version's.
"""

from __future__ import annotations

from django.db.models import Case, F, PositiveSmallIntegerField, Q, When

from recognizer.models.answers import Label, Verdict


def is_correct(*, label: int, digit: int, verdict: str) -> bool:
    return label == answer_label(digit, verdict)


def correct(prefix: str = "", *, label: str = "label") -> Q:
    """The condition that an answer is correct; ``label`` names the label's column.

    It is false without a label.
    """
    is_digit = Q(**{label: F(f"{prefix}digit")}) & ~rejected(prefix)
    return is_digit | Q(**{label: Label.NOT_A_DIGIT}) & rejected(prefix)


def misclassified(prefix: str = "") -> Q:
    """The condition that there is a label and the answer is wrong."""
    return Q(label__isnull=False) & ~correct(prefix)


def answer_label(digit: int, verdict: str) -> Label:
    """An answer as a label: its digit, or "not a digit" where it rejects the drawing."""
    return Label.NOT_A_DIGIT if verdict == Verdict.NOT_A_DIGIT else Label(digit)


def answer_label_column(prefix: str = "") -> Case:
    """`answer_label` in a query."""
    return Case(
        When(rejected(prefix), then=Label.NOT_A_DIGIT.value),
        default=F(f"{prefix}digit"),
        output_field=PositiveSmallIntegerField(),
    )


def predicted_as(label: Label, prefix: str = "") -> Q:
    """The condition that `answer_label` is this label."""
    if label is Label.NOT_A_DIGIT:
        return rejected(prefix)
    return Q(**{f"{prefix}digit": label.value}) & ~rejected(prefix)


def rejected(prefix: str = "") -> Q:
    return Q(**{f"{prefix}verdict": Verdict.NOT_A_DIGIT})
