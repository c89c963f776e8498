"""Validation of the requests of the review queue's page."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from recognizer.labelling import queue as review_queue
from recognizer.labelling.queue_orders import Order
from recognizer.models import NOTE_LENGTH, NUMBER, Label

MAX_SHOWN = 2 * review_queue.MAX_BATCH
"""The most drawings that a page shows."""


class StartSerializer(serializers.Serializer[Any]):
    """The page's query string."""

    digit = serializers.IntegerField(min_value=0, max_value=9, required=False, allow_null=True)
    order = serializers.ChoiceField(choices=Order.choices, required=False)


class PageSerializer(serializers.Serializer[Any]):
    """The page that sends the request, in every request."""

    page = serializers.UUIDField()


class ShownSerializer(PageSerializer):
    """The drawings that the page shows."""

    have = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_SHOWN)


class NextSerializer(ShownSerializer):
    """A request for more drawings."""

    order = serializers.ChoiceField(choices=Order.choices)
    digit = serializers.IntegerField(min_value=0, max_value=9, allow_null=True)
    wanted = serializers.IntegerField(min_value=1, max_value=review_queue.MAX_BATCH)


class ReleaseSerializer(ShownSerializer):
    """Drawings that the page no longer shows."""

    until = serializers.DateTimeField()


class DrawingSerializer(PageSerializer):
    id = serializers.UUIDField()


class LabelSerializer(DrawingSerializer):
    """A label for a drawing; `seen` is the one that the reviewer saw, null for none."""

    label = serializers.ChoiceField(choices=Label.choices)  # type: ignore[assignment]
    seen = serializers.ChoiceField(choices=Label.choices, allow_null=True)
    step = serializers.UUIDField()
    number = serializers.RegexField(NUMBER, required=False)
    clears_flag = serializers.BooleanField(default=False)


class NoteSerializer(DrawingSerializer):
    text = serializers.CharField(max_length=NOTE_LENGTH, allow_blank=True)
    is_flagged = serializers.BooleanField()


class UndoSerializer(DrawingSerializer):
    """Undoes a label, given its step, or a skip if there is no step."""

    step = serializers.UUIDField(allow_null=True)
