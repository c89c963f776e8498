"""Measure what a full memory costs one prediction: milliseconds and queries.

    python -m benchmarks.personalisation.cost

On a SQLite database of its own that is gone afterwards, with as many drawings remembered as a
person may have, and as many more of which they said nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import environment
from benchmarks.site.serving import clock

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 300
GOAL = 1.0
"""Milliseconds a prediction, of the median."""


@dataclass(frozen=True)
class Costs:
    """What the memory adds to one prediction; times in ms, the median and the 95th percentile."""

    remembered: int
    median: float
    p95: float
    mix_median: float
    queries: int

    def __str__(self) -> str:
        """Return the costs as a line."""
        return (
            f"With {self.remembered} drawings remembered the memory costs a prediction "
            f"{self.median:.2f} ms (95 % under {self.p95:.2f}), of which {self.mix_median:.2f} are "
            f"the mix, and {self.queries} query: goal {GOAL:.0f} ms "
            f"{'reached' if self.median <= GOAL else 'MISSED'}"
        )


def measure(remembered: int, rounds: int = ROUNDS) -> Costs:
    """Return the costs, measured in a process of its own: Django is set up once in each."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.personalisation.cost", str(remembered), str(rounds)],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "digitsite.settings",
                "DATABASE_URL": f"sqlite:///{Path(folder) / 'memory.sqlite3'}",
                "LOG_LEVEL": "WARNING",
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    median, p95, mix_median, queries = map(float, done.stdout.split())
    return Costs(remembered, median, p95, mix_median, int(queries))


def _measure_here(remembered: int, rounds: int) -> str:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from recognizer.inference import embeddings, personal_posterior
    from recognizer.models import Owner, Prediction
    from recognizer.personalisation import answers, corrections
    from recognizer.predictions import recognition
    from recognizer.tests.support.drawings import digit_png

    call_command("migrate", verbosity=0)
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
        return answers.personal_answer(answer=new.network, loaded=new.loaded, owner=owner)

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
    return (
        f"{np.median(times)} {np.quantile(times, 0.95)} {np.median(mixes)} "
        f"{len(queries.captured_queries)}"
    )


def main() -> None:
    """Print the costs of a memory as full as it gets."""
    print(measure(200))
    print(environment.describe())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(_measure_here(int(sys.argv[1]), int(sys.argv[2])))
    else:
        main()
