"""An answer in words, for people: the same on every page, with and without JavaScript.

`static/recognizer/draw/answer/answer_text.js` fills the same sentences in the browser from
`page_texts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from recognizer.models import DIGITS, Prediction, Verdict
from recognizer.text import drawing as drawing_text
from recognizer.text import feedback as feedback_text
from recognizer.text.feedback import PersonalInWords, digits_with_article
from recognizer.text.numbers import NEARLY_ONE, percent, short_percent

# The share of answers that are right, as the calibrated confidence promises it, and its word.
SURE = 0.95
FAIRLY_SURE = 0.75
# An uncertain answer names the second digit too if that is at least this likely.
CLOSE = 0.1


@dataclass(frozen=True)
class Bar:
    """The probability of one digit: its width in 0-100 and in words."""

    digit: int
    width: str
    percent: str
    is_best: bool


@dataclass(frozen=True)
class AnswerInWords:
    """What the page says of a prediction; of a drawing that was refused it gives no figures."""

    prediction_id: UUID
    digit: int
    word: str
    percent: str
    short_percent: str
    sentence: str
    second: str
    note: str
    verdict: str
    source: str
    bars_heading: str
    bars: tuple[Bar, ...]
    model: str
    image_url: str
    model_input_url: str
    suggestion: int | None
    suggestion_note: str
    personal: PersonalInWords | None


def confidence_levels() -> list[dict[str, Any]]:
    """Return the words for a confidence, each with the least confidence (0-1) it stands for."""
    return [
        {"at_least": SURE, "word": _("Sure")},
        {"at_least": FAIRLY_SURE, "word": _("Fairly sure")},
        {"at_least": 0, "word": _("A guess")},
    ]


def verdict_words() -> dict[str, str]:
    """Return the word for each verdict that the confidence has no say in."""
    return {Verdict.UNCERTAIN.value: _("Not sure"), Verdict.NOT_A_DIGIT.value: _("A guess")}


def sentences() -> dict[str, str]:
    """Return what is said of each verdict: `{digit}` stands for 8, `{a_digit}` for "an 8"."""
    return {
        Verdict.DIGIT.value: _("That looks like {a_digit}."),
        Verdict.UNCERTAIN.value: _("Maybe {a_digit}."),
        Verdict.NOT_A_DIGIT.value: _("That doesn't look like one digit. Closest: {digit}."),
    }


def close_sentence() -> str:
    """Return what is said of an uncertain answer whose second digit comes close."""
    return _("Maybe {a_digit}. It could also be {a_second}.")


def bars_headings() -> dict[str, str]:
    """Return what stands above the bars: with them, and where a drawing was refused."""
    return {
        "shown": _("How likely is each digit?"),
        "refused": _("None of the ten fits well."),
    }


def notes() -> dict[str, str]:
    """Return the remark beside an answer in the history; none for a plain digit."""
    return {
        Verdict.DIGIT.value: "",
        Verdict.UNCERTAIN.value: _("unsure"),
        Verdict.NOT_A_DIGIT.value: _("not one digit"),
    }


def confidence_percent(confidence: float) -> str:
    """Return a confidence (0-1) in per cent, never as 100."""
    return _("over 99.9 %") if confidence >= NEARLY_ONE else percent(confidence)


def confidence_word(prediction: Prediction) -> str:
    """Return how sure the answer is: of what is no digit it only guesses, however high the
    confidence.
    """
    return verdict_words().get(prediction.given_verdict) or next(
        str(level["word"])
        for level in confidence_levels()
        if prediction.given_confidence >= float(level["at_least"])
    )


def second_best(digit: int, probabilities: Sequence[float]) -> int:
    """Return the likeliest digit other than `digit`; of equal ones the smallest."""
    others = [other for other in range(len(probabilities)) if other != digit]
    return max(others, key=lambda other: probabilities[other])


def close_second(digit: int, probabilities: Sequence[float]) -> int | None:
    """Return the second best digit, if it comes close."""
    second = second_best(digit, probabilities)
    return second if probabilities[second] >= CLOSE else None


def sentence_for(prediction: Prediction) -> str:
    """Return the answer in a sentence that a child understands."""
    digit, named = prediction.given_digit, digits_with_article()
    second = close_second(digit, prediction.given_probabilities)
    if prediction.given_verdict == Verdict.UNCERTAIN and second is not None:
        return close_sentence().format(a_digit=named[digit], a_second=named[second])
    return sentences()[prediction.given_verdict].format(digit=digit, a_digit=named[digit])


def second_sentence() -> str:
    """Return what is said of the second guess beside an answer."""
    return _("Second guess: {a_second}, {percent}.")


def second_guess(prediction: Prediction) -> str:
    """Return the second guess of an answer given as a digit, where it comes close; else ""."""
    second = close_second(prediction.given_digit, prediction.given_probabilities)
    if prediction.given_verdict != Verdict.DIGIT or second is None:
        return ""
    return second_sentence().format(
        a_second=digits_with_article()[second],
        percent=short_percent(prediction.given_probabilities[second]),
    )


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


def no_bars(best: int | None = None) -> tuple[Bar, ...]:
    """Return ten bars that say nothing; `best` is the digit that comes closest all the same."""
    return tuple(
        Bar(digit, width="0", percent="", is_best=digit == best) for digit in range(DIGITS)
    )


def in_words(prediction: Prediction) -> AnswerInWords:
    """Return all that the page says of `prediction`, whose model version is loaded with it.

    The probabilities are those of the digits given that it is one. Where it is not, a figure or a
    long bar would look sure of what the sentence denies.
    """
    digit, confidence = prediction.given_digit, prediction.given_confidence
    verdict = prediction.given_verdict
    refused = verdict == Verdict.NOT_A_DIGIT
    personal = feedback_text.personal_in_words(prediction)
    return AnswerInWords(
        prediction_id=prediction.pk,
        digit=digit,
        word=confidence_word(prediction),
        percent="" if refused else confidence_percent(confidence),
        short_percent="" if refused else short_percent(confidence),
        sentence=sentence_for(prediction),
        second=second_guess(prediction),
        note=notes()[verdict] or ("" if personal is None else personal.note),
        verdict=verdict,
        source=prediction.source,
        bars_heading=bars_headings()["refused" if refused else "shown"],
        bars=no_bars(digit) if refused else _bars(digit, prediction.given_probabilities),
        model=prediction.model_version.name,
        image_url=reverse("api:prediction-image", args=[prediction.pk]),
        model_input_url=reverse("api:prediction-model-input", args=[prediction.pk]),
        suggestion=prediction.suggestion,
        suggestion_note=feedback_text.suggestion_note(prediction),
        personal=personal,
    )


def choose_image() -> str:
    """Return what is said to who sends the form without a picture."""
    return _("Choose a picture first.")


def too_much() -> str:
    """Return what is said to who sends too often."""
    return _("That was too much at once. Wait a minute and try again.")


def page_texts() -> dict[str, Any]:
    """Return all that the page's JavaScript says, ready for `json_script`."""
    return {
        "percent": _("{value} %"),
        "percent_over": _("over 99.9 %"),
        "percent_over_short": _(">99.9 %"),
        "confidence": confidence_levels(),
        "verdict_word": verdict_words(),
        "sentence": sentences(),
        "close": {"at_least": CLOSE, "sentence": close_sentence()},
        "second": second_sentence(),
        "a_digit": digits_with_article(),
        "bars_heading": bars_headings(),
        "note": notes(),
        "announcement": _("{sentence} {word}, {percent}."),
        "prompt": _("Draw a digit and press Predict."),
        "changed": _("The drawing has changed. Predict again?"),
        "predict": _("Predict"),
        "busy": _("Reading…"),
        "empty_canvas": _("The canvas is empty. Draw a digit first."),
        "choose_image": choose_image(),
        "kept": _("Your drawing is still here."),
        "cleared": _("Cleared."),
        "more_shown": _("{count} more shown."),
        **drawing_text.page_texts(),
        **feedback_text.page_texts(),
        "error": {
            "network": _("The site can't be reached. Check your connection and try again."),
            "timeout": _("The site took too long to answer. Try again."),
            "403": _("The site didn't accept that. Reload the page and try again."),
            "413": _("That picture is too large. Send one of at most 8 MB."),
            "429": too_much(),
            "502": _("The site is not available right now. Try again in a moment."),
            "503": _("The site is not available right now. Try again in a moment."),
            "504": _("The site took too long to answer. Try again."),
            "other": _("Something went wrong on the site. Try again in a moment."),
        },
    }
