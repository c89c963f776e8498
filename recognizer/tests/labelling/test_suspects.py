"""Labels that look wrong: found by the command, shown by pages, looked at in the queue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from recognizer.labelling import labels
from recognizer.models import ModelVersion, Owner, Prediction, SuspectLabel
from recognizer.predictions import recognition
from recognizer.tests.support import insights
from recognizer.tests.support.drawings import digit_png
from recognizer.tests.support.reviewing import LIST, label_of, make_staff
from training.synthesis.allographs import ALLOGRAPHS

pytestmark = [pytest.mark.django_db, pytest.mark.store]

PER_DIGIT = 6


def draw(
    digit: int, *, seed: int, label: int, by: User, allograph: str | None = None
) -> Prediction:
    """Store a drawing as a visitor sends it, and label it as a reviewer does."""
    row = recognition.recognise(
        data=digit_png(digit, seed=seed, canvas=140, brush=10, allograph=allograph),
        source="canvas",
        owner=Owner(visitor=uuid.uuid4()),
    )
    labels.label_predictions(predictions=[row.pk], label=label, by=by)
    # Not in the random audit sample: the queue does not show the labels of those.
    Prediction.objects.filter(pk=row.pk).update(audit_key=None)
    return row


@pytest.fixture
def ada(db: None) -> User:
    return make_staff("ada", "view_prediction", "label_prediction", "export_prediction")


@pytest.fixture
def right(ada: User) -> list[Prediction]:
    """Drawings of all digits, labelled as what they are."""
    return [
        draw(digit, seed=10 * digit + number, label=digit, by=ada)
        for digit in range(10)
        for number in range(PER_DIGIT)
    ]


def find_suspects() -> str:
    out = StringIO()
    call_command("find_suspects", stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("digits", [[3], [1, 7], range(10)])
def test_the_first_labels_are_not_suspect(ada: User, digits: Sequence[int]) -> None:
    for digit in digits:
        draw(digit, seed=digit, label=digit, by=ada)

    assert f"0 of {len(digits)} labels look wrong." in find_suspects()


def queue(client: Client) -> list[dict[str, object]]:
    body: dict[str, object] = {
        "page": str(uuid.uuid4()),
        "order": "suspect",
        "digit": None,
        "wanted": 9,
        "have": [],
    }
    response = client.post(f"{LIST}review/next/", body, content_type="application/json")
    drawings: list[dict[str, object]] = response.json()["drawings"]
    return drawings


def label(client: Client, row: Prediction, value: int, seen: int) -> None:
    body = {"page": str(uuid.uuid4()), "id": str(row.pk), "step": str(uuid.uuid4())}
    sent = {**body, "label": value, "seen": seen}
    response = client.post(f"{LIST}review/label/", sent, content_type="application/json")
    assert response.status_code == 200, response.content


def test_flipped_labels_come_first_in_the_queue(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    flipped = {
        draw(digit, seed=900 + digit, label=(digit + 4) % 10, by=ada).pk: digit
        for digit in (0, 3, 6)
    }

    said = find_suspects()
    client.force_login(ada)
    shown = queue(client)

    assert "of 63 labels look wrong." in said
    assert {uuid.UUID(str(each["id"])) for each in shown[:3]} == set(flipped)
    texts = [str(each["known"]) for each in shown[:3]]
    assert all("ada labelled this" in text for text in texts)


def test_right_labels_are_not_suspect(ada: User, right: list[Prediction]) -> None:
    assert "0 of 60 labels look wrong." in find_suspects()


def test_a_changed_label_is_no_longer_suspect(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    row = draw(3, seed=901, label=8, by=ada)
    find_suspects()
    client.force_login(ada)

    label(client, row, 3, seen=8)

    assert label_of(row) == 3
    assert queue(client) == []


def test_a_label_that_was_kept_is_not_found_again(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    row = draw(3, seed=901, label=8, by=ada)
    find_suspects()
    client.force_login(ada)
    assert [each["id"] for each in queue(client)] == [str(row.pk)]

    label(client, row, 8, seen=8)
    find_suspects()

    assert label_of(row) == 8
    assert queue(client) == []


def test_the_insights_name_reviewer_digit_pair_and_example(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    grace = make_staff("grace", "view_prediction")
    crossed = next(name for name in ALLOGRAPHS[7] if "bar" in name)
    wrong = [draw(7, seed=number, label=1, by=grace, allograph=crossed).pk for number in range(30)]
    find_suspects()
    client.force_login(ada)

    page = insights.markup(client)
    found = insights.table(client, "suspects")

    name, cells = next(iter(found.items()))
    assert name == "grace"
    assert cells[:2] == ["1", "7"]
    assert int(cells[2]) >= 25
    assert any(f"{pk}/change/" in page for pk in wrong)


def test_without_a_check_the_insights_say_how_to_check(client: Client, ada: User) -> None:
    draw(3, seed=0, label=3, by=ada)
    client.force_login(ada)

    assert "have not been checked yet" in insights.section(client, "suspects")


def test_an_export_says_how_many_labels_look_wrong(
    client: Client, ada: User, right: list[Prediction], tmp_path: Path
) -> None:
    draw(3, seed=901, label=8, by=ada)
    find_suspects()
    client.force_login(ada)
    out = StringIO()

    call_command("export_drawings", str(tmp_path / "all.npz"), stdout=out)
    page = client.get(LIST).content.decode()

    assert "1 label looks wrong" in out.getvalue()
    assert "Exported 61 drawings" in out.getvalue()
    assert "1 label looks wrong" in insights.words(page)


def test_the_page_of_a_drawing_says_that_its_label_looks_wrong(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    row = draw(3, seed=901, label=8, by=ada)
    find_suspects()
    client.force_login(ada)

    page = insights.words(client.get(f"{LIST}{row.pk}/change/").content.decode())

    assert "looks wrong, perhaps “3”" in page


def test_the_label_of_an_audit_that_waits_is_not_shown(
    client: Client, ada: User, right: list[Prediction]
) -> None:
    row = draw(3, seed=901, label=8, by=ada)
    Prediction.objects.filter(pk=row.pk).update(audit_key=0.5)
    find_suspects()
    client.force_login(ada)

    assert SuspectLabel.objects.filter(prediction=row).exists()
    assert queue(client) == []


def test_without_labels_there_is_nothing_to_find(db: None) -> None:
    assert find_suspects() == "0 of 0 labels look wrong.\n"


def test_without_a_model_the_command_says_what_to_do(db: None) -> None:
    ModelVersion.objects.update(is_active=False)

    with pytest.raises(CommandError, match="No model version is active"):
        call_command("find_suspects")
