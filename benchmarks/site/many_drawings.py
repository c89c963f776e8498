"""Fill a database with many drawings of real pen strokes, for measurements.

    python -m benchmarks.site.many_drawings [--drawings 1000000] [--different 500]

Fills the database that DATABASE_URL names, which must be a scratch one without drawings. UCI pen
digits are recognised by the active model, as if the page had sent them; each is then stored many
times, with other owners, times, suggestions, labels and places in the audit sample.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import command_line, django_setup
from benchmarks.site import insights_data
from training.data import downloads
from training.data.datasets import read_pen
from training.synthesis.strokes import place

if TYPE_CHECKING:
    from recognizer.models import Prediction

DAYS = 730
SECONDS_A_DAY = 24 * 3600
BASE = 10_000
"""So many rows are made here; the database copies them, which is faster."""
OWNER, OWN = "often", 500
"""An account, and how many drawings it has, however many there are."""
EACH_VISITOR = 20
LABELLED, AUDITED, SUGGESTED, CONTRADICTED = 0.1, 0.05, 0.2, 0.05
CHUNK = 1000
MILLISECONDS_A_POINT = 10


def templates(different: int) -> list[Prediction]:
    """Return unsaved predictions of different pen digits, with strokes, as the page sends them."""
    from recognizer import imaging
    from recognizer.models import Owner
    from recognizer.predictions import recognition
    from recognizer.predictions.recognition import Sent

    rng = np.random.default_rng(3)
    found: list[Prediction] = []
    for digit in read_pen(downloads.pen_file())[:: max(1, 5000 // different)][:different]:
        placed = place(digit.strokes, size=float(rng.uniform(0.4, 0.8)))
        strokes = imaging.PenStrokes.from_json(
            {
                "strokes": [
                    [[*map(float, point), MILLISECONDS_A_POINT * n] for n, point in enumerate(each)]
                    for each in placed
                ],
                "width": 16.0,
                "size": [280, 280],
            }
        )
        (seen,) = recognition.previews(data=[strokes])
        if not isinstance(seen, imaging.ImageError):
            found.append(recognition._row(seen, Sent(strokes, "canvas"), Owner()))
    return found


def drawings(total: int, rows: Sequence[Prediction], owner: Any) -> Iterator[Prediction]:
    """Yield unsaved predictions, the oldest first, from ``DAYS`` ago until now."""
    from django.utils import timezone

    from recognizer.models import Prediction

    rng = np.random.default_rng(5)
    now = timezone.now()
    step = datetime.timedelta(days=DAYS) / total
    own_every = max(1, total // OWN)
    names = [
        field.attname
        for field in Prediction._meta.concrete_fields
        if field.attname not in ("id", "created_at", "visitor", "user_id")
    ]
    fixed = [{name: getattr(row, name) for name in names} for row in rows]
    visitor = uuid.uuid4()
    for number in range(total):
        if number % EACH_VISITOR == 0:
            visitor = uuid.UUID(bytes=rng.bytes(16), version=4)
        chance = rng.random(5)
        at = now - step * (total - number)
        row = Prediction(
            id=uuid.UUID(bytes=rng.bytes(16), version=4),
            created_at=at,
            **fixed[int(rng.integers(len(fixed)))],
        )
        if number % own_every == 0:
            row.user_id = owner.pk
        else:
            row.visitor = visitor
        row.audit_key = float(chance[1] / AUDITED) if chance[1] < AUDITED else None
        if chance[2] < SUGGESTED:
            row.suggestion = (row.digit + int(chance[3] < CONTRADICTED)) % 10
        if chance[0] < LABELLED:
            row.label = (row.digit + int(chance[4] < CONTRADICTED)) % 10
            row.labelled_by_id, row.labelled_at = owner.pk, at
            row.audited_at = None if row.audit_key is None else at
        yield row


def fill(total: int, different: int) -> None:
    """Fill the database of Django's settings. Raises ValueError if it has drawings."""
    from django.contrib.auth.models import User
    from django.db import connection

    from recognizer.models import Prediction

    if Prediction.objects.exists():
        raise ValueError("The database already has drawings. Use an empty one.")
    owner = User.objects.create_superuser(OWNER, password=None)
    copies = max(1, total // BASE)
    base = total // copies
    waiting = drawings(base, templates(different), owner)
    while chunk := list(islice(waiting, CHUNK)):
        Prediction.objects.bulk_create(chunk)
    if copies > 1:
        insights_data.copy(copies - 1, seconds=DAYS * SECONDS_A_DAY / base / copies, owners=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recognizer_labelevent (prediction_id, new, by_id, at, via) "
            "SELECT id, label, labelled_by_id, labelled_at, "
            "CASE WHEN audited_at IS NULL THEN 'queue' ELSE 'audit' END "
            "FROM recognizer_prediction WHERE label IS NOT NULL"
        )
        # As `manage.py housekeeping` does: statistics for the planner.
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM (ANALYZE)")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("--drawings", type=int, default=1_000_000)
    parser.add_argument("--different", type=int, default=500, help="different drawings among them")
    options = parser.parse_args(arguments)
    django_setup.set_up()
    with command_line.errors_as_messages():
        try:
            fill(options.drawings, options.different)
        except ValueError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
