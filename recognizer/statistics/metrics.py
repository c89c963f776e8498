"""What Prometheus is told about this machine's web processes: requests and predictions, counted.

Off unless METRICS_TOKEN is set; then the client of Prometheus is not even imported. Each process
counts in its own files in PROMETHEUS_MULTIPROC_DIR, and `/metrics` adds up the files of all. The
folder must be empty when the site starts, and of this machine only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from recognizer.models import Prediction

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CONFIDENCES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1)


@dataclass(frozen=True)
class _Instruments:
    requests: Counter
    seconds: Histogram
    predictions: Counter
    confidence: Histogram


@cache
def _instruments() -> _Instruments:
    # Imported here: it decides by the environment, which the settings complete, how to count.
    from prometheus_client import CollectorRegistry, Counter, Histogram

    # Not the default one, which would add figures of the process that is asked.
    registry = CollectorRegistry()
    return _Instruments(
        requests=Counter(
            "digitsite_requests",
            "Requests by the name of the view; those refused by a limit have the status 429.",
            ["view", "method", "status"],
            registry=registry,
        ),
        seconds=Histogram(
            "digitsite_request_seconds",
            "Seconds until the response begins.",
            ["view"],
            buckets=SECONDS,
            registry=registry,
        ),
        predictions=Counter(
            "digitsite_predictions",
            "Stored predictions of the network, by digit, verdict and model version.",
            ["digit", "verdict", "version"],
            registry=registry,
        ),
        confidence=Histogram(
            "digitsite_prediction_confidence",
            "Calibrated confidence of stored predictions, 0 to 1.",
            buckets=CONFIDENCES,
            registry=registry,
        ),
    )


def is_on() -> bool:
    return bool(settings.METRICS_TOKEN)


def start() -> None:
    """Make what counts before threads do: two of one kind would overwrite each other's figures."""
    _instruments()


def count_request(*, view: str, method: str, status: int, seconds: float) -> None:
    found = _instruments()
    found.requests.labels(view, method, str(status)).inc()
    found.seconds.labels(view).observe(seconds)


def count_predictions(rows: Iterable[Prediction]) -> None:
    """Count new drawings; nothing if the metrics are off."""
    if not is_on():
        return
    found = _instruments()
    for row in rows:
        found.predictions.labels(str(row.digit), row.verdict, row.model_version.name).inc()
        found.confidence.observe(row.confidence)


def registry_of_all_processes() -> CollectorRegistry:
    """Return a registry with what all processes have counted, which others may add to."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
