"""The page's texts for corrections and personal learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from recognizer.models import DIGITS, Label, Prediction


@dataclass(frozen=True)
class Choice:
    name: str
    value: str
    text: str
    is_pressed: bool
    is_answered: bool = False


@dataclass(frozen=True)
class FeedbackInWords:
    """The buttons for a prediction: the ten digits, "correct" and "not a digit"."""

    prediction_id: UUID | None
    digits: tuple[Choice, ...]
    right: Choice
    none: Choice
    is_refused: bool
    state: str
    outcome: str
    error: str

    @property
    def is_said(self) -> bool:
        return any(choice.is_pressed for choice in (*self.digits, self.right, self.none))


@dataclass(frozen=True)
class MemoryInWords:
    enabled: bool
    is_empty: bool
    state: str
    count: str
    switch: str


def digits_with_article() -> list[str]:
    """Return the ten digits as used in a sentence."""
    return [_("an 8") if digit == 8 else _("a {digit}").format(digit=digit) for digit in range(10)]


def in_sentence(label: int) -> str:
    """Return a label as used in a sentence: "an 8", or "not a digit"."""
    return _("not a digit") if label == Label.NOT_A_DIGIT else digits_with_article()[label]


# Corrections ----------------------------------------------------------------------------------


def feedback_texts() -> dict[str, Any]:
    """Return the sentences around the buttons; by "on" and "off" if personal learning matters.

    `said` has one sentence for each of the eleven labels, `said_number` is for all numbers.
    """
    return {
        "before": _("Nothing is saved until you press one of these, or Save."),
        "stored": _("Saved. Say what it was, or go on with the next digit."),
        "sending": _("Saving…"),
        "said": [_("You said: {a_label}.").format(a_label=in_sentence(label)) for label in Label],
        "said_number": _("You said: the number {number}."),
        "thanks": {
            "on": _("Thank you. {said} Used for your drawings from now on."),
            "off": _("Thank you. {said} The model learns it after a review."),
        },
        "undone": _("Your answer has been removed. The drawing is still saved."),
        "still_here": _("Your answer is still here."),
        "not_sent": _("Not sent yet"),
    }


def choose() -> str:
    return _("Choose what the drawing shows.")


def choose_memory() -> str:
    return _("Press one of the buttons.")


def feedback_in_words(
    prediction: Prediction | None,
    *,
    remembering: bool = True,
    just_said: bool = False,
    error: str = "",
) -> FeedbackInWords:
    """Return the buttons for a prediction, or for the next one.

    ``remembering``: personal learning is on; ``just_said``: one of the buttons was just pressed,
    and ``error`` is a sentence about what was wrong with that.
    """
    given = None if prediction is None else prediction.given_label
    number = None if prediction is None else prediction.given_number

    def choice(label: int, text: str) -> Choice:
        is_none = label == Label.NOT_A_DIGIT
        return Choice(
            "not_a_digit" if is_none else "digit",
            "true" if is_none else str(label),
            text,
            is_pressed=prediction is not None and label == prediction.suggestion,
            is_answered=label == given and number is None,
        )

    right = Choice("digit", "", _("Correct"), is_pressed=False)
    if prediction is not None and number is not None:
        right = Choice("number", number, right.text, prediction.number_suggestion == number)
    elif given is not None and given != Label.NOT_A_DIGIT:
        right = choice(given, right.text)
    return FeedbackInWords(
        prediction_id=None if prediction is None else prediction.pk,
        digits=tuple(choice(digit, str(digit)) for digit in range(DIGITS)),
        right=right,
        none=choice(Label.NOT_A_DIGIT, _("Not a digit")),
        is_refused=given == Label.NOT_A_DIGIT and number is None,
        state="saved" if just_said else "idle",
        outcome="" if error else _outcome(prediction, remembering, just_said),
        error=error,
    )


def _outcome(prediction: Prediction | None, remembering: bool, just_said: bool) -> str:
    if prediction is None:
        return ""
    texts = feedback_texts()
    number = prediction.number_suggestion
    if prediction.suggestion is None and not number:
        sentence: str = texts["undone" if just_said else "stored"]
        return sentence
    said: str = (
        texts["said_number"].format(number=number)
        if prediction.suggestion is None
        else texts["said"][prediction.suggestion]
    )
    # What is learned from a number are its digits, after a review.
    thanks: str = texts["thanks"]["on" if remembering and not number else "off"]
    return thanks.format(said=said) if just_said else said


def suggestion_note(suggestion: int | str | None, answer: int | str) -> str:
    """Return the history's note on the visitor's label beside the given answer; "" without one.

    A number of several digits is text.
    """
    if suggestion is None:
        return ""
    if suggestion == answer:
        return _("You: correct")
    if suggestion == Label.NOT_A_DIGIT:
        return _("You: not a digit")
    return _("You: {digit}").format(digit=suggestion)


# Personal learning -----------------------------------------------------------------------------


def personal_title() -> str:
    return _("From your corrections.")


def personal_note() -> str:
    return _("from your corrections")


def why(label: int, network_label: int) -> str:
    """Return why an answer is personal, and the network's answer if it is different."""
    reason = _("Your answer for a similar drawing: {a_label}.").format(a_label=in_sentence(label))
    if network_label == label:
        return reason
    alone = _("Without your corrections: {a_label}.").format(a_label=in_sentence(network_label))
    return f"{reason} {alone}"


def memory_texts() -> dict[str, Any]:
    return {
        "state": {
            "on": _("Your corrections change how similar drawings of yours are recognised."),
            "off": _(
                "Personal learning is off: your corrections don't change how your drawings are "
                "recognised."
            ),
        },
        "switch": {"on": _("Turn off personal learning"), "off": _("Turn on personal learning")},
        "count": _("Drawings learned from: {count}"),
        "reset": _("Personal learning has been reset."),
    }


def memory_in_words(*, enabled: bool, count: int) -> MemoryInWords:
    texts, now = memory_texts(), "on" if enabled else "off"
    return MemoryInWords(
        enabled=enabled,
        is_empty=count == 0,
        state=texts["state"][now],
        count=texts["count"].format(count=count),
        switch=texts["switch"][now],
    )


def page_texts() -> dict[str, Any]:
    return {"feedback": feedback_texts(), "memory": memory_texts()}
