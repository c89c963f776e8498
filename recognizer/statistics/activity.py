"""Activity over time: answers, suggestions, labels, and the reviewers' pace.

Aggregated in the database. A span is a range of an index whose ends are computed here, which
respects the site's time zone and daylight saving time without converting any row.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from recognizer.models import NOT_SENT, LabelEvent, Prediction, Verdict, Via
from recognizer.models.correctness import correct
from recognizer.models.predictions import how_many
from recognizer.statistics.periods import Spans

# A longer pause ends a reviewer's session. Seconds.
PAUSE = 300
# The sources of labels that a reviewer sets manually.
MANUAL = (Via.QUEUE, Via.AUDIT, Via.GRID, Via.ADMIN)
# The number of reviewers shown, those with the most labels.
MOST_REVIEWERS = 20


def first_answer() -> datetime.datetime | None:
    """Return when the oldest drawing that was not imported was made."""
    return _answered().order_by("created_at").values_list("created_at", flat=True).first()


def _answered() -> QuerySet[Prediction]:
    """The drawings that a visitor got an answer to: all but imported ones."""
    return Prediction.objects.order_by().exclude(source__in=NOT_SENT)


@dataclass(frozen=True)
class Answers:
    """The network's answers of one span, and the visitors' suggestions.

    ``uncertain`` and ``refused`` are part of the ``n`` answers. For ``suggested`` ones the visitor
    gave a label; for ``disputed`` ones that differs from the answer.
    """

    n: int = 0
    uncertain: int = 0
    refused: int = 0
    suggested: int = 0
    disputed: int = 0

    def __add__(self, other: Answers) -> Answers:
        return Answers(
            self.n + other.n,
            self.uncertain + other.uncertain,
            self.refused + other.refused,
            self.suggested + other.suggested,
            self.disputed + other.disputed,
        )

    @property
    def sure(self) -> int:
        return self.n - self.uncertain - self.refused


def answers_over_time(spans: Spans) -> list[Answers]:
    """Return the answers of each span, from the index ``prediction_answered`` alone."""
    suggested = Q(suggestion__isnull=False)
    counts = [
        _answered()
        .filter(created_at__gte=span.start, created_at__lt=span.end)
        .annotate(span=Value(number))
        .values_list("span")
        .annotate(
            n=Count("*"),
            uncertain=how_many(Q(verdict=Verdict.UNCERTAIN)),
            refused=how_many(Q(verdict=Verdict.NOT_A_DIGIT)),
            suggested=how_many(suggested),
            confirmed=how_many(correct(label="suggestion")),
        )
        for number, span in enumerate(spans.items)
    ]
    found = [Answers()] * len(counts)
    for number, n, uncertain, refused, given, confirmed in counts[0].union(*counts[1:], all=True):
        found[number] = Answers(n, uncertain, refused, given, given - confirmed)
    return found


@dataclass(frozen=True)
class Pace:
    """How one reviewer labelled.

    A session is a series of labels without a pause of more than 5 minutes. ``seconds`` sums the
    time from the first to the last label of each session; ``timed`` counts the labels except the
    first of each session, whose duration is unknown. Labels saved together, such as a page of the
    grid, have the same time. ``counts`` is the number of labels in each span.
    """

    name: str | None
    labels: int
    sessions: int
    timed: int
    seconds: float
    counts: tuple[int, ...]

    @property
    def per_hour(self) -> float | None:
        """Labels per working hour; None if all sessions have no duration."""
        return 3600 * self.timed / self.seconds if self.seconds else None

    @property
    def per_busy_span(self) -> float:
        """The mean number of labels in the spans that have any."""
        return self.labels / max(1, sum(count > 0 for count in self.counts))


# A time in seconds, in each database's SQL.
SECONDS = {"sqlite": 'julianday("at") * 86400.0', "postgresql": 'EXTRACT(EPOCH FROM "at")'}
# The ORM can't add up over a window function. `moments` is (by_id, at, labels).
PACE = """
    SELECT by_id,
           SUM(labels) AS labels,
           COUNT(*) FILTER (WHERE pause IS NULL OR pause > {longest}),
           SUM(labels) FILTER (WHERE pause <= {longest}),
           SUM(pause) FILTER (WHERE pause <= {longest})
      FROM (SELECT by_id, labels,
                   {seconds} - LAG({seconds}) OVER (PARTITION BY by_id ORDER BY "at") AS pause
              FROM ({moments}) AS moments) AS pauses
     GROUP BY by_id
     ORDER BY labels DESC, by_id
     LIMIT {most}
"""


def pace(spans: Spans) -> list[Pace]:
    """Return the pace of the busiest reviewers over all spans, at most 20.

    Counts manual labels, including those changed since, but neither imports nor what was undone.
    """
    undone = LabelEvent.objects.order_by().filter(
        prediction=OuterRef("prediction"), batch=OuterRef("batch"), via=Via.UNDO
    )
    manual = LabelEvent.objects.order_by().filter(
        ~Exists(undone), via__in=MANUAL, new__isnull=False
    )
    moments, parameters = (
        manual.filter(at__gte=spans.start, at__lt=spans.end)
        .values("by_id", "at")
        .annotate(labels=Count("*"))
        .query.sql_with_params()
    )
    sql = PACE.format(
        moments=moments,
        seconds=SECONDS[connection.vendor],
        longest=PAUSE,
        most=MOST_REVIEWERS,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    if not rows:
        return []
    names = dict(User.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", "username"))
    counts = _labels_over_time(manual, spans)
    return [
        Pace(
            names.get(by),
            int(labels),
            sessions,
            int(timed or 0),
            float(seconds or 0),
            tuple(counts.get((number, by), 0) for number in range(len(spans.items))),
        )
        for by, labels, sessions, timed, seconds in rows
    ]


def _labels_over_time(events: QuerySet[LabelEvent], spans: Spans) -> dict[tuple[int, int], int]:
    counts = [
        events.filter(at__gte=span.start, at__lt=span.end)
        .annotate(span=Value(number))
        .values_list("span", "by_id")
        .annotate(n=Count("*"))
        for number, span in enumerate(spans.items)
    ]
    return {(number, by): n for number, by, n in counts[0].union(*counts[1:], all=True)}
