"""The page that says what the model is, how good it is, and what the site keeps."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from recognizer.models import ModelVersion
from recognizer.pages import model_facts
from recognizer.predictions import selectors


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    try:
        model = model_facts.about(selectors.active_model())
    except ModelVersion.DoesNotExist:
        model = None
    kept, anonymous = settings.DRAWINGS_KEPT_DAYS, settings.ANONYMOUS_DRAWINGS_KEPT_DAYS
    context = {
        "model": model,
        "kept_days": kept,
        # Only where it is shorter than the first.
        "anonymous_days": 0 if 0 < kept <= anonymous else anonymous,
        "cookie_days": settings.VISITOR_COOKIE_AGE // (24 * 3600),
        "contact": settings.CONTACT_EMAIL,
    }
    return render(request, "recognizer/about.html", context)
