"""Public links: the page that anybody can see, and the form of its owner."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from recognizer.api.authentication import owner_of
from recognizer.models import Prediction
from recognizer.predictions import public_links
from recognizer.text import answers as answer_text


@require_safe
@never_cache
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """Show a drawing and its answer, and nothing of whoever drew it."""
    try:
        prediction = public_links.published(key)
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    context = {
        "answer": answer_text.page_answer(prediction),
        "image_url": reverse("shared-image", args=[key]),
    }
    return render(request, "recognizer/shared.html", context)


@require_safe
@never_cache
def shared_image(request: HttpRequest, key: str) -> HttpResponse:
    """Return the drawing as PNG; not from a cache, so that a revoked link shows nothing."""
    try:
        prediction = public_links.published(key, with_image=True)
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    return HttpResponse(bytes(prediction.image), content_type="image/png")


@require_POST
def switch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make or revoke a drawing's public link. The page's JavaScript uses the API."""
    change = public_links.publish if request.POST.get("public") == "on" else public_links.revoke
    try:
        change(prediction_id=pk, owner=owner_of(request))
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    return redirect(f"{reverse('draw')}?{urlencode({'prediction': str(pk)})}#public")
