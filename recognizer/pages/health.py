"""Health checks for monitoring."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recognizer.api import throttling
from recognizer.versions import active as active_version

logger = logging.getLogger(__name__)


@throttling.unlimited
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is running."""
    return JsonResponse({"status": "ok"})


@throttling.unlimited
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process can recognise a drawing and store it, else 503.

    "degraded" is 200 too: an older model is used because the active one does not load.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found = active_version.status()
    except DatabaseError:
        logger.exception("The database does not answer")
        return JsonResponse(
            {"status": "unavailable", "problem": "The database does not answer.", "model": None},
            status=503,
        )
    if found.serving is None:
        word = "unavailable"
    elif found.problem is not None:
        word = "degraded"
    else:
        word = "ok"
    return JsonResponse(
        {"status": word, "problem": found.problem, "model": found.serving},
        status=503 if found.serving is None else 200,
    )
