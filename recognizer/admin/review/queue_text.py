"""The texts of the review queue: drawings, orders, errors."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer import imaging
from recognizer.admin import images
from recognizer.labelling.queue_orders import Order
from recognizer.models import Label, Prediction, ReviewNote, SuspectLabel, Verdict
from recognizer.text import answers as answer_text
from recognizer.text.times import moment

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# How many of the most likely digits the page shows.
BEST = 3

EXPLANATIONS: dict[Order, StrOrPromise] = {
    Order.DISAGREEMENT: gettext_lazy(
        "Drawings whose visitor disagrees with the prediction, newest first; then the least "
        "certain ones."
    ),
    Order.LEAST_SURE: gettext_lazy(
        "Drawings whose two most likely digits are closest (margin sampling, Settles 2009): labels "
        "here improve the next model most."
    ),
    Order.NEWEST: gettext_lazy("The latest drawings: what visitors are doing now."),
    Order.AUDIT: gettext_lazy(
        "Only random drawings: each label makes the measured accuracy more certain."
    ),
    Order.SUSPECT: gettext_lazy(
        "Labels that similar drawings and the network contradict (confident learning, Northcutt "
        "2021), the worst first: keep or change each."
    ),
    Order.OPINIONS: gettext_lazy(
        "Drawings that two reviewers labelled differently. You don't see their labels: the one "
        "that two give stands."
    ),
    Order.FLAGGED: gettext_lazy(
        "Drawings that a reviewer flagged, the first ones first. A label here takes the flag away."
    ),
}


def drawing(
    prediction: Prediction, suspect: SuspectLabel | None, note: ReviewNote | None, order: Order
) -> dict[str, Any]:
    """Return what the page shows of one drawing as JSON values.

    The label is only shown of a suspect and of a flagged one; of others it is in `label_state`.
    """
    answered = prediction.answered_label
    suggested = prediction.number_suggestion or prediction.suggestion
    known = None if suspect is None else suspicion(suspect)
    if order is Order.FLAGGED and prediction.label is not None:
        text = _("It is labelled “%(label)s”.") % {"label": Label(prediction.label).label}
        known = {"value": prediction.label, "text": text}
    return {
        "id": str(prediction.pk),
        "is_audit": prediction.audit_key is not None,
        "drawing": _picture(images.drawing, prediction),
        "seen": _picture(images.model_input, prediction),
        "digit": prediction.digit,
        "percent": answer_text.confidence_percent(prediction.confidence),
        "verdict": prediction.verdict,
        "verdict_text": "" if prediction.number else Verdict(prediction.verdict).label,
        "answered": prediction.given_number or answered.value,
        "answered_text": prediction.given_number or answered.label,
        "best": best(prediction),
        "suggestion": suggestion(prediction),
        "suggested": suggested,
        "disagrees": suggested not in (None, prediction.given_number or answered.value),
        "personal": personal(prediction),
        "known": known,
        "note": "" if note is None else note.text,
        "is_flagged": note is not None and note.is_flagged,
        "said": said(note),
        "model": prediction.model_version.name,
        "drawn": moment(prediction.created_at),
        "created_at": prediction.created_at.isoformat(),
        "url": reverse("admin:recognizer_prediction_change", args=[prediction.pk]),
    }


def best(prediction: Prediction) -> list[dict[str, Any]]:
    """Return the three most likely digits, the most likely first."""
    bars = answer_text.bars(prediction)
    ranked = sorted(bars, key=lambda bar: -prediction.probabilities[bar.digit])[:BEST]
    return [{"digit": bar.digit, "width": bar.width, "percent": bar.percent} for bar in ranked]


def suggestion(prediction: Prediction) -> str:
    """Return the visitor's suggestion as a sentence; "" if there is none."""
    if prediction.number_suggestion:
        return prediction.number_suggestion
    if prediction.suggestion is None:
        return ""
    return str(Label(prediction.suggestion).label)


def personal(prediction: Prediction) -> str:
    """Return the visitor's personal answer as a sentence; "" if there is none."""
    if prediction.personal_digit is None or prediction.personal_confidence is None:
        return ""
    if prediction.personal_verdict == Verdict.NOT_A_DIGIT:
        return str(Label.NOT_A_DIGIT.label)
    percent = answer_text.confidence_percent(prediction.personal_confidence)
    return f"{prediction.personal_digit} ({percent})"


def label_state(prediction: Prediction, reviewer: User) -> dict[str, Any]:
    if prediction.label is None:
        return {"value": None, "text": _("Someone has cleared this label in the meantime.")}
    label = str(Label(prediction.label).label)
    if prediction.labelled_by_id == reviewer.pk:
        text = _("You have already labelled this “%(label)s”.")
    elif prediction.audit_key is not None:
        # A drawing of the audit sample may have been labelled long before this reviewer saw it.
        text = _("%(who)s has already labelled this “%(label)s”.")
    else:
        text = _("%(who)s has labelled this “%(label)s” in the meantime.")
    who = prediction.labelled_by or _("Someone")
    return {"value": prediction.label, "text": text % {"who": who, "label": label}}


def suspicion(suspect: SuspectLabel) -> dict[str, Any]:
    values = {
        "who": suspect.labelled_by or _("Someone"),
        "label": Label(suspect.label).label,
        "likely": Label(suspect.likely).label,
    }
    text = _("%(who)s labelled this “%(label)s”. It looks like “%(likely)s”.")
    return {"value": suspect.label, "text": text % values}


def said(note: ReviewNote | None) -> str:
    """Return who has set a note or a flag, and when; "" if there is none."""
    if note is None:
        return ""
    values = {"who": note.by or _("deleted account"), "when": moment(note.at)}
    return _("%(who)s, %(when)s") % values


def orders() -> list[dict[str, Any]]:
    return [
        {"value": order.value, "name": order.label, "explanation": EXPLANATIONS[order]}
        for order in Order
    ]


def _picture(render: Callable[[Prediction], bytes], prediction: Prediction) -> str | None:
    """Return an image as a data URL, which saves a request; None if the drawing is damaged."""
    try:
        return "data:image/png;base64," + base64.b64encode(render(prediction)).decode()
    except imaging.ImageError:
        return None


def page_texts() -> dict[str, Any]:
    """Return the texts of the page's JavaScript, for `json_script`."""
    return {
        "labels": [str(label.label) for label in Label],
        "progress": _("{done} of {total}"),
        "progress_more": _("{done} of more than {total}"),
        "pace": _("{pace} a minute"),
        "read": {
            Verdict.DIGIT.value: _("Predicted {digit}"),
            Verdict.UNCERTAIN.value: _("Perhaps {digit}"),
            Verdict.NOT_A_DIGIT.value: _("Rejected; closest to {digit}"),
        },
        "confirm": _("Confirm: {label}"),
        "announcement": _("{read}, {percent}."),
        "announcement_audit": _("{read}, {percent}. Random check."),
        "alt": _("The drawing, predicted as {answer}"),
        "damaged": _("This drawing is damaged and can't be shown. Skip it."),
        "keep": _("Keep {label}"),
        "overrule": _("Overrule: {label}"),
        "again": _("Label it {label} again"),
        "not_saved": _("Not saved."),
        "kept": _("{reason} Your labels are kept and sent as soon as it answers."),
        "unsent": _("not saved yet: {count}"),
        "nothing_said": _("The visitor has not said what it is."),
        "flag": _("Flag"),
        "flagged": _("Flagged"),
        "comes_back": _("{reason} You'll see it next."),
        "not_undone": _("It is still labelled {label}."),
        "nothing_to_undo": _("Nothing to undo."),
        "nothing_new": _("No new drawings yet."),
        "lost": _("That drawing is now reserved for another reviewer. This is the next one."),
        "skipped": _("skipped"),
        "saving": _("saving…"),
        "summary": _("You have labelled {done}. Thank you!"),
        "with_others": _("Reserved for other reviewers or your other tabs: {count}."),
        "still_skipped": _("Skipped by you: {count}. They come back within an hour."),
        "error": {
            "network": _("The site can't be reached."),
            "timeout": _("The site took too long to answer."),
            "login": _("You need to log in again."),
            "server": _("Something went wrong on the site."),
            "refused": _("The request was rejected. Reload the page."),
        },
    }
