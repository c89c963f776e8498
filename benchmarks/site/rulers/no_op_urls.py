"""A view on the same stack that parses the same JSON and inserts the same row, and no more.

It shows what Django, REST framework, gunicorn and the database take by themselves.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from django.urls import path
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from digitsite.urls import urlpatterns as site
from recognizer.models import Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.drawings import digit_png


@cache
def template() -> Prediction:
    """Return a row as the site stores it."""
    return recognition.recognise(data=digit_png(3), source="canvas", owner=recognition.NOBODY)


class NoOp(APIView):
    parser_classes = [JSONParser]

    def post(self, request: Request) -> Response:
        sent: Any = request.data
        row = template()
        columns = {
            field.attname: getattr(row, field.attname) for field in Prediction._meta.concrete_fields
        }
        stored = Prediction(**{**columns, "id": uuid.uuid4(), "visitor": uuid.uuid4()})
        stored.save(force_insert=True)
        return Response({"id": stored.pk, "length": len(sent["image"])}, status=201)


urlpatterns = [path("api/v1/predictions/", NoOp.as_view()), *site]
