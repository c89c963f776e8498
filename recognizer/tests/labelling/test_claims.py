"""Two reviewers at once are given different drawings."""

from __future__ import annotations

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from recognizer.labelling import claims
from recognizer.models import Prediction, ReviewClaim
from recognizer.tests.support.reviewing import make_prediction, make_staff, make_version, prediction

pytestmark = pytest.mark.store


def later(minutes: int = 10) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(minutes=minutes)


@pytest.mark.django_db
def test_what_one_reviewer_has_claimed_the_other_does_not_get() -> None:
    ada, grace = make_staff("ada"), make_staff("grace")
    one, two, three = (make_prediction(d) for d in (1, 2, 3))

    assert claims.claim(ids=[one.pk, two.pk], reviewer=ada, until=later()) == {one.pk, two.pk}
    assert claims.claim(ids=[two.pk, three.pk], reviewer=grace, until=later()) == {three.pk}
    free = claims.free_for(Prediction.objects.all(), ada).values_list("pk", flat=True)
    assert set(free) == {one.pk, two.pk}


@pytest.mark.django_db
def test_a_claim_ends_by_itself_and_by_letting_go() -> None:
    ada, grace = make_staff("ada"), make_staff("grace")
    ended, let_go, kept = (make_prediction(d) for d in (1, 2, 3))
    claims.claim(ids=[ended.pk], reviewer=ada, until=later(-1))
    claims.claim(ids=[let_go.pk, kept.pk], reviewer=ada, until=later())

    assert claims.release(reviewer=ada, ids=[let_go.pk]) == 1
    everything = [ended.pk, let_go.pk, kept.pk]
    assert claims.claim(ids=everything, reviewer=grace, until=later()) == {ended.pk, let_go.pk}
    assert claims.release(reviewer=ada) == 1
    assert set(ReviewClaim.objects.values_list("reviewer__username", flat=True)) == {"grace"}


@pytest.mark.django_db
def test_ones_own_claims_are_renewed() -> None:
    ada, row, until = make_staff("ada"), make_prediction(), later(20)
    claims.claim(ids=[row.pk], reviewer=ada, until=later(5))

    assert claims.claim(ids=[row.pk], reviewer=ada, until=until) == {row.pk}
    assert ReviewClaim.objects.get().expires_at == until


@pytest.mark.django_db
def test_a_drawing_that_is_gone_is_not_claimed() -> None:
    assert claims.claim(ids=[uuid.uuid4()], reviewer=make_staff("ada"), until=later()) == set()
    assert claims.claim(ids=[], reviewer=make_staff("grace"), until=later()) == set()


@pytest.mark.django_db
def test_claims_that_have_ended_are_swept_away() -> None:
    ada, old, new = make_staff("ada"), make_prediction(1), make_prediction(2)
    claims.claim(ids=[old.pk], reviewer=ada, until=later(-1))

    claims.claim(ids=[new.pk], reviewer=ada, until=later())

    assert [each.prediction_id for each in ReviewClaim.objects.all()] == [new.pk]


@pytest.mark.django_db(transaction=True)
def test_reviewers_who_claim_at_the_same_moment_share_the_drawings_out() -> None:
    reviewers = [make_staff(f"reviewer-{n}") for n in range(6)]
    version = make_version()
    rows = Prediction.objects.bulk_create(
        [prediction(n % 10, model_version=version) for n in range(40)]
    )
    ids = [row.pk for row in rows]

    def claim(n: int) -> set[uuid.UUID]:
        try:
            # Each from another end, as the orders of the queue go.
            wanted = ids if n % 2 else list(reversed(ids))
            return claims.claim(ids=wanted[: 20 + n], reviewer=reviewers[n], until=later())
        finally:
            connection.close()

    with ThreadPoolExecutor(len(reviewers)) as pool:
        shares = list(pool.map(claim, range(len(reviewers))))

    assert sum(map(len, shares)) == len(set().union(*shares)) == ReviewClaim.objects.count()
    for reviewer, share in zip(reviewers, shares, strict=True):
        theirs = ReviewClaim.objects.filter(reviewer=reviewer)
        assert set(theirs.values_list("prediction", flat=True)) == share
