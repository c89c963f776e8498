"""Invent drawings, predictions and labels like those of a site, for measurements and pictures.

    python -m benchmarks.site.insights_data [--drawings 20000] [--days 400]

Fills the database that DATABASE_URL names, which must not have any drawings. The predictions are
random, with shares like those of a real site.
"""

from __future__ import annotations

import datetime
import hashlib
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import command_line, django_setup

REVIEWERS = ("ada", "grace", "katherine")
# For each digit, the one it is most often confused with.
CONFUSED_WITH = (6, 7, 7, 5, 9, 3, 0, 1, 3, 4)
NOT_A_DIGIT = 10
# Name, when it was activated (0: start, 1: now), how overconfident it is (1: calibrated).
VERSIONS = (("trained-1", 0.0, 1.9), ("trained-2", 0.35, 1.3), ("trained-3", 0.75, 1.0))
SECONDS_A_DAY = 24 * 3600


@dataclass(frozen=True)
class Invented:
    """Invented predictions, all (n,): times in seconds before now, labels 0-10, -1 for none."""

    age: NDArray[np.float64]
    version: NDArray[np.intp]
    truth: NDArray[np.intp]
    digit: NDArray[np.intp]
    confidence: NDArray[np.float64]
    verdict: NDArray[np.str_]
    suggestion: NDArray[np.intp]
    audit_key: NDArray[np.float64]
    audited: NDArray[np.bool_]
    labelled: NDArray[np.bool_]


def invent(n: int, days: float, rng: np.random.Generator) -> Invented:
    """Return n predictions of the last ``days`` days, newest last."""
    age = _ages(n, days, rng)
    version = np.searchsorted([start for _, start, _ in VERSIONS], 1 - age / (days * SECONDS_A_DAY))
    version = np.clip(version - 1, 0, len(VERSIONS) - 1)
    truth = np.where(rng.random(n) < 0.03, NOT_A_DIGIT, rng.integers(0, 10, n))
    unsure = rng.random(n) < 0.13
    confidence = np.where(unsure, rng.uniform(0.3, 0.995, n), 1 - rng.beta(0.5, 120, n))
    overconfidence = np.array([each[2] for each in VERSIONS])[version]
    is_digit = truth < NOT_A_DIGIT
    right = is_digit & (rng.random(n) < confidence**overconfidence)
    other = np.where(
        rng.random(n) < 0.7,
        np.array([*CONFUSED_WITH, 8])[truth],
        (truth + rng.integers(1, 10, n)) % 10,
    )
    digit = np.where(right, truth, other)
    confidence = np.where(is_digit, confidence, rng.uniform(0.25, 0.97, n))
    rejected = rng.random(n) < np.where(is_digit, 0.002 + 0.05 * unsure, 0.87)
    verdict = np.where(rejected, "not_a_digit", np.where(confidence < 0.7, "uncertain", "digit"))
    suggests = rng.random(n) < np.where(right, 0.05, 0.4)
    is_true = rng.random(n) < 0.97
    suggestion = np.where(suggests, np.where(is_true, truth, rng.integers(0, 11, n)), -1)
    in_sample = rng.random(n) < 0.05
    audit_key = np.where(in_sample, rng.random(n), np.nan)
    audited = in_sample & (audit_key < 0.5) & (age > SECONDS_A_DAY)
    worth_a_look = np.where(confidence < 0.9, 0.17, 0.007)
    chosen = ~in_sample & (rng.random(n) < worth_a_look)
    return Invented(
        age, version, truth, digit, confidence, verdict, suggestion, audit_key, audited,
        labelled=audited | chosen,
    )  # fmt: skip


def _ages(n: int, days: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return seconds before now: more by day, fewer at weekends, more in later years."""
    kept = np.empty(0)
    while len(kept) < n:
        age = rng.uniform(0, days * SECONDS_A_DAY, 4 * n)
        hour, weekday = age / 3600 % 24, age // SECONDS_A_DAY % 7
        weight = (1.2 + np.cos((hour - 9) * np.pi / 12)) * np.where(weekday < 2, 0.5, 1.0)
        weight *= 1 - 0.5 * age / (days * SECONDS_A_DAY)
        kept = np.concatenate((kept, age[rng.random(len(age)) < weight / 2.2]))
    return np.sort(kept[:n])[::-1]


def label_times(
    drawn: NDArray[np.float64], days: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the age of the label of each drawing (oldest first), and the reviewer's number.

    Every day one reviewer labels the new drawings, one every few seconds.
    """
    age, by = np.zeros(len(drawn)), np.zeros(len(drawn), np.intp)
    day = np.floor(drawn / SECONDS_A_DAY)
    for today in np.unique(day):
        rows = np.flatnonzero(day == today)
        who = int(rng.choice(len(REVIEWERS), p=(0.55, 0.3, 0.15)))
        seconds = rng.exponential((1.7, 2.4, 4.0)[who], len(rows)) + 0.4
        # Sometimes there is a break.
        seconds += np.where(rng.random(len(rows)) < 0.004, 900, 0)
        age[rows] = np.maximum(60, today * SECONDS_A_DAY - rng.uniform(0, 3600)) - seconds.cumsum()
        by[rows] = who
    return np.maximum(age, 0), by


def fill(*, drawings: int, days: float, copies: int = 1, seed: int = 7) -> None:
    """Store invented drawings with labels, history and versions, then copy them.

    Copies are 2 s apart. Raises ValueError if the database has drawings.
    """
    from recognizer.models import Prediction

    if Prediction.objects.exists():
        raise ValueError("The database already has drawings. Use an empty one.")
    rng = np.random.default_rng(seed)
    Prediction.objects.bulk_create(_rows(drawings, days, rng), batch_size=500)
    if copies > 1:
        copy(copies - 1)
    _write_history()


def _rows(n: int, days: float, rng: np.random.Generator) -> list[Any]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from recognizer.models import ModelVersion, Prediction

    now = timezone.now()
    users = [User.objects.get_or_create(username=name)[0] for name in REVIEWERS]
    ModelVersion.objects.update(is_active=False)
    versions = [
        ModelVersion.objects.create(
            name=name,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            created_at=now - datetime.timedelta(days=days * (1 - start)),
            is_active=start == VERSIONS[-1][1],
            activated_at=now,
        )
        for name, start, _ in VERSIONS
    ]
    found = invent(n, days, rng)
    labelled = np.flatnonzero(found.labelled)
    label_age, by = np.zeros(n), np.zeros(n, np.intp)
    label_age[labelled], by[labelled] = label_times(found.age[labelled], days, rng)
    pictures = _pictures(rng)
    rows = []
    for i in range(n):
        rest = (1 - found.confidence[i]) / 9
        chances = [rest] * 10
        chances[found.digit[i]] = float(found.confidence[i])
        row = Prediction(
            id=uuid.UUID(bytes=rng.bytes(16), version=4),
            image=pictures[found.truth[i]],
            digit=int(found.digit[i]),
            confidence=float(found.confidence[i]),
            probabilities=chances,
            verdict=str(found.verdict[i]),
            model_version=versions[found.version[i]],
            source="canvas",
            margin=max(0.0, float(found.confidence[i]) - rest),
            created_at=now - datetime.timedelta(seconds=float(found.age[i])),
        )
        if found.suggestion[i] >= 0:
            row.suggestion = int(found.suggestion[i])
        if not np.isnan(found.audit_key[i]):
            row.audit_key = float(found.audit_key[i])
        if found.labelled[i]:
            row.label = int(found.truth[i])
            row.labelled_by = users[by[i]]
            row.labelled_at = now - datetime.timedelta(seconds=float(label_age[i]))
            row.audited_at = row.labelled_at if found.audited[i] else None
        rows.append(row)
    return rows


def _pictures(rng: np.random.Generator) -> list[bytes]:
    from recognizer import imaging
    from recognizer.imaging.strokes import render
    from training.synthesis.allographs import generate_digit
    from training.synthesis.strokes import place

    strokes = [generate_digit(digit, rng) for digit in range(10)]
    strokes.append([rng.uniform(0, 1, (30, 2))])
    return [
        imaging.encode_png(render(place(each, canvas=56, size=0.6), canvas=56, brush=4))
        for each in strokes
    ]


def copy(copies: int, *, seconds: float = 2, owners: bool = False) -> None:
    """Copy every prediction, each copy so many seconds later than the one before, with a new id.

    With ``owners`` each copy belongs to a visitor of its own.
    """
    from django.db import connection

    from recognizer.models import Prediction

    if connection.vendor == "sqlite":
        identifier = "lower(hex(randomblob(16)))"
        later = f"strftime('%Y-%m-%d %H:%M:%f', {{column}}, ({seconds} * copy.n) || ' seconds')"
    else:
        identifier = "gen_random_uuid()"
        later = f"{{column}} + make_interval(secs => {seconds} * copy.n)"
    table = Prediction._meta.db_table
    columns = {str(field.column): str(field.column) for field in Prediction._meta.concrete_fields}
    columns["id"] = identifier
    if owners:
        columns |= {"user_id": "NULL", "visitor": identifier}
    for column in ("created_at", "labelled_at", "audited_at"):
        columns[column] = later.format(column=column)
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) WITH RECURSIVE copy(n) AS "
            "(SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < %s) "
            f"SELECT {values} FROM {table} CROSS JOIN copy",
            [copies],
        )


def _write_history() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recognizer_labelevent (prediction_id, new, by_id, at, via) "
            "SELECT id, label, labelled_by_id, labelled_at, "
            "CASE WHEN audited_at IS NULL THEN 'queue' ELSE 'audit' END "
            "FROM recognizer_prediction WHERE label IS NOT NULL"
        )


def fill_command(drawings: int, days: int, name: str, password: str) -> list[str]:
    return [
        sys.executable, "-m", "benchmarks.site.insights_data", "--drawings", str(drawings),
        "--days", str(days), "--account", name, password,
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("--drawings", type=int, default=20_000)
    parser.add_argument("--days", type=float, default=400)
    parser.add_argument(
        "--account", nargs=2, metavar=("NAME", "PASSWORD"), help="also create a superuser"
    )
    options = parser.parse_args(arguments)
    django_setup.set_up()
    from django.contrib.auth.models import User

    try:
        fill(drawings=options.drawings, days=options.days)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    if options.account:
        User.objects.create_superuser(options.account[0], password=options.account[1])


if __name__ == "__main__":
    main()
