"""What the page says about what a visitor says: "Right" or "No, it was", and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from recognizer.models import DIGITS, Label, Prediction


@dataclass(frozen=True)
class Choice:
    """A button that says what a drawing was: the field that it sends, and its text."""

    name: str
    value: str
    text: str
    is_pressed: bool


@dataclass(frozen=True)
class FeedbackInWords:
    """The buttons below an answer, and what has become of the one that was pressed."""

    prediction_id: UUID | None
    right: Choice
    choices: tuple[Choice, ...]
    state: str
    outcome: str
    error: str

    @property
    def is_said(self) -> bool:
        """Whether something was said that can be taken back."""
        return any(choice.is_pressed for choice in self.choices)


@dataclass(frozen=True)
class MemoryInWords:
    """What is remembered for a visitor, and what the switch does next."""

    enabled: bool
    is_empty: bool
    state: str
    count: str
    switch: str


def digits_with_article() -> list[str]:
    """Return the ten digits as they stand in a sentence."""
    return [_("an 8") if digit == 8 else _("a {digit}").format(digit=digit) for digit in range(10)]


def in_sentence(label: int) -> str:
    """Return a label as it stands in a sentence: "an 8", or "no digit"."""
    return _("no digit") if label == Label.NOT_A_DIGIT else digits_with_article()[label]


# Right, or no ---------------------------------------------------------------------------------


def rights() -> dict[str, str]:
    """Return the word of agreement: to a digit, and to a refusal, which names a digit too."""
    return {"shown": _("Right"), "refused": _("Right, no digit")}


def feedback_texts() -> dict[str, Any]:
    """Return the sentences around the buttons; by "on" and "off" where personal learning matters.

    `said` has one sentence for each of the eleven labels.
    """
    return {
        "right": rights(),
        "question": _("Is that right?"),
        "question_before": _("Was the earlier answer right?"),
        "wait": _("After the answer, say what it was: the site learns from it."),
        "before": {
            "on": _(
                "What you say is remembered for you at once; a reviewer looks before the model "
                "learns from it."
            ),
            "off": _("A reviewer looks at what you say before the model learns from it."),
        },
        "sending": _("Sending…"),
        "said": [
            _("You said it is {a_label}.").format(a_label=in_sentence(label)) for label in Label
        ],
        "thanks": {
            "on": _(
                "Thank you. {said} It is remembered for you at once; a reviewer looks before the "
                "model learns from it."
            ),
            "off": _(
                "Thank you. {said} Your memory is off: nothing is remembered. A reviewer looks "
                "before the model learns from it."
            ),
        },
        "undone": _("Taken back."),
        "kept": _("What you said is still here."),
        "not_sent": _("Not sent yet"),
    }


def choose() -> str:
    """Return what is said to who sends the form without a choice."""
    return _("Choose what the drawing shows.")


def choose_memory() -> str:
    """Return what is said to who sends the memory's form without a wish."""
    return _("Press one of the buttons.")


def _choice(label: int, text: str, suggestion: int | None) -> Choice:
    if label == Label.NOT_A_DIGIT:
        return Choice("not_a_digit", "true", text, is_pressed=label == suggestion)
    return Choice("digit", str(label), text, is_pressed=label == suggestion)


def feedback_in_words(
    prediction: Prediction | None,
    *,
    remembering: bool = True,
    just_said: bool = False,
    error: str = "",
) -> FeedbackInWords:
    """Return the buttons for a prediction, or for one that is still to come.

    Args:
        remembering: whether the visitor's memory is on.
        just_said: whether the visitor comes from pressing one of the buttons.
        error: a sentence that says what was wrong with that.
    """
    suggestion = None if prediction is None else prediction.suggestion
    given = Label.ZERO if prediction is None else prediction.given_label
    texts = feedback_texts()
    switch = "on" if remembering else "off"
    if suggestion is None:
        outcome = texts["undone"] if just_said else texts["before"][switch]
    else:
        outcome = texts["said"][suggestion]
        if just_said:
            outcome = texts["thanks"][switch].format(said=outcome)
    digits = [_choice(digit, str(digit), suggestion) for digit in range(DIGITS)]
    right = rights()["refused" if given == Label.NOT_A_DIGIT else "shown"]
    return FeedbackInWords(
        prediction_id=None if prediction is None else prediction.pk,
        right=_choice(given, right, suggestion),
        choices=(*digits, _choice(Label.NOT_A_DIGIT, _("Not a digit"), suggestion)),
        state="saved" if just_said else "idle",
        outcome="" if error else outcome,
        error=error,
    )


def suggestion_note(suggestion: int | None, answer: int) -> str:
    """Return what an entry of the history says of the visitor's own word for it; "" without one.

    Args:
        answer: the label that the visitor was given as the answer.
    """
    if suggestion is None:
        return ""
    if suggestion == answer:
        return _("You: right")
    if suggestion == Label.NOT_A_DIGIT:
        return _("You: no digit")
    return _("You: {digit}").format(digit=suggestion)


# The visitor's own memory -----------------------------------------------------------------------


def personal_title() -> str:
    return _("Learned from you.")


def personal_note() -> str:
    return _("taught by you")


def why(label: int, network_label: int) -> str:
    """Return why an answer is the visitor's own, and the network's where that is another one."""
    reason = _("It looks like a drawing that you said is {a_label}.").format(
        a_label=in_sentence(label)
    )
    if network_label == label:
        return reason
    alone = _("The model alone read {a_label}.").format(a_label=in_sentence(network_label))
    return f"{reason} {alone}"


def memory_texts() -> dict[str, Any]:
    """Return what is said of the memory; by "on" and "off" where its switch matters."""
    return {
        "state": {
            "on": _("What you say of a drawing decides how your next one like it is read."),
            "off": _("Switched off: the model alone decides, and nothing new is remembered."),
        },
        "switch": {"on": _("Switch off"), "off": _("Switch on")},
        "count": _("Drawings remembered: {count}"),
        "forgotten": _("Forgotten."),
    }


def memory_in_words(*, enabled: bool, count: int) -> MemoryInWords:
    """Return what the page says of a visitor's memory."""
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
