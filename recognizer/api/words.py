"""An answer in words, as a part of the API's answers.

The site's own page asks for it with the header ``Prefer: include=words`` (RFC 7240). Programs don't
need it, and writing the sentences takes time.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from recognizer.models import DIGITS, Prediction
from recognizer.text.answers import AnswerWords, prediction_words


def are_requested(request: Request | None) -> bool:
    header = "" if request is None else request.headers.get("Prefer", "")
    return "include=words" in (each.strip() for each in header.split(","))


class AnswerWordsSerializer(serializers.Serializer[Any]):
    """An answer in words, for people, in the language of the request."""

    sentence = serializers.CharField()
    confidence = serializers.CharField(help_text=_("How sure the answer is, in a word or two."))
    percent = serializers.CharField(help_text=_("The confidence; empty for what is not a digit."))
    short_percent = serializers.CharField(help_text=_("The same, for a thumbnail."))
    second = serializers.CharField(
        help_text=_("The second most likely digit, if it is close; otherwise empty.")
    )
    bars_heading = serializers.CharField()
    bars = serializers.ListField(
        child=serializers.CharField(),
        max_length=DIGITS,
        help_text=_("The probabilities of the digits; none for what is not a digit."),
    )
    announcement = serializers.CharField(help_text=_("The answer for a screen reader."))
    note = serializers.CharField(
        help_text=_("A short remark for a list of drawings; empty for a plain digit.")
    )
    personal = serializers.CharField(
        help_text=_("Why your corrections decided the answer; empty if they did not.")
    )
    suggestion = serializers.CharField(
        help_text=_("Your correction or confirmation; empty if you gave none.")
    )

    def to_representation(self, instance: Any) -> Any:
        """Return the words as JSON, or None if they are not requested."""
        if not are_requested(self.context.get("request")):
            return None
        # The fields of `AnswerWords` are those above.
        return dict(vars(self.words_of(instance)))

    def words_of(self, instance: Any) -> AnswerWords:
        raise NotImplementedError


class PredictionWordsSerializer(AnswerWordsSerializer):
    """The words for a prediction."""

    def words_of(self, instance: Any) -> AnswerWords:
        assert isinstance(instance, Prediction)
        return prediction_words(instance)
