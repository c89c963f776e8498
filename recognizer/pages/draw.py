"""The page: draw, or send a picture; the answer; the visitor's own history.

The canvas uses the API from JavaScript. The form works without JavaScript and sends its picture
here; it goes through the API's view too, with its limits and its errors.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer.api import pagination, parsers, predictions, throttling
from recognizer.api.authentication import owner_of
from recognizer.models import Prediction
from recognizer.personalisation import corrections
from recognizer.predictions import public_links, selectors
from recognizer.text import answers as answer_text
from recognizer.text import drawing as drawing_text
from recognizer.text import feedback as feedback_text

# Outside the API's namespace its view needs to know where its addresses are.
_create = predictions.PredictionViewSet.as_view({"post": "create"}, basename="api:prediction")


@throttling.limits_itself
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def draw(request: HttpRequest) -> HttpResponseBase:
    """Show the page; take a picture from its form."""
    if request.method != "POST":
        answer = _asked_for(request)
        return page(request, answer=answer, just_said=answer is not None and "said" in request.GET)
    if parsers.length_of(request) > parsers.MAX_BODY:
        # Looking for the CSRF token would read all of it; the API refuses it unread.
        return _after(request, _create(request))
    return _send(request)


@csrf_protect
def _send(request: HttpRequest) -> HttpResponseBase:
    return _after(request, _create(request))


def _after(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the page for what the API answered to the form."""
    assert isinstance(response, Response)
    if response.status_code == 201:
        # Redirected, so that reloading the answer does not send the picture again.
        query = urlencode({"prediction": response.data["id"]})
        # To the answer itself: on a phone it lies below the canvas.
        return redirect(f"{reverse('draw')}?{query}#answer")
    error = response.data["errors"][0]
    # The API's sentence names a field; a person needs one about pictures.
    sentence = answer_text.choose_image() if error["code"] == "required" else error["detail"]
    refusal = page(request, upload_error=sentence, status=response.status_code)
    if response.has_header("Retry-After"):
        refusal["Retry-After"] = response["Retry-After"]
    return refusal


def _asked_for(request: HttpRequest) -> Prediction | None:
    """Return the prediction in the address, if it is this person's own."""
    text = request.GET.get("prediction")
    if text is None:
        return None
    try:
        return selectors.visible_prediction(prediction_id=UUID(text), owner=owner_of(request))
    except (ValueError, Prediction.DoesNotExist) as error:
        raise Http404 from error


def page(
    request: HttpRequest,
    *,
    answer: Prediction | None = None,
    just_said: bool = False,
    upload_error: str = "",
    feedback_error: str = "",
    memory_error: str = "",
    status: int = 200,
) -> HttpResponse:
    """Return the page, with an answer or waiting for one.

    Args:
        answer: a prediction of this person, with its model version.
        just_said: whether they have just corrected or confirmed it.
        upload_error, feedback_error, memory_error: a sentence for the form that was refused.
    """
    state = corrections.state(owner=owner_of(request))
    shown = None if answer is None else answer_text.page_answer(answer)
    key = None if answer is None else public_links.key_of(answer)
    context: dict[str, Any] = {
        "answer": shown,
        "public_url": key and request.build_absolute_uri(reverse("shared", args=[key])),
        "bars": answer_text.no_bars() if shown is None else shown.bars,
        "personal_title": feedback_text.personal_title(),
        "feedback": feedback_text.feedback_in_words(
            answer, remembering=state.enabled, just_said=just_said, error=feedback_error
        ),
        "blank_feedback": feedback_text.feedback_in_words(None, remembering=state.enabled),
        "memory": feedback_text.memory_in_words(enabled=state.enabled, count=state.count),
        "memory_error": memory_error,
        "removal_outcome": drawing_text.removal_texts().get(request.GET.get("removed", ""), ""),
        "texts": answer_text.page_texts(),
        "upload_error": upload_error,
        **_history(request),
    }
    return render(request, "recognizer/draw/page.html", context, status=status)


def _history(request: HttpRequest) -> dict[str, Any]:
    paginator = pagination.NewestFirst()
    try:
        page = paginator.paginate_queryset(
            selectors.history(owner=owner_of(request)), Request(request)
        )
    except NotFound as error:
        raise Http404 from error
    return {
        "history": [answer_text.page_answer(prediction) for prediction in page or []],
        "is_older_history": "cursor" in request.GET,
        "next_page": _next_link(paginator, reverse("draw")),
        "next_api_page": _next_link(paginator, reverse("api:prediction-list")),
    }


def _next_link(paginator: pagination.NewestFirst, address: str) -> str | None:
    paginator.base_url = address
    link: str | None = paginator.get_next_link()
    return link
