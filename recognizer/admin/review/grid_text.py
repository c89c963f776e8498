"""The texts of the grid, for its template and its JavaScript."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.labelling import grid as review_grid
from recognizer.models import Label, Prediction
from recognizer.text import numbers

# The prefix of a drawing's form field, before its id, and the value for "undecided".
FIELD = "label-"
LEAVE = "leave"
# From this confidence on none is shown on the image: nearly all drawings have it.
SURE = 0.995


def answer_text(answer: Label) -> str:
    if answer is Label.NOT_A_DIGIT:
        return _("predicted as not a digit")
    return _("predicted as %(digit)s") % {"digit": answer.label}


def count(waiting: int) -> str:
    """How many drawings wait, counted up to a limit."""
    return f"{waiting}+" if waiting >= review_grid.COUNT_LIMIT else str(waiting)


def tally(confirmed: int, corrected: int, left_open: int = 0) -> str:
    parts = []
    if confirmed:
        parts.append(_("%(n)d confirmed") % {"n": confirmed})
    if corrected:
        parts.append(_("%(n)d corrected") % {"n": corrected})
    if left_open:
        parts.append(_("%(n)d undecided") % {"n": left_open})
    return _("%(what)s.") % {"what": ", ".join(parts) or _("No label was changed")}


def saved(result: review_grid.Saved) -> str:
    text = tally(result.confirmed, result.corrected, result.left_open)
    if not result.conflicts:
        return text
    n = len(result.conflicts)
    others = ngettext(
        "%(n)d was already labelled by another reviewer and was not changed.",
        "%(n)d were already labelled by another reviewer and were not changed.",
        n,
    )
    return f"{text} {others % {'n': n}}"


def undone(back: int, kept: int) -> str:
    text = ngettext("%(n)d label undone.", "%(n)d labels undone.", back) % {"n": back}
    if not kept:
        return text
    left = ngettext(
        "%(n)d had been changed since and was kept.",
        "%(n)d had been changed since and were kept.",
        kept,
    )
    return f"{text} {left % {'n': kept}}"


def cells(page: review_grid.Page, answer: Label) -> list[dict[str, Any]]:
    # Rendered once per selected option: sixty times twelve options are slow in a template.
    options = {
        chosen: _options(answer, chosen)
        for chosen in {answer, *(Label(label) for label in page.chosen.values())}
    }
    return [
        {
            **_cell(number, drawing, answer),
            "options": options[Label(page.chosen.get(drawing.pk, answer))],
        }
        for number, drawing in enumerate(page.drawings, start=1)
    ]


def _cell(number: int, drawing: Prediction, answer: Label) -> dict[str, Any]:
    if answer is Label.NOT_A_DIGIT:
        name = _("Drawing %(n)d, predicted as not a digit, closest to %(digit)d")
        caption = f"{drawing.digit}?"
    else:
        name = _("Drawing %(n)d, predicted as %(digit)d, %(sure)s")
        caption = (
            ""
            if drawing.confidence >= SURE
            else _("%(n)d %%") % {"n": round(100 * drawing.confidence)}
        )
    return {
        "pk": drawing.pk,
        "field": f"{FIELD}{drawing.pk}",
        "image": thumbnail(drawing),
        "caption": caption,
        "name": name
        % {
            "n": number,
            "digit": drawing.digit,
            "sure": numbers.short_percent(drawing.confidence),
        },
    }


def _options(answer: Label, chosen: Label) -> SafeString:
    """The options for a drawing, "correct" first."""
    choices = [
        (str(answer.value), _("%(answer)s, correct") % {"answer": answer.label}),
        (LEAVE, _("undecided")),
        *((str(each.value), each.label) for each in Label if each is not answer),
    ]
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (value, mark_safe(" selected") if value == str(chosen.value) else "", text)
            for value, text in choices
        ),
    )


def thumbnail(drawing: Prediction) -> str:
    return reverse("admin:recognizer_prediction_thumbnail", args=[drawing.pk])


def page_texts(answer: Label) -> dict[str, Any]:
    """The texts of the page's JavaScript, for `json_script`."""
    return {
        "right": str(answer.value),
        "leave": LEAVE,
        "labels": {str(each.value): str(each.label) for each in Label},
        "badges": {LEAVE: "?", str(Label.NOT_A_DIGIT.value): "✗"},
        "save": {
            "confirm": _("Confirm {n}"),
            "correct": _("correct {n}"),
            "leave": _("leave {n} undecided"),
        },
        "marked": _("{name}, selected as wrong"),
        "corrected": _("{name}, corrected to {label}"),
        "which": {
            "none": _("Select the wrong ones"),
            "marked": _("{n} selected: correct to"),
        },
        "busy": _("Saving…"),
        "unreachable": _("The site can't be reached. Your selection is still here: try again."),
        "refused": _(
            "The page could not be saved. Your selection is still here. Log in again in another "
            "tab, or reload the page."
        ),
    }
