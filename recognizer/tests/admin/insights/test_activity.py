"""Answers, suggestions and labels over time on the page of insights."""

from __future__ import annotations

import datetime
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from recognizer.labelling import labels
from recognizer.models import Via
from recognizer.statistics.activity import Answers, answers_over_time, pace
from recognizer.statistics.periods import Period, spans
from recognizer.tests.support.insights import act, section, store, table, text
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.store]

UTC = datetime.timezone.utc
ALL = "?version=all&period=all"


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- answers --------------------------------------------------------------------------------------


def test_answers_are_counted_by_day_and_verdict(reviewing: Client) -> None:
    today = timezone.now()
    yesterday = today - datetime.timedelta(days=1)
    store(5, 3, None, created_at=today)
    store(2, 3, None, created_at=today, verdict="uncertain")
    store(1, 3, None, created_at=yesterday, verdict="not_a_digit")

    found = table(reviewing, "answers", "?period=7")

    assert len(found) == 7
    assert found[date_format(today, "j M Y")] == ["5", "2", "0"]
    assert found[date_format(yesterday, "j M Y")] == ["0", "0", "1"]
    says = section(reviewing, "answers", "?period=7")
    assert "without imports: 8. Uncertain: 2. Rejected as not a digit: 1." in says


def test_imported_drawings_are_not_counted(reviewing: Client) -> None:
    long_ago = timezone.now() - datetime.timedelta(days=900)
    store(2, 3, 3, audited=False, source="import", created_at=long_ago, suggestion=3)
    store(1, 3, None, created_at=timezone.now())

    assert list(table(reviewing, "answers", "?period=all").values()) == [["1", "0", "0"]]
    assert "No visitor has confirmed" in section(reviewing, "suggestions", "?period=all")
    found = section(reviewing, "confusion", ALL + "&drawings=labelled")
    assert "predictions: 2." in found


def test_daily_shares_are_averaged_over_a_week(reviewing: Client) -> None:
    now = timezone.now()
    store(3, 3, None, created_at=now)
    store(1, 3, None, created_at=now - datetime.timedelta(days=1), verdict="not_a_digit")
    store(6, 3, None, created_at=now - datetime.timedelta(days=6), verdict="uncertain")
    store(9, 3, None, created_at=now - datetime.timedelta(days=7), verdict="not_a_digit")

    found = table(reviewing, "shares", "?period=30")

    assert found[date_format(now, "j M Y")] == ["60.0\u00a0%", "10.0\u00a0%"]
    long_ago = now - datetime.timedelta(days=20)
    assert found[date_format(long_ago, "j M Y")] == ["–", "–"]


def test_days_follow_the_sites_time_zone() -> None:
    # The night of 25 October 2026: in Berlin the day has 25 hours, from 22:00 to 23:00 UTC.
    for moment in (
        "2026-10-24T21:59", "2026-10-24T22:00", "2026-10-25T00:30", "2026-10-25T01:30",
        "2026-10-25T22:59:59.999999", "2026-10-25T23:00",
    ):  # fmt: skip
        make_prediction(created_at=at(moment))

    with timezone.override(ZoneInfo("Europe/Berlin")):
        found = answers_over_time(spans(Period.WEEK, now=at("2026-10-26T12:00")))

    assert [each.n for each in found] == [0, 0, 0, 0, 1, 4, 1]


def test_one_day_has_one_bar(reviewing: Client) -> None:
    store(2, 3, None, created_at=timezone.now())

    assert list(table(reviewing, "answers", "?period=all").values()) == [["2", "0", "0"]]


def test_years_have_one_bar_per_month(reviewing: Client) -> None:
    now = timezone.now()
    store(1, 3, None, created_at=now)
    store(1, 3, None, created_at=now - datetime.timedelta(days=3 * 365))

    found = table(reviewing, "answers", "?period=all")

    assert len(found) == 37
    assert next(iter(found)) == date_format(now, "F Y")
    assert "Predictions per month" in section(reviewing, "answers", "?period=all")


# --- suggestions ----------------------------------------------------------------------------------


def test_a_suggestion_is_compared_with_the_networks_answer() -> None:
    now = at("2026-11-24T12:00")
    for digit, suggestion, verdict in [
        (3, 3, "digit"),
        (3, 8, "digit"),
        (3, NOT_A_DIGIT, "not_a_digit"),
        (3, NOT_A_DIGIT, "uncertain"),
        (3, 3, "not_a_digit"),
        (3, None, "digit"),
    ]:
        make_prediction(digit, suggestion=suggestion, verdict=verdict, created_at=now)
    make_prediction(
        3,
        suggestion=8,
        created_at=now,
        personal_digit=8,
        personal_confidence=0.9,
        personal_probabilities=[0.0] * 8 + [1.0, 0.0],
        personal_verdict="digit",
    )

    found = sum(answers_over_time(spans(Period.WEEK, now=now)), Answers())

    assert found == Answers(n=7, uncertain=1, refused=2, suggested=6, disputed=4)


def test_the_page_says_how_often_visitors_disagree(reviewing: Client) -> None:
    store(3, 3, None, suggestion=3)
    store(1, 3, None, suggestion=5)
    store(16, 3, None)

    found = section(reviewing, "suggestions")

    assert "Predictions that visitors judged: 4 (20.0\u00a0%)." in found
    assert "They disagreed with 1 (25.0\u00a0%)." in found


# --- pace -----------------------------------------------------------------------------------------


@pytest.fixture
def ada() -> User:
    """A reviewer, with a drawing to label."""
    make_prediction()
    return User.objects.create_user("ada")


def test_a_pause_of_more_than_five_minutes_ends_a_session(ada: User) -> None:
    start = at("2026-11-24T09:00")
    act(ada, start, [0, 10, 20, 320, 621, 631])

    (found,) = pace(spans(Period.WEEK, now=at("2026-11-24T12:00")))

    # 0-320 s and 621-631 s: of six labels four were set in 330 s after another one.
    assert (found.name, found.labels, found.sessions, found.timed) == ("ada", 6, 2, 4)
    assert found.seconds == pytest.approx(330, abs=0.01)
    assert found.per_hour == pytest.approx(3600 * 4 / 330, rel=1e-4)


def test_labels_saved_together_have_the_same_time(ada: User) -> None:
    start = at("2026-11-24T09:00")
    act(ada, start, [0] * 60, via=Via.GRID)
    act(ada, start, [100] * 40, via=Via.GRID)

    (found,) = pace(spans(Period.WEEK, now=at("2026-11-24T12:00")))

    # Nobody knows how long the first 60 took: 40 in 100 s.
    assert (found.labels, found.sessions, found.timed) == (100, 1, 40)
    assert found.per_hour == pytest.approx(1440, rel=1e-4)


def test_a_single_label_has_no_pace(ada: User) -> None:
    act(ada, at("2026-11-24T09:00"), [0])

    (found,) = pace(spans(Period.WEEK, now=at("2026-11-24T12:00")))

    assert (found.labels, found.sessions, found.per_hour) == (1, 1, None)


def test_imports_and_undos_are_not_counted(ada: User) -> None:
    start = at("2026-11-24T09:00")
    act(ada, start, [0, 5, 10])
    for via in (Via.IMPORT, Via.UNDO, Via.RESTORE):
        act(ada, start, [1, 2, 3], via=via)
    act(ada, start, [4], new=None)

    (found,) = pace(spans(Period.WEEK, now=at("2026-11-24T12:00")))

    assert (found.labels, found.timed) == (3, 2)
    assert found.seconds == pytest.approx(10, abs=0.01)


def test_reviewers_do_not_break_each_others_sessions(ada: User) -> None:
    grace = User.objects.create_user("grace")
    start = at("2026-11-23T23:59")
    act(ada, start, [0, 30, 60, 90])
    act(grace, start, [15, 45, 75])
    act(None, start, [50])

    found = pace(spans(Period.WEEK, now=at("2026-11-24T12:00")))

    assert [(each.name, each.labels, each.sessions) for each in found] == [
        ("ada", 4, 1),
        ("grace", 3, 1),
        (None, 1, 1),
    ]
    # Midnight lies within: two of ada's labels are of the day before.
    assert found[0].counts == (0, 0, 0, 0, 0, 2, 2)
    assert found[0].per_busy_span == 2


def test_the_page_says_how_fast_each_reviewer_is(reviewing: Client, ada: User) -> None:
    act(ada, timezone.now() - datetime.timedelta(minutes=30), [10 * i for i in range(61)])
    act(None, timezone.now(), [0])

    found = table(reviewing, "pace", "?period=7")

    assert found["ada"][:2] == ["61", "360"]
    assert found["ada"][3:5] == ["10\u00a0min", "1"]
    assert found["deleted account"][:2] == ["1", "–"]
    says = section(reviewing, "pace", "?period=7")
    assert "A pause of more than 5 minutes ends a session." in says


@pytest.mark.parametrize("via", [Via.QUEUE, Via.GRID])
def test_an_undone_label_does_not_count(reviewing: Client, reviewer: User, via: Via) -> None:
    batches = [uuid.uuid4(), uuid.uuid4()]
    for batch in batches:
        given = {make_prediction(3).pk: 3}
        labels.label_each(labels=given, by=reviewer, via=via, batch=batch)
    labels.undo(changes=labels.changes_of(batches[0]), by=reviewer, batch=batches[0])

    assert "Labels set 1 by 1 reviewer" in text(reviewing)
    assert table(reviewing, "pace", "?period=7")[reviewer.username][0] == "1"
