"""The shapes of the API of personal learning: a correction, and the switch."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from recognizer.models import NUMBER, Label


class WholeNumberField(serializers.IntegerField):
    """A whole number in JSON: no text, no boolean, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


class StrictBooleanField(serializers.BooleanField):
    """true or false in JSON, and no text or number in its place."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class NumberField(serializers.RegexField):
    """A number of two to eight digits, as a text."""

    def __init__(self, **options: Any) -> None:
        messages: dict[str, Any] = dict.fromkeys(
            ("invalid", "null", "blank"), _("A number is a text of two to eight digits.")
        )
        super().__init__(NUMBER, error_messages=messages, **options)


class DigitSuggestionSerializer(serializers.Serializer[Any]):
    """A drawing that shows a digit."""

    digit = serializers.IntegerField(
        min_value=0, max_value=9, help_text=_("The digit that the drawing shows.")
    )


class NotADigitSuggestionSerializer(serializers.Serializer[Any]):
    """A drawing that does not show a digit."""

    not_a_digit = serializers.ChoiceField(choices=[True], help_text=_("Always true."))


class NumberSuggestionSerializer(serializers.Serializer[Any]):
    """A drawing that shows a number of several digits."""

    number = serializers.RegexField(NUMBER, help_text=_("The number that the drawing shows."))


class SuggestionSerializer(serializers.Serializer[Any]):
    """What a drawing shows: one of the three fields."""

    default_error_messages = {
        "required": _("Send what the drawing shows: a digit from 0 to 9, or not_a_digit: true."),
        "ambiguous": _("Send either a digit or not_a_digit: true, not both."),
        "invalid": _("Send a JSON object with one of the fields digit and not_a_digit."),
    }

    digit = WholeNumberField(
        min_value=0,
        max_value=9,
        required=False,
        error_messages={
            key: _("The digit must be a whole number from 0 to 9.")
            for key in ("invalid", "min_value", "max_value", "null", "max_string_length")
        },
        help_text=_("The digit that the drawing shows."),
    )
    not_a_digit = StrictBooleanField(
        required=False,
        error_messages={
            key: _("The field not_a_digit must be true or false.") for key in ("invalid", "null")
        },
        help_text=_("True if the drawing does not show a digit."),
    )

    number = NumberField(
        required=False, help_text=_("The number of several digits that the drawing shows.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the one label that was sent, as `label`, or the `number`."""
        digit, is_none = attrs.get("digit"), attrs.get("not_a_digit", False)
        if "number" in attrs:
            if digit is not None or is_none:
                self.fail("ambiguous")
            return {"number": attrs["number"]}
        if digit is None and not is_none:
            self.fail("required")
        if digit is not None and is_none:
            self.fail("ambiguous")
        return {"label": Label.NOT_A_DIGIT.value if digit is None else digit}


class MemorySwitchSerializer(serializers.Serializer[Any]):
    """Turns personal learning on or off."""

    default_error_messages = {"invalid": _("Send a JSON object with the field enabled.")}

    enabled = StrictBooleanField(
        error_messages={
            "required": _("Send the field enabled: true or false."),
            **{key: _("The field enabled must be true or false.") for key in ("invalid", "null")},
        },
        help_text=_("Whether your corrections change how your drawings are recognised."),
    )


class MemorySerializer(serializers.Serializer[Any]):
    """Personal learning: whether it is on, and how many drawings are remembered."""

    enabled = serializers.BooleanField(
        help_text=_("Whether your corrections change how your drawings are recognised.")
    )
    count = serializers.IntegerField(
        min_value=0, help_text=_("How many of your drawings are remembered.")
    )
