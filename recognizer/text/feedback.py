"""What the page says about what a visitor says: "Right" or "No, it was", and what is remembered.

`static/recognizer/draw/feedback/feedback.js`, `personal.js` and `memory.js` fill the same sentences
in the browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
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
class PersonalInWords:
    """Why the visitor's own corrections decided an answer, and the two drawings that are alike."""

    title: str
    why: str
    note: str
    image_url: str
    remembered_image_url: str | None


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
    return no_digit() if label == Label.NOT_A_DIGIT else digits_with_article()[label]


def no_digit() -> str:
    """Return "not a digit" as it stands in a sentence in place of a digit."""
    return _("no digit")


# Right, or no ---------------------------------------------------------------------------------


def rights() -> dict[str, str]:
    """Return the word of agreement: to a digit, and to a refusal, which names a digit too."""
    return {"shown": _("Right"), "refused": _("Right, no digit")}


def feedback_texts() -> dict[str, Any]:
    """Return the sentences around the buttons; `{a_label}` stands for "an 8" or "no digit"."""
    return {
        "no_digit": no_digit(),
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
        "thanks": _("Thank you."),
        "said": _("You said it is {a_label}."),
        "after": {
            "on": _(
                "It is remembered for you at once; a reviewer looks before the model learns "
                "from it."
            ),
            "off": _(
                "Your memory is off: nothing is remembered. A reviewer looks before the model "
                "learns from it."
            ),
        },
        "taken_back": _("Taken back."),
        "kept": _("What you said is still here."),
        "not_sent": _("not sent yet"),
        "read_as": _("The site read {a_label}."),
    }


def entry_words() -> dict[str, str]:
    """Return what an entry of the history says of the visitor's own word."""
    return {
        "right": _("You: right"),
        "digit": _("You: {digit}"),
        "not_a_digit": _("You: no digit"),
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
    outcome = str(texts["before"][switch])
    if suggestion is not None:
        outcome = texts["said"].format(a_label=in_sentence(suggestion))
        if just_said:
            outcome = f"{texts['thanks']} {outcome} {texts['after'][switch]}"
    elif just_said:
        outcome = texts["taken_back"]
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


def suggestion_note(prediction: Prediction) -> str:
    """Return what an entry of the history says of the visitor's own word; "" without one."""
    if prediction.suggestion is None:
        return ""
    words = entry_words()
    if prediction.suggestion == prediction.given_label:
        return words["right"]
    if prediction.suggestion == Label.NOT_A_DIGIT:
        return words["not_a_digit"]
    return words["digit"].format(digit=prediction.suggestion)


# The visitor's own memory -----------------------------------------------------------------------


def personal_texts() -> dict[str, str]:
    """Return what is said of an answer that the visitor's own corrections decided."""
    return {
        "title": _("Learned from you."),
        "why": _("It looks like a drawing that you said is {a_label}."),
        "alone": _("The model alone read {a_label}."),
        "note": _("taught by you"),
    }


def personal_in_words(prediction: Prediction) -> PersonalInWords | None:
    """Return what decided an answer; None where the network alone did."""
    if not prediction.is_personal:
        return None
    texts = personal_texts()
    given, alone = prediction.given_label, prediction.answered_label
    why = texts["why"].format(a_label=in_sentence(given))
    if alone != given:
        why += " " + texts["alone"].format(a_label=in_sentence(alone))
    remembered = prediction.remembered_id
    return PersonalInWords(
        title=texts["title"],
        why=why,
        note=texts["note"],
        image_url=reverse("api:prediction-image", args=[prediction.pk]),
        remembered_image_url=(
            None if remembered is None else reverse("api:prediction-image", args=[remembered])
        ),
    )


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
    """Return what `wording.page_texts` holds of this subject."""
    return {
        "feedback": feedback_texts(),
        "entry": entry_words(),
        "personal": personal_texts(),
        "memory": memory_texts(),
    }
