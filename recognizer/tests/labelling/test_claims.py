"""No two pages are given the same drawing."""

from __future__ import annotations

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from recognizer.labelling import claims
from recognizer.models import Prediction, ReviewClaim, ReviewSkip
from recognizer.tests.support.reviewing import make_prediction, make_staff, make_version, prediction

pytestmark = pytest.mark.store


def later(minutes: int = 10) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(minutes=minutes)


def tab_of(reviewer: User) -> claims.Claimant:
    """A page that this reviewer has just opened."""
    return claims.Claimant(reviewer, uuid.uuid4())


def claim(
    ids: list[uuid.UUID], tab: claims.Claimant, until: datetime.datetime | None = None
) -> set[uuid.UUID]:
    return claims.claim(ids=ids, claimant=tab, until=until or later())


@pytest.mark.django_db
@pytest.mark.parametrize("same_reviewer", [True, False])
def test_a_page_gets_nothing_that_another_page_has_claimed(same_reviewer: bool) -> None:
    ada = make_staff("ada")
    one_tab, other_tab = tab_of(ada), tab_of(ada if same_reviewer else make_staff("grace"))
    one, two, three = (make_prediction(d).pk for d in (1, 2, 3))

    assert claim([one, two], one_tab) == {one, two}
    assert claim([two, three], other_tab) == {three}
    free = claims.unclaimed(Prediction.objects.all(), one_tab).values_list("pk", flat=True)
    assert set(free) == {one, two}


@pytest.mark.django_db
def test_a_claim_expires_or_is_released_by_its_page() -> None:
    ada, grace = tab_of(make_staff("ada")), tab_of(make_staff("grace"))
    expired, released, kept = (make_prediction(d).pk for d in (1, 2, 3))
    claim([expired], ada, later(-1))
    claim([released, kept], ada)

    assert claims.release(claimant=tab_of(ada.reviewer)) == 0
    assert claims.release(claimant=ada, ids=[released]) == 1
    assert claim([expired, released, kept], grace) == {expired, released}
    assert claims.release(claimant=ada) == 1
    assert set(ReviewClaim.objects.values_list("reviewer__username", flat=True)) == {"grace"}


@pytest.mark.django_db
def test_a_page_renews_its_claims() -> None:
    ada, row, until = tab_of(make_staff("ada")), make_prediction(), later(20)
    claim([row.pk], ada, later(5))

    assert claim([row.pk], ada, until) == {row.pk}
    assert ReviewClaim.objects.get().expires_at == until


@pytest.mark.django_db
def test_a_deleted_drawing_is_not_claimed() -> None:
    assert claim([uuid.uuid4()], tab_of(make_staff("ada"))) == set()
    assert claim([], tab_of(make_staff("grace"))) == set()


@pytest.mark.django_db
def test_expired_claims_and_skips_are_deleted() -> None:
    ada, old, new = make_staff("ada"), make_prediction(1), make_prediction(2)
    claim([old.pk], tab_of(ada), later(-1))
    claim([new.pk], tab_of(ada))
    claims.skip(ids=[old.pk], reviewer=ada, until=later(-1))
    claims.skip(ids=[new.pk], reviewer=ada, until=later())

    claims.delete_expired()

    assert [each.prediction_id for each in ReviewClaim.objects.all()] == [new.pk]
    assert [each.prediction_id for each in ReviewSkip.objects.all()] == [new.pk]


@pytest.mark.django_db(transaction=True)
def test_simultaneous_claims_share_the_drawings() -> None:
    reviewers = [make_staff(f"reviewer-{n}") for n in range(6)]
    version = make_version()
    rows = Prediction.objects.bulk_create(
        [prediction(n % 10, model_version=version) for n in range(40)]
    )
    ids = [row.pk for row in rows]

    def claim_some(n: int) -> set[uuid.UUID]:
        try:
            # Each from another end, as the orders of the queue go.
            wanted = ids if n % 2 else list(reversed(ids))
            return claim(wanted[: 20 + n], tab_of(reviewers[n]))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(reviewers)) as pool:
        shares = list(pool.map(claim_some, range(len(reviewers))))

    assert sum(map(len, shares)) == len(set().union(*shares)) == ReviewClaim.objects.count()
    for reviewer, share in zip(reviewers, shares, strict=True):
        theirs = ReviewClaim.objects.filter(reviewer=reviewer)
        assert set(theirs.values_list("prediction", flat=True)) == share
