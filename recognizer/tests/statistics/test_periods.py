"""Days, weeks and months in the site's own time zone."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from recognizer.statistics.periods import MOST_MONTHS, Period, Spans, Unit, since, spans

UTC = datetime.timezone.utc


@pytest.fixture
def _berlin() -> Iterator[None]:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        yield


def hours(found: Spans) -> list[float]:
    return [(each.end - each.start).total_seconds() / 3600 for each in found.items]


def test_a_week_ends_with_today() -> None:
    now = datetime.datetime(2026, 3, 5, 12, tzinfo=UTC)

    found = spans(Period.WEEK, now=now)

    assert [each.first.day for each in found.items] == [27, 28, 1, 2, 3, 4, 5]
    assert found.unit is Unit.DAY
    assert found.start == since(Period.WEEK, now=now) == datetime.datetime(2026, 2, 27, tzinfo=UTC)
    assert found.end == datetime.datetime(2026, 3, 6, tzinfo=UTC)


@pytest.mark.usefixtures("_berlin")
def test_the_days_when_the_clock_is_changed_are_shorter_and_longer() -> None:
    spring = spans(Period.WEEK, now=datetime.datetime(2026, 3, 30, 12, tzinfo=UTC))
    autumn = spans(Period.WEEK, now=datetime.datetime(2026, 10, 26, 12, tzinfo=UTC))

    assert hours(spring) == [24, 24, 24, 24, 24, 23, 24]
    assert hours(autumn) == [24, 24, 24, 24, 24, 25, 24]


@pytest.mark.usefixtures("_berlin")
def test_today_is_today_where_the_site_is() -> None:
    found = spans(Period.WEEK, now=datetime.datetime(2026, 7, 1, 22, 30, tzinfo=UTC))

    assert found.items[-1].first == datetime.date(2026, 7, 2)
    assert found.items[-1].start == datetime.datetime(2026, 7, 1, 22, tzinfo=UTC)


def test_where_midnight_does_not_exist_a_day_starts_with_the_jump() -> None:
    with timezone.override(ZoneInfo("America/Santiago")):
        found = spans(Period.WEEK, now=datetime.datetime(2024, 9, 9, 12, tzinfo=UTC))

    assert sum(hours(found)) == 7 * 24 - 1
    assert all(one.end == two.start for one, two in itertools.pairwise(found.items))


@pytest.mark.parametrize(
    ("first", "unit", "count"),
    [
        ("2026-11-24", Unit.DAY, 1),
        ("2026-11-25", Unit.DAY, 1),
        ("2026-08-25", Unit.DAY, 92),
        ("2026-08-24", Unit.WEEK, 14),
        ("2025-10-22", Unit.WEEK, 58),
        ("2025-10-20", Unit.MONTH, 14),
        ("1990-01-01", Unit.MONTH, MOST_MONTHS),
    ],
)
def test_all_time_comes_in_some_dozens_of_spans(first: str, unit: Unit, count: int) -> None:
    now = datetime.datetime(2026, 11, 24, 8, tzinfo=UTC)
    oldest = datetime.datetime.fromisoformat(first).replace(tzinfo=UTC)

    found = spans(Period.ALL, now=now, first=oldest)

    assert (found.unit, len(found.items)) == (unit, count)
    assert found.items[-1].start <= now < found.end
    assert all(one.end == two.start for one, two in itertools.pairwise(found.items))
    assert since(Period.ALL, now=now) is None
