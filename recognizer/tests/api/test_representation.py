"""Answers are written out for speed: they are what the declared fields, and so the schema, say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.test import APIRequestFactory
from rest_framework.utils.encoders import JSONEncoder

from recognizer.api.preview import PreviewSerializer, PreviewWordsSerializer
from recognizer.api.serializers import PredictionSerializer
from recognizer.api.words import AnswerWordsSerializer, PredictionWordsSerializer
from recognizer.models import Owner, Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.drawings import cross_png, digit_png
from recognizer.tests.support.reviewing import make_prediction, make_version, probabilities

pytestmark = pytest.mark.django_db


def as_json(value: Any) -> str:
    return json.dumps(value, cls=JSONEncoder)


def context() -> dict[str, Any]:
    return {"request": Request(APIRequestFactory(headers={"Prefer": "include=words"}).post("/"))}


def declared(serializer: Serializer[Any], instance: Any) -> str:
    """Return the JSON that REST framework makes of the fields of a serializer."""
    return as_json(Serializer.to_representation(serializer, instance))


PERSONAL = {
    "personal_digit": 4,
    "personal_confidence": 0.7,
    "personal_verdict": "uncertain",
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"suggestion": 7, "verdict": "not_a_digit"},
        {"suggestion": 10, "source": "api"},
        {**PERSONAL, "personal_probabilities": probabilities(4, 0.7)},
    ],
)
def test_a_prediction(fields: dict[str, Any]) -> None:
    row = make_prediction(3, model_version=make_version(), **fields)
    if row.is_personal:
        row.remembered = make_prediction(4)
        row.save()
    stored = Prediction.objects.without_bytes().get(pk=row.pk)

    shown = PredictionSerializer(stored, context=context()).data

    assert as_json(shown) == declared(PredictionSerializer(context=context()), stored)
    assert shown["words"]


@pytest.mark.parametrize("drawing", [digit_png(5), cross_png()])
def test_a_new_prediction_is_shown_as_it_is_read_back(drawing: bytes) -> None:
    row = recognition.recognise(data=drawing, source="canvas", owner=Owner())

    shown = PredictionSerializer(row, context=context()).data

    stored = Prediction.objects.get(pk=row.pk)
    assert as_json(shown) == as_json(PredictionSerializer(stored, context=context()).data)


@pytest.mark.parametrize("drawing", [digit_png(5), cross_png()])
def test_a_preview(drawing: bytes) -> None:
    preview = recognition.preview(data=drawing)

    shown = PreviewSerializer(preview, context=context()).data

    assert as_json(shown) == declared(PreviewSerializer(context=context()), preview)


@pytest.mark.parametrize("drawing", [digit_png(5), cross_png()])
def test_words(drawing: bytes) -> None:
    row = recognition.recognise(data=drawing, source="canvas", owner=Owner())
    preview = recognition.preview(data=drawing)
    pairs: list[tuple[AnswerWordsSerializer, Any]] = [
        (PredictionWordsSerializer(context=context()), row),
        (PreviewWordsSerializer(context=context()), preview),
    ]
    for serializer, answer in pairs:
        words = serializer.words_of(answer)
        assert as_json(serializer.to_representation(answer)) == declared(serializer, words)
