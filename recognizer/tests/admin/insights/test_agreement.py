"""Agreement of reviewers on the page of insights."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognizer.models import Opinion, OpinionKind
from recognizer.tests.support.insights import section, table
from recognizer.tests.support.reviewing import make_prediction, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.store]


@pytest.fixture
def people(client: Client) -> tuple[User, User]:
    ada, grace = (make_staff(name, "view_prediction") for name in ("ada", "grace"))
    client.force_login(ada)
    return ada, grace


def give(
    n: int,
    first: int,
    label: int,
    by: tuple[User, User],
    kind: OpinionKind = OpinionKind.SECOND,
) -> None:
    row = make_prediction(first, label=first)
    Opinion.objects.bulk_create(
        Opinion(
            prediction=row,
            kind=kind,
            first=first,
            first_by=by[0],
            label=label,
            by=by[1],
            at=timezone.now(),
        )
        for _row in range(n)
    )


def test_without_opinions_it_says_where_they_come_from(
    client: Client, people: tuple[User, User]
) -> None:
    make_prediction(3)
    assert "No second opinion was given in this period." in section(client, "agreement")


def test_kappas_are_those_of_the_textbook(client: Client, people: tuple[User, User]) -> None:
    # 20 twice yes, 15 twice no, 5 and 10 of each other: po 0.7, pe 0.5 and 0.505.
    for n, first, label in ((20, 1, 1), (5, 1, 7), (10, 7, 1), (15, 7, 7)):
        give(n, first, label, people)

    said = section(client, "agreement")

    assert "Second opinions: 50." in said
    assert "The same label: 70.0\xa0% (56.2 to 80.9\xa0%)." in said
    assert "Cohen's kappa 0.40 (0.12 to 0.62), Fleiss' kappa 0.39 (0.12 to 0.61)." in said


def test_reviewers_their_pairs_and_digit_pairs_are_listed(
    client: Client, people: tuple[User, User]
) -> None:
    ada, grace = people
    give(8, 1, 1, (ada, grace))
    give(2, 7, 1, (grace, ada))
    give(5, 3, 3, (ada, ada), OpinionKind.OWN)

    found = table(client, "agreement")

    assert found["ada"][:3] == ["10", "80.0\xa0%", "49.0 to 94.3\xa0%"]
    assert found["ada"][3:5] == ["5", "100.0\xa0%"]
    assert found["grace"][3:5] == ["0", "–"]
    assert found["ada and grace"][:2] == ["10", "80.0\xa0%"]
    assert found["1 or 7"] == ["10", "20.0\xa0%", "5.7 to 51.0\xa0%"]


def test_third_opinions_do_not_count(client: Client, people: tuple[User, User]) -> None:
    give(4, 1, 1, people)
    give(4, 1, 7, people, OpinionKind.THIRD)

    assert "Second opinions: 4. The same label: 100.0\xa0%" in section(client, "agreement")


def test_without_two_labels_there_is_no_kappa(client: Client, people: tuple[User, User]) -> None:
    give(4, 1, 1, people)

    assert "Cohen's kappa –, Fleiss' kappa –." in section(client, "agreement")
