"""Cursor pages, newest first."""

from __future__ import annotations

from datetime import timezone

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

utc = timezone.utc


class NewestFirst(CursorPagination):
    """Cursor pages, newest first; `page_size` up to 100."""

    ordering = ("-created_at", "-id")
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    invalid_cursor_message = _(
        "The cursor is not valid. Follow the links next and previous, or leave it out."
    )  # type: ignore[assignment]

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor of the request; one whose position is no time is not ours."""
        cursor = super().decode_cursor(request)
        if (
            cursor is not None
            and cursor.position is not None
            and not _is_time(str(cursor.position))
        ):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_time(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        # At the ends of the calendar a time may have no equivalent in UTC.
        return moment is not None and moment.tzinfo is not None and bool(moment.astimezone(utc))
    except (ValueError, OverflowError):
        return False
