"""Shared by long-running commands: a progress bar, and dates as options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, time, timedelta

from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

Step = Callable[[], object]


@contextmanager
def progress_bar(
    *,
    verbosity: int,
    total: Callable[[], int | None] | int | None,
    name: str | None = None,
    unit: str = " drawings",
) -> Iterator[Step]:
    """Show a progress bar on standard error; yield a function that advances it by one.

    It is shown on a terminal, or with ``--verbosity 2`` anywhere. A ``total`` that is a function is
    only called then.
    """
    if verbosity < 1 or (verbosity < 2 and not sys.stderr.isatty()):
        yield lambda: None
        return
    known = total() if callable(total) else total
    with tqdm(total=known, desc=name, unit=unit, file=sys.stderr, dynamic_ncols=True) as bar:
        yield bar.update


def named_bar(name: str, total: int | None, *, verbosity: int) -> AbstractContextManager[Step]:
    return progress_bar(verbosity=verbosity, total=total, name=name)


def say(text: str, stream: OutputWrapper) -> None:
    """Write a line above the progress bar, if there is one."""
    with tqdm.external_write_mode(file=sys.stderr):
        stream.write(text)


def parse_moment(option: str, text: str | None, *, end: bool = False) -> datetime | None:
    """Parse an ISO date, or date and time; raises CommandError.

    A date without a time is its start; with ``end``, the start of the next day.
    """
    if text is None:
        return None
    try:
        day = parse_date(text)
        moment = _midnight(day + timedelta(days=end)) if day else parse_datetime(text)
        if moment is None:
            raise CommandError(f"{option} {text}: enter a date such as 2026-03-31.")
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except ValueError as error:
        raise CommandError(f"{option} {text}: {error}.") from error
    except OverflowError as error:
        raise CommandError(f"{option} {text}: out of range.") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)
