"""What a training would learn from, how long it would take, and whether it is worth it.

"Train now" says it before it starts; `housekeeping` trains by itself where it is worth it.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count

from recognizer.jobs import training_jobs
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import JobStatus, Label, ModelVersion, Prediction, TrainingJob
from recognizer.models.correctness import is_correct
from recognizer.statistics import learning_curve

ENOUGH_NEW = 50
"""Labels since the last training that are worth another: with 20, two of four styles did not pass
the quality checks (docs/training.md)."""

ENOUGH_SHARE = 0.05
"""The share of all labels that must be new: beside 10,000, another 50 change little."""

ENOUGH_MISTAKES = 5
"""New labels that contradict the model's answer."""

# Labels and seconds on two idle cores, roughly: the first training here corrects them. From about
# 7,500 labels on, the number of steps hardly grows.
USUAL: dict[Kind, tuple[tuple[int, float], ...]] = {
    Kind.FINE_TUNE: ((200, 120), (1_500, 420), (7_500, 740), (100_000, 2_400)),
    Kind.FAST: ((1, 180),),
    Kind.SHIPPED: ((1, 3_600),),
}
COMPARED = 5
"""The latest trainings that an estimate takes into account."""


@dataclass(frozen=True)
class LabelCount:
    label: int
    total: int
    new: int


@dataclass(frozen=True)
class Outlook:
    """The labels there are: ``new`` since the last training, ``mistakes`` of these contradict the
    answer that was given.
    """

    labels: tuple[LabelCount, ...]
    mistakes: int
    last_training: datetime | None

    @property
    def total(self) -> int:
        return sum(each.total for each in self.labels)

    @property
    def new(self) -> int:
        return sum(each.new for each in self.labels)

    @property
    def is_worthwhile(self) -> bool:
        return (
            self.new >= max(ENOUGH_NEW, ENOUGH_SHARE * self.total)
            and self.mistakes >= ENOUGH_MISTAKES
        )


def outlook() -> Outlook:
    """Count the labels, from indexes alone."""
    labelled = Prediction.objects.labelled().order_by()
    total = dict(labelled.values_list("label").annotate(n=Count("*")))
    last = last_training()
    since = labelled if last is None else labelled.filter(labelled_at__gt=last)
    new: Counter[int] = Counter()
    mistakes = 0
    for label, digit, verdict, n in since.values_list("label", "digit", "verdict").annotate(
        n=Count("*")
    ):
        new[label] += n
        mistakes += 0 if is_correct(label=label, digit=digit, verdict=verdict) else n
    return Outlook(
        tuple(
            LabelCount(label.value, total[label.value], new[label.value])
            for label in Label
            if label.value in total
        ),
        mistakes,
        last,
    )


def new_labels(limit: int) -> tuple[int, datetime | None]:
    """Return how many labels are new, ``limit`` + 1 for any more, and since when they are."""
    last = last_training()
    labelled = Prediction.objects.labelled().order_by()
    since = labelled if last is None else labelled.filter(labelled_at__gt=last)
    return since.values("labelled_at")[: limit + 1].count(), last


def last_training() -> datetime | None:
    job = (
        TrainingJob.objects.filter(status=JobStatus.SUCCEEDED)
        .order_by("-started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    # Trained by the command, whose start time is not known.
    version = (
        ModelVersion.objects.filter(
            is_bundled=False, jobs__isnull=True, card__data__labelled__isnull=False
        )
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    return max(filter(None, (job, version)), default=None)


# How long it takes ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Duration:
    """Estimated seconds; ``trainings`` is how many past ones the estimate takes into account."""

    seconds: float
    trainings: int


def durations(labels: int) -> dict[Kind, Duration]:
    """Estimate how long each kind of training takes with that many labels."""
    past = _past_trainings()
    return {kind: _duration(kind, labels, past) for kind in Kind}


def _duration(kind: Kind, labels: int, past: Sequence[tuple[Kind, int, float]]) -> Duration:
    ratios = [seconds / _usual(of, n) for of, n, seconds in past if of is kind][:COMPARED]
    speed = statistics.median(ratios) if ratios else 1.0
    return Duration(speed * _usual(kind, labels), len(ratios))


def _usual(kind: Kind, labels: int) -> float:
    """Return the usual seconds; between two known numbers of labels by their logarithms, beyond
    the last one in proportion.
    """
    known = USUAL[kind]
    n = max(labels, 1)
    if n <= known[0][0] or len(known) == 1:
        return known[0][1]
    for (low, before), (high, after) in itertools.pairwise(known):
        if n <= high:
            part = math.log(n / low) / math.log(high / low)
            return float(before * (after / before) ** part)
    last, seconds = known[-1]
    return seconds * n / last


def _past_trainings() -> list[tuple[Kind, int, float]]:
    """Return kind, labels and seconds of trainings with the recipe's own settings, newest first."""
    jobs = (
        TrainingJob.objects.filter(
            status=JobStatus.SUCCEEDED, started_at__isnull=False, model_version__isnull=False
        )
        .select_related("model_version")
        .only("options", "started_at", "finished_at", "model_version__card")
        .order_by("-started_at")[: 3 * COMPARED]
    )
    return list(_timed(jobs))


def _timed(jobs: Iterable[TrainingJob]) -> Iterable[tuple[Kind, int, float]]:
    for job in jobs:
        options = job.options
        kind = options.get("kind")
        changed = any(options.get(name) for name in ("epochs", "limit", "workers_lost"))
        if changed or kind not in Kind.values or job.model_version is None:
            continue
        assert job.started_at is not None
        assert job.finished_at is not None
        source = job.model_version.model_card.data.get(learning_curve.LABELLED)
        labels = (source.n or 0) + (source.held_out or 0) if source else 0
        yield Kind(kind), labels, (job.finished_at - job.started_at).total_seconds()


# By itself --------------------------------------------------------------------------------------


def train_if_worthwhile() -> TrainingJob | None:
    """Request a training of the new labels if TRAIN_NIGHTLY is on and it is worth it.

    Nobody looks at the labels before: it leaves out those that look wrong. The quality checks
    decide about activation, as after "Train now". Raises JobError as `training_jobs.request` does.
    """
    if not settings.TRAIN_NIGHTLY or not outlook().is_worthwhile:
        return None
    return training_jobs.request(options=Options(without_suspects=True, nightly=True), by=None)
