"""Deleting one's own drawings by plain forms. The page's JavaScript uses the API."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from recognizer.api.authentication import owner_of
from recognizer.models import Prediction
from recognizer.predictions import deletion
from recognizer.predictions.deletion import Removed


@require_POST
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        removed = deletion.remove_one(prediction_id=pk, owner=owner_of(request))
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    return _to_history("one", removed)


@require_POST
def remove_all(request: HttpRequest) -> HttpResponse:
    return _to_history("all", deletion.remove_all(owner=owner_of(request)))


def _to_history(what: str, removed: Removed) -> HttpResponse:
    query = urlencode({"removed": what if not removed.unlinked else f"{what}-kept"})
    return redirect(f"{reverse('draw')}?{query}#history")
