"""An answer in words, as a part of the API's answers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from recognizer.models import DIGITS, Prediction
from recognizer.text.answers import AnswerWords, prediction_words


class AnswerWordsSerializer(serializers.Serializer[AnswerWords]):
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


class PredictionWordsSerializer(AnswerWordsSerializer):
    """The words for a prediction."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the words as JSON."""
        assert isinstance(instance, Prediction)
        return super().to_representation(prediction_words(instance))
