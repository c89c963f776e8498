"""Measure what personal learning adds to the time of one prediction.

    python -m benchmarks.personalisation.cost

Uses a temporary SQLite database with as many corrected drawings as are stored for a visitor, and as
many drawings without a correction.
"""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass

import numpy as np

from benchmarks.common import databases, django_setup, results
from benchmarks.common.results import clock

ROUNDS = 300
GOAL = 1.0
"""Milliseconds for one prediction, for the median."""


@dataclass(frozen=True)
class Costs:
    """What personal learning adds to one prediction, in ms."""

    remembered: int
    median: float
    p95: float
    mix_median: float
    queries: int

    def __str__(self) -> str:
        goal = results.verdict(f"goal: {GOAL:.0f} ms", reached=self.median <= GOAL)
        return (
            f"With {self.remembered} corrected drawings, personal learning adds "
            f"{self.median:.2f} ms to a prediction (p95 {self.p95:.2f} ms; "
            f"{self.mix_median:.2f} ms without the database) and {self.queries} query; {goal}"
        )


def measure(remembered: int) -> Costs:
    """Return the costs, measured in a new process on a new database."""
    with databases.sqlite() as database:
        (found,) = django_setup.in_a_process(
            "benchmarks.personalisation.cost",
            str(remembered),
            str(ROUNDS),
            database_url=database.url,
        )
    return Costs(remembered, **found)


def _measure_here(remembered: int, rounds: int) -> dict[str, float]:
    django_setup.set_up(migrate=True)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.common.filling import digit_png
    from recognizer.inference import embeddings, personal_posterior
    from recognizer.models import Owner, Prediction
    from recognizer.personalisation import answers, corrections
    from recognizer.predictions import recognition

    owner = Owner(visitor=uuid.uuid4())
    for seed in range(2 * remembered):
        drawn = recognition.recognise(
            data=digit_png(seed % 10, seed=seed), source="canvas", owner=owner
        )
        if seed < remembered:
            corrections.suggest(prediction_id=drawn.pk, label=seed % 10, owner=owner)
    assert corrections.state(owner=owner).count == remembered
    new = recognition.preview(data=digit_png(4, seed=3 * remembered))

    def ask() -> object:
        return answers.personal_answers(answers=[new.network], loaded=new.loaded, owner=owner)

    with CaptureQueriesContext(connection) as queries:
        ask()
    kept = Prediction.objects.order_by("created_at").values_list("embedding", flat=True)
    vectors = embeddings.unpack_many([bytes(packed or b"") for packed in kept])
    numbers = np.arange(len(vectors))
    earlier = personal_posterior.Examples(vectors, numbers % 10, numbers < remembered)
    calibration = new.loaded.classifier.calibration

    def mix() -> object:
        return personal_posterior.mix(new.network, calibration, earlier)

    times, mixes = clock(ask, rounds), clock(mix, rounds)
    return {
        "median": float(np.median(times)),
        "p95": float(np.quantile(times, 0.95)),
        "mix_median": float(np.median(mixes)),
        "queries": len(queries.captured_queries),
    }


def main() -> None:
    results.print_title("Personal learning, SQLite")
    print(measure(200))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_measure_here(int(sys.argv[1]), int(sys.argv[2]))))
    else:
        main()
