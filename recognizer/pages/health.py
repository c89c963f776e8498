"""Health checks for monitoring."""

from __future__ import annotations

import ipaddress
import logging
import uuid

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recognizer.api import limits, throttling
from recognizer.models import Worker
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

    "degraded" is 200 too: an older model is used because the active one does not load, or requests
    are not limited because the cache does not answer. The model and the problem are named only to
    this machine and to staff.
    """
    try:
        _try_write()
        found = active_version.status()
        knows = _is_from_this_machine(request) or request.user.is_staff
    except (DatabaseError, InterfaceError) as error:
        logger.error("The database does not store anything: %s", error)
        problem = _database_problem() if _is_from_this_machine(request) else None
        return JsonResponse(
            {"status": "unavailable", "problem": problem, "model": None}, status=503
        )
    problem = found.problem
    if problem is None and not limits.cache_answers():
        problem = "The cache does not answer; nothing is limited."
    if found.serving is None:
        word = "unavailable"
    elif problem is not None:
        word = "degraded"
    else:
        word = "ok"
    return JsonResponse(
        {
            "status": word,
            "problem": problem if knows else None,
            "model": found.serving if knows else None,
        },
        status=503 if found.serving is None else 200,
    )


def _try_write() -> None:
    """Write a row and delete it, in one transaction: a full disk fails only what is written."""
    with transaction.atomic():
        Worker.objects.create(id=f"readyz-{uuid.uuid4().hex}", place="readyz").delete()


def _database_problem() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return "The database does not answer."
    return "The database can't be written: its disk may be full."


def _is_from_this_machine(request: HttpRequest) -> bool:
    """Whether the client itself is on this machine, not only a proxy."""
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    address = request.META.get("REMOTE_ADDR", "")
    try:
        return not forwarded and ipaddress.ip_address(address).is_loopback
    except ValueError:
        # A Unix socket has no address: a proxy is in front.
        return False
