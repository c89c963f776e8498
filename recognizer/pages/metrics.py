"""The page that Prometheus asks: what all processes have counted, and what the database knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recognizer.api import throttling
from recognizer.jobs import heartbeat, training_jobs
from recognizer.labelling import queue_orders
from recognizer.models import ModelVersion
from recognizer.statistics import metrics as counted

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

# Counting a longer queue would take long, and nobody would decide otherwise.
LONGEST_QUEUE = 100_000


@throttling.unlimited
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics in Prometheus' text format to whoever sends METRICS_TOKEN."""
    if not counted.is_on():
        raise Http404
    sent = request.headers.get("Authorization", "")
    if not constant_time_compare(sent, f"Bearer {settings.METRICS_TOKEN}"):
        refusal = HttpResponse("Send METRICS_TOKEN as a bearer token.\n", "text/plain", 401)
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    registry = counted.registry_of_all_processes()
    registry.register(_Database())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Database:
    """Figures that are the same whichever machine is asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily

        try:
            found = list(self._figures())
        except DatabaseError:
            found = []
        yield GaugeMetricFamily(
            "digitsite_database_up", "1 if the database answers.", value=float(bool(found))
        )
        yield from found

    def _figures(self) -> Iterator[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily

        active = GaugeMetricFamily(
            "digitsite_model_active", "1 for the active model version.", labels=["version"]
        )
        for name in ModelVersion.objects.filter(is_active=True).values_list("name", flat=True):
            active.add_metric([name], 1)
        yield active
        queue = GaugeMetricFamily(
            "digitsite_review_queue",
            f"Drawings that wait for a reviewer, counted up to {LONGEST_QUEUE}.",
            labels=["kind"],
        )
        waiting = {"ordinary": queue_orders.unlabelled(), "audit": queue_orders.audits().drawings}
        for kind, drawings in waiting.items():
            queue.add_metric([kind], drawings[:LONGEST_QUEUE].count())
        yield queue
        yield GaugeMetricFamily(
            "digitsite_training_unfinished",
            "1 if a training is queued or running.",
            value=float(training_jobs.unfinished() is not None),
        )
        yield GaugeMetricFamily(
            "digitsite_worker_up",
            "1 if a worker that trains is running.",
            value=float(heartbeat.worker_state().is_running),
        )
