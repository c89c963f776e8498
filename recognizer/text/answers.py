"""The texts of an answer, shared by page, API, admin and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from recognizer.models import DIGITS, Label, Prediction, Verdict
from recognizer.text import drawing as drawing_text
from recognizer.text import feedback as feedback_text
from recognizer.text.numbers import NEARLY_ONE, percent, short_percent

# The minimum calibrated confidence (the accuracy of such answers) for each word.
SURE = 0.95
FAIRLY_SURE = 0.75
# The second most likely digit is also named if its probability is at least this.
CLOSE = 0.1


@dataclass(frozen=True)
class Bar:
    """The probability of one digit: its width, 0-100, and as text."""

    digit: int
    width: str
    percent: str
    is_best: bool


@dataclass(frozen=True)
class AnswerWords:
    """All texts of an answer, in the user's language.

    The probabilities assume that the drawing is a digit. If it is rejected, a percentage or a long
    bar would contradict the sentence, so there are none.
    """

    sentence: str
    confidence: str
    percent: str
    short_percent: str
    second: str
    bars_heading: str
    bars: tuple[str, ...]
    announcement: str
    note: str
    personal: str
    suggestion: str


@dataclass(frozen=True)
class PageAnswer:
    prediction_id: UUID
    digit: int
    verdict: str
    source: str
    words: AnswerWords
    bars: tuple[Bar, ...]
    model: str
    image_url: str
    model_input_url: str
    remembered_id: UUID | None
    remembered_image_url: str | None
    suggestion: int | None
    number: str
    suggested_number: str

    @property
    def is_refused(self) -> bool:
        return self.verdict == Verdict.NOT_A_DIGIT and not self.number

    @property
    def figure(self) -> str:
        """What is shown large: the digit or number, or a question mark if it was rejected."""
        return "?" if self.is_refused else self.number or str(self.digit)

    @property
    def shown_number(self) -> str:
        """What the visitor says the number is, or else the answer."""
        return self.suggested_number or self.number

    @property
    def file_name(self) -> str:
        if self.verdict == Verdict.NOT_A_DIGIT:
            return "drawing.png"
        return f"digit-{self.digit}.png"


def bars_heading(*, is_refused: bool = False) -> str:
    return _("No digit matches well") if is_refused else _("How likely is each digit?")


def confidence_percent(confidence: float) -> str:
    """Return a confidence (0-1) in per cent, never as 100."""
    return _("over 99.9 %") if confidence >= NEARLY_ONE else percent(confidence)


def confidence_word(verdict: str, confidence: float) -> str:
    """Return how sure an answer is: unsure if it may not be a digit, whatever the confidence."""
    if verdict != Verdict.DIGIT:
        return _("Unsure")
    if confidence < FAIRLY_SURE:
        return _("A guess")
    return _("Sure") if confidence >= SURE else _("Fairly sure")


def second_best(digit: int, probabilities: Sequence[float]) -> int:
    """Return the most likely digit other than `digit`; of equal ones the smallest."""
    others = [other for other in range(len(probabilities)) if other != digit]
    return max(others, key=lambda other: probabilities[other])


def close_second(digit: int, probabilities: Sequence[float]) -> int | None:
    """Return the second most likely digit, if it is close; else None."""
    second = second_best(digit, probabilities)
    return second if probabilities[second] >= CLOSE else None


def sentence(verdict: str, digit: int, probabilities: Sequence[float]) -> str:
    """Return the answer in a sentence that a child understands."""
    named = feedback_text.digits_with_article()
    if verdict == Verdict.NOT_A_DIGIT:
        return _("That doesn't look like a single digit.")
    if verdict == Verdict.DIGIT:
        return _("That looks like {a_digit}.").format(a_digit=named[digit])
    second = close_second(digit, probabilities)
    if second is None:
        return _("Maybe {a_digit}.").format(a_digit=named[digit])
    return _("Maybe {a_digit}. It could also be {a_second}.").format(
        a_digit=named[digit], a_second=named[second]
    )


def number_sentence(number: str) -> str:
    return _("That looks like the number {number}.").format(number=number)


def second_guess(verdict: str, digit: int, probabilities: Sequence[float]) -> str:
    """Return the second guess of an answer that is a digit, if it is close; else ""."""
    second = close_second(digit, probabilities)
    if verdict != Verdict.DIGIT or second is None:
        return ""
    return _("Second guess: {a_second}, {percent}.").format(
        a_second=feedback_text.digits_with_article()[second],
        percent=short_percent(probabilities[second]),
    )


def note(verdict: str, *, is_personal: bool) -> str:
    """Return the remark beside an answer in the history; "" for a plain digit."""
    if verdict == Verdict.UNCERTAIN:
        return _("unsure")
    if verdict == Verdict.NOT_A_DIGIT:
        return _("not a digit")
    return feedback_text.personal_note() if is_personal else ""


def bars(prediction: Prediction) -> tuple[Bar, ...]:
    """Return the bars of the network's ten digits, whatever the verdict."""
    return _bars(prediction.digit, prediction.probabilities)


def _bars(best: int, probabilities: Sequence[float]) -> tuple[Bar, ...]:
    return tuple(
        Bar(
            digit=digit,
            width=f"{100 * share:.2f}",
            percent=short_percent(share),
            is_best=digit == best,
        )
        for digit, share in enumerate(probabilities)
    )


def no_bars() -> tuple[Bar, ...]:
    """Return ten empty bars."""
    return tuple(Bar(digit, width="0", percent="", is_best=False) for digit in range(DIGITS))


def answer_words(
    *,
    digit: int,
    confidence: float,
    probabilities: Sequence[float],
    verdict: str,
    network_label: int | None = None,
    suggestion: int | str | None = None,
    number: str = "",
    number_confidence: float | None = None,
) -> AnswerWords:
    """Return the texts of an answer.

    ``network_label`` is the network's own answer, if the visitor's corrections decided this one.
    ``number`` is what several digits give, if the drawing is not one digit, and how sure that is
    replaces how sure the digit is.
    """
    is_refused, is_personal = verdict == Verdict.NOT_A_DIGIT, network_label is not None
    label = Label.NOT_A_DIGIT.value if is_refused else digit
    has_bars = not is_refused
    if number_confidence is not None:
        verdict, confidence, is_refused = Verdict.DIGIT, number_confidence, False
    said = number_sentence(number) if number else sentence(verdict, digit, probabilities)
    word, percent = confidence_word(verdict, confidence), confidence_percent(confidence)
    announced = said
    if not is_refused:
        announced = _("{sentence} {word}, {percent}.").format(
            sentence=said, word=word, percent=percent
        )
    if is_personal:
        announced = f"{announced} {feedback_text.personal_title()}"
    return AnswerWords(
        sentence=said,
        confidence=word,
        percent="" if is_refused else percent,
        short_percent="" if is_refused else short_percent(confidence),
        second="" if number else second_guess(verdict, digit, probabilities),
        bars_heading=bars_heading(is_refused=not has_bars),
        bars=tuple(short_percent(share) for share in probabilities) if has_bars else (),
        announcement=announced,
        note=note(verdict, is_personal=is_personal),
        personal="" if network_label is None else feedback_text.why(label, network_label),
        suggestion=feedback_text.suggestion_note(suggestion, number or label),
    )


def prediction_words(prediction: Prediction) -> AnswerWords:
    return answer_words(
        digit=prediction.given_digit,
        confidence=prediction.given_confidence,
        probabilities=prediction.given_probabilities,
        verdict=prediction.given_verdict,
        network_label=prediction.answered_label if prediction.is_personal else None,
        suggestion=prediction.number_suggestion or prediction.suggestion,
        number=prediction.number,
        number_confidence=prediction.number_confidence,
    )


def page_answer(prediction: Prediction) -> PageAnswer:
    """Return what the page shows of `prediction`; its model version must be loaded."""
    digit, remembered = prediction.given_digit, prediction.remembered_id
    words = prediction_words(prediction)
    return PageAnswer(
        prediction_id=prediction.pk,
        digit=digit,
        verdict=prediction.given_verdict,
        source=prediction.source,
        words=words,
        bars=_bars(digit, prediction.given_probabilities) if words.bars else no_bars(),
        model=prediction.model_version.name,
        image_url=reverse("api:prediction-image", args=[prediction.pk]),
        model_input_url=reverse("api:prediction-model-input", args=[prediction.pk]),
        remembered_id=remembered,
        remembered_image_url=(
            None if remembered is None else reverse("api:prediction-image", args=[remembered])
        ),
        suggestion=prediction.suggestion,
        number=prediction.number,
        suggested_number=prediction.number_suggestion,
    )


def choose_image() -> str:
    return _("Choose a picture first.")


def too_much() -> str:
    return _("Too many requests. Wait a minute and try again.")


def page_texts() -> dict[str, Any]:
    """Return the JavaScript's texts other than those of an answer, for `json_script`."""
    return {
        "bars_heading": bars_heading(),
        "prompt": _("Draw a digit from 0 to 9."),
        "prompt_off": _("Draw a digit from 0 to 9 and press Save."),
        "advice": _("Draw one digit, or say what it is."),
        "save": {"save": _("Save"), "saving": _("Saving…"), "saved": _("Saved")},
        "empty_canvas": _("The canvas is empty. Draw a digit first."),
        "hidden_canvas": _(
            "This drawing has too many strokes to be sent as strokes, and your browser hides the "
            "canvas from this site, so it can't be sent as a picture either. Clear it and draw "
            "the digit with fewer strokes, or allow this site to read the canvas."
        ),
        "choose_image": choose_image(),
        "kept": _("Your drawing is still here."),
        "undo_brings_back": _("Undo brings your drawing back."),
        "unreachable": _("Can't reach the site."),
        "cleared": _("Cleared."),
        "more_shown": _("{count} more shown."),
        **drawing_text.page_texts(),
        **feedback_text.page_texts(),
        "error": {
            "network": _("Can't reach the site. Check your connection and try again."),
            "timeout": _("The site took too long to respond. Try again."),
            "403": _("The request was refused. Reload the page and try again."),
            "413": _("This picture is too large. Choose one of at most 8 MB."),
            "429": too_much(),
            "502": _("The site is temporarily unavailable. Try again in a moment."),
            "503": _("The site is temporarily unavailable. Try again in a moment."),
            "504": _("The site took too long to respond. Try again."),
            "other": _("Something went wrong on our side. Try again in a moment."),
        },
    }
