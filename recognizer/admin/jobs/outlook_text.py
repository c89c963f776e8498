"""What a training would learn from, take and bring, as text: for "Train now" and the start page."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.admin.job_text import duration
from recognizer.jobs import training_jobs, training_outlook
from recognizer.jobs.training_outlook import ENOUGH_NEW, Outlook
from recognizer.models import label_text
from recognizer.statistics import learning_curve
from recognizer.statistics.learning_curve import Point
from recognizer.text.numbers import grouped, percent

PER = 1000
"""Mistakes are given for so many drawings."""


def rows(outlook: Outlook) -> list[tuple[str, str, str]]:
    """Return each label with how many drawings have it, and how many of these are new."""
    return [
        (label_text(each.label), grouped(each.total), grouped(each.new)) for each in outlook.labels
    ]


def kind_explanations(labels: int) -> list[str]:
    """Return what each kind of training does and how long it takes, in the order of ``Kind``."""
    texts = [
        _(
            "Recommended after a review. The active model learns from the labelled drawings, and "
            "also retrains on earlier data so that it does not forget."
        ),
        _("Usually worse than the bundled model: use it to check that training works."),
        _("Trained like the bundled model."),
    ]
    estimates = training_outlook.durations(labels).values()
    return [f"{text} {_takes(estimate)}" for text, estimate in zip(texts, estimates, strict=True)]


def _takes(estimate: training_outlook.Duration) -> str:
    if not estimate.trainings:
        return _("Takes about %(time)s on two idle cores.") % {"time": duration(estimate.seconds)}
    text = ngettext(
        "Takes about %(time)s, judging by the last training.",
        "Takes about %(time)s, judging by the last %(n)d trainings.",
        estimate.trainings,
    )
    return text % {"time": duration(estimate.seconds), "n": estimate.trainings}


def proposal(outlook: Outlook) -> str:
    """Return the sentence that proposes a training; nothing if it is not worth it."""
    if not outlook.is_worthwhile:
        return ""
    figures = {"new": grouped(outlook.new), "mistakes": grouped(outlook.mistakes)}
    if outlook.last_training is None:
        text = _(
            "No training has used the labels yet: %(new)s, of which %(mistakes)s contradict the "
            "model’s answer. A training would probably help."
        )
    else:
        text = _(
            "Labels since the last training: %(new)s, of which %(mistakes)s contradict the model’s "
            "answer. Another training would probably help."
        )
    return text % figures


def proposal_now() -> str:
    """Return `proposal` for the labels there are; nothing while a training waits or runs."""
    # Few labels need no count of all labels, which takes long.
    enough = training_outlook.new_labels(ENOUGH_NEW)[0] >= ENOUGH_NEW
    if not enough or training_jobs.unfinished():
        return ""
    return proposal(training_outlook.outlook())


def gain(outlook: Outlook) -> list[str]:
    """Return what is known about the gain of a fine-tuning, in sentences."""
    if not outlook.total:
        return []
    sentences = []
    if outlook.new:
        text = ngettext(
            "The model’s answer to %(mistakes)s of the %(new)s new drawing was wrong.",
            "The model’s answer to %(mistakes)s of the %(new)s new drawings was wrong.",
            outlook.new,
        )
        figures = {"mistakes": grouped(outlook.mistakes), "new": grouped(outlook.new)}
        sentences.append(text % figures)
    found = learning_curve.points()
    usual = learning_curve.usual_gain(found)
    if usual is not None:
        text = _("Past trainings removed %(share)s of the mistakes on held-out labelled drawings.")
        sentences.append(text % {"share": percent(max(0.0, usual))})
    sentences.append(_by_curve(found, outlook))
    return sentences


def _by_curve(found: Sequence[Point], outlook: Outlook) -> str:
    law = learning_curve.fit(found)
    if law is None:
        return ngettext(
            "The learning curve has %(n)d point: too few to say what more labels bring.",
            "The learning curve has %(n)d points: too few to say what more labels bring.",
            len(found),
        ) % {"n": len(found)}
    if law.may_be_chance:
        return _("The learning curve shows no gain from more labels that could not be chance.")
    last = next((each for each in reversed(found) if each.is_active), found[-1])
    learned = round(outlook.total * last.labels / (last.labels + last.right.n))
    if learned <= last.labels:
        return _("The last version has learned as many labels as there are now.")
    after = law.mistakes(learned)
    return _(
        "By the learning curve, about %(after)s of %(per)s held-out drawings would be "
        "misclassified after it (95 %% interval: %(low)s to %(high)s); with the labels learned so "
        "far, about %(now)s."
    ) % {
        "after": mistakes(after.value),
        "low": mistakes(after.low),
        "high": mistakes(after.high),
        "now": mistakes(law.mistakes(last.labels).value),
        "per": grouped(PER),
    }


def mistakes(share: float) -> str:
    """Return a share of mistakes as a number of `PER` drawings."""
    number = PER * share
    return grouped(number) if number >= 10 else number_format(round(number, 1), 1)
