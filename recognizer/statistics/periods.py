"""Spans of time in the site's own time zone, for figures by day, week or month."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import Enum

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Period(TextChoices):
    WEEK = "7", _("the last 7 days")
    MONTH = "30", _("the last 30 days")
    QUARTER = "90", _("the last 90 days")
    ALL = "all", _("all time")

    @property
    def days(self) -> int | None:
        """The number of days, including today; None for all."""
        return None if self is Period.ALL else int(self.value)


class Unit(Enum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


# For all time: days up to MOST_DAYS, weeks up to MOST_DAYS_BY_WEEK, else the last MOST_MONTHS.
MOST_DAYS = 92
MOST_DAYS_BY_WEEK = 400
MOST_MONTHS = 60


@dataclass(frozen=True)
class Span:
    """A day, week or month: ``start`` <= moment < ``end``; ``first`` is its first day."""

    first: datetime.date
    start: datetime.datetime
    end: datetime.datetime


@dataclass(frozen=True)
class Spans:
    """The spans of a period without gaps, oldest first; the last one includes today."""

    unit: Unit
    items: tuple[Span, ...]

    @property
    def start(self) -> datetime.datetime:
        return self.items[0].start

    @property
    def end(self) -> datetime.datetime:
        """Exclusive."""
        return self.items[-1].end


def since(period: Period, *, now: datetime.datetime) -> datetime.datetime | None:
    """Return the start of a period that ends today; None for all time."""
    if period.days is None:
        return None
    return midnight(timezone.localdate(now) - datetime.timedelta(days=period.days - 1))


def spans(
    period: Period, *, now: datetime.datetime, first: datetime.datetime | None = None
) -> Spans:
    """Return the spans of a period that ends with the day of ``now``.

    All time starts at ``first`` (default: now) and is split into days, weeks or months, so that
    there are at most 92 spans; only the last 60 months are included.
    """
    today = timezone.localdate(now)
    if period.days is not None:
        return _spans(Unit.DAY, today - datetime.timedelta(days=period.days - 1), today)
    oldest = min(today, timezone.localdate(first or now))
    age = (today - oldest).days
    if age < MOST_DAYS:
        return _spans(Unit.DAY, oldest, today)
    if age < MOST_DAYS_BY_WEEK:
        return _spans(Unit.WEEK, oldest - datetime.timedelta(days=oldest.weekday()), today)
    months = 12 * (today.year - oldest.year) + today.month - oldest.month
    months = min(months, MOST_MONTHS - 1)
    year, month = divmod(12 * today.year + today.month - 1 - months, 12)
    return _spans(Unit.MONTH, datetime.date(year, month + 1, 1), today)


def midnight(day: datetime.date) -> datetime.datetime:
    """Return when a day starts in the current time zone.

    If the clock jumps over midnight, that is the time of the jump.
    """
    return datetime.datetime.combine(
        day, datetime.time.min, tzinfo=timezone.get_current_timezone()
    ).astimezone(datetime.timezone.utc)


def _next(unit: Unit, day: datetime.date) -> datetime.date:
    if unit is Unit.MONTH:
        return (day.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)
    return day + datetime.timedelta(days=7 if unit is Unit.WEEK else 1)


def _spans(unit: Unit, first: datetime.date, today: datetime.date) -> Spans:
    found = []
    while first <= today:
        following = _next(unit, first)
        found.append(Span(first, midnight(first), midnight(following)))
        first = following
    return Spans(unit, tuple(found))
