"""Drawings for the tests of the page of insights, by the dozen."""

from __future__ import annotations

import datetime
import html
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognizer.models import LabelEvent, Prediction, Via
from recognizer.tests.support.reviewing import prediction

PAGE = "/admin/recognizer/prediction/insights/"


def store(n: int, digit: int, label: int | None, *, audited: bool = True, **fields: Any) -> None:
    """Store n drawings with one answer and one label, drawn an hour ago."""
    now = timezone.now()
    fields.setdefault("created_at", now - datetime.timedelta(hours=1))
    if label is not None and audited:
        fields |= {"audit_key": 0.5, "audited_at": now}
    Prediction.objects.bulk_create(prediction(digit, label=label, **fields) for _row in range(n))


def act(
    by: User | None,
    start: datetime.datetime,
    seconds: Iterable[float],
    via: Via = Via.QUEUE,
    **fields: Any,
) -> None:
    """Let somebody label the same drawing at these moments after ``start``."""
    row = Prediction.objects.first()
    assert row is not None
    LabelEvent.objects.bulk_create(
        LabelEvent(
            prediction=row,
            new=fields.get("new", index % 2),
            by=by,
            at=start + datetime.timedelta(seconds=moment),
            via=via,
            batch=uuid.uuid4(),
        )
        for index, moment in enumerate(seconds)
    )


def words(page: str) -> str:
    """The text of a page or a part of it, in one line."""
    # Not str.split: that takes a no-break space for a space.
    return re.sub(r"[ \n]+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page))).strip()


def text(client: Client, query: str = "") -> str:
    """The words of the page of insights."""
    return words(markup(client, query))


def markup(client: Client, query: str = "") -> str:
    """The page of insights."""
    response = client.get(PAGE + query)
    assert response.status_code == 200
    return response.content.decode()


def section(client: Client, name: str, query: str = "") -> str:
    """The words of one section of the page."""
    found = re.search(
        rf'<section aria-labelledby="{name}-name">(.*?)</section>', markup(client, query), re.DOTALL
    )
    assert found is not None
    return words(found[1])


def table(client: Client, name: str, query: str = "") -> dict[str, list[str]]:
    """The numbers of a section's table by the name of the row."""
    found = re.search(
        rf'<section aria-labelledby="{name}-name">(.*?)</section>', markup(client, query), re.DOTALL
    )
    assert found is not None
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", found[1], re.DOTALL)
    return {
        words(head): [words(cell) for cell in re.findall(r"<td>(.*?)</td>", cells, re.DOTALL)]
        for head, cells in rows
    }
