"""Counting the drawings of the list only so far: counting a million takes longer than a page."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.utils.translation import gettext as _

from recognizer.models import Prediction
from recognizer.text.numbers import grouped

if TYPE_CHECKING:
    PredictionPaginator = Paginator[Prediction]
else:
    PredictionPaginator = Paginator

MOST = 10_000
"""The drawings that can be reached by page numbers; filters lead to others."""


class MoreThan(int):
    """A count that stopped, shown as "more than 10,000"."""

    def __str__(self) -> str:
        return _("more than {n}").format(n=grouped(int(self)))


class CountingUpTo(PredictionPaginator):
    """Pages of the newest ``MOST`` drawings of a list; the count stops there."""

    @cached_property
    def count(self) -> int:
        # The admin's own list of objects is a QuerySet.
        rows: Any = self.object_list
        # By a column of the index that the list is read from: SQLite would look for ids in all
        # rows, with their drawings.
        first = (rows.model._meta.ordering or ["pk"])[0].removeprefix("-")
        found: int = rows.order_by().values(first)[: MOST + 1].count()
        return found if found <= MOST else MoreThan(MOST)
