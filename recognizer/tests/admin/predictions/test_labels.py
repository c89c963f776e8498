"""Labelling in the admin: in the list, by action and on a drawing's own page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognizer.models import LabelEvent, Prediction, label_text
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    drawing,
    in_list,
    label_of,
    make_prediction,
    make_staff,
    make_version,
    prediction,
)

pytestmark = pytest.mark.django_db


def act(client: Client, action: str, rows: list[Prediction], **more: object) -> list[str]:
    """Run an action on rows of the list; return the messages that follow."""
    response = client.post(
        LIST,
        {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more},
        follow=True,
    )
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def log_of(row: Prediction) -> list[tuple[str, str]]:
    """The lines of the admin's history of a row, oldest first: who and what."""
    events = LabelEvent.objects.filter(prediction=row).select_related("by").order_by("pk")
    return [
        (event.by.username, f"Label: {label_text(event.old)} → {label_text(event.new)}.")
        for event in events
        if event.by
    ]


# In the list ----------------------------------------------------------------------------------


def test_saving_the_list_records_only_the_rows_that_changed(
    reviewing: Client, reviewer: User
) -> None:
    earlier = make_staff("earlier")
    old = make_prediction(1, label=1, labelled_by=earlier)
    new, untouched = make_prediction(3), make_prediction(4)

    reviewing.post(LIST, in_list([old, new, untouched], [1, 8, None], [1, None, None]))

    new.refresh_from_db()
    old.refresh_from_db()
    assert (new.label, new.labelled_by) == (8, reviewer)
    assert new.labelled_at is not None
    assert abs((timezone.now() - new.labelled_at).total_seconds()) < 60
    assert old.labelled_by == earlier
    assert label_of(untouched) is None
    assert log_of(new) == [("reviewer", "Label: none → 8.")]
    assert LabelEvent.objects.count() == 1


def test_a_label_is_cleared_in_the_list(reviewing: Client) -> None:
    row = make_prediction(3, label=5, labelled_by=make_staff("earlier"))

    reviewing.post(LIST, in_list([row], [None], [5]))

    row.refresh_from_db()
    assert (row.label, row.labelled_by, row.labelled_at) == (None, None, None)
    assert log_of(row) == [("reviewer", "Label: 5 → none.")]


def test_another_reviewers_new_label_is_shown_not_overwritten(
    reviewing: Client,
) -> None:
    row = make_prediction(3, label=5, labelled_by=make_staff("grace"))

    page = reviewing.post(LIST, in_list([row], [8], [None])).content.decode()

    assert label_of(row) == 5
    assert "grace has labelled this “5” in the meantime" in page
    assert '<option value="8" selected>' in page
    shown_again = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    reviewing.post(LIST, {**shown_again, "form-0-label": "8", "_save": "Save"})
    assert label_of(row) == 8


def test_an_unchanged_row_keeps_another_reviewers_new_label(reviewing: Client) -> None:
    theirs, mine = make_prediction(3, label=5), make_prediction(4)

    reviewing.post(LIST, in_list([theirs, mine], [None, 2], [None, None]))

    assert (label_of(theirs), label_of(mine)) == (5, 2)


@pytest.mark.parametrize("label", ["11", "-1", "x", "5.0", "٣"])
def test_an_invalid_label_is_rejected(reviewing: Client, label: str) -> None:
    row = make_prediction(3)

    response = reviewing.post(LIST, in_list([row], [label], [None]))

    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert label_of(row) is None


def test_a_row_deleted_since_is_ignored(reviewing: Client) -> None:
    gone, row = make_prediction(3), make_prediction(4)
    data = in_list([gone, row], [1, 2], [None, None])
    gone.delete()

    assert reviewing.post(LIST, data).status_code in {200, 302}


@pytest.mark.parametrize(
    "change", [{"form-0-id": "x"}, {"form-TOTAL_FORMS": "x"}, {"form-0-id": ""}]
)
def test_a_malformed_form_does_not_crash(reviewing: Client, change: dict[str, str]) -> None:
    row = make_prediction(3)

    assert reviewing.post(LIST, in_list([row], [1], [None]) | change).status_code in {200, 302, 400}


# By action ------------------------------------------------------------------------------------


def test_confirming_labels_each_as_predicted(reviewing: Client, reviewer: User) -> None:
    three, four = make_prediction(3), make_prediction(4, label=9)

    messages = act(reviewing, "confirm", [three, four])

    assert (label_of(three), label_of(four)) == (3, 4)
    assert Prediction.objects.filter(labelled_by=reviewer).count() == 2
    assert messages == ["2 labels were changed."]
    assert log_of(four) == [("reviewer", "Label: 9 → 4.")]


@pytest.mark.parametrize(
    ("action", "label"),
    [
        ("label_zero", 0),
        ("label_five", 5),
        ("label_nine", 9),
        ("label_not_a_digit", NOT_A_DIGIT),
        ("clear_label", None),
    ],
)
def test_an_action_sets_the_label(reviewing: Client, action: str, label: int | None) -> None:
    row, other = make_prediction(3, label=7), make_prediction(3, label=7)

    act(reviewing, action, [row])

    assert (label_of(row), label_of(other)) == (label, 7)


def test_every_action_is_offered(reviewing: Client) -> None:
    make_prediction()

    page = reviewing.get(LIST).content.decode()

    for text in (
        "Confirm prediction as label",
        *(f"Label as {digit}" for digit in range(10)),
        "Not a digit",
        "Clear label",
    ):
        assert f">{text}</option>" in page


def test_an_action_that_changes_nothing_says_so(reviewing: Client) -> None:
    row = make_prediction(3, label=3, labelled_by=make_staff("earlier"))

    assert act(reviewing, "confirm", [row]) == ["No change: already set."]
    assert log_of(row) == []


def test_all_filtered_drawings_can_be_labelled_at_once(reviewing: Client) -> None:
    version = make_version()
    Prediction.objects.bulk_create(
        [prediction(digit, model_version=version) for digit in [1, 2] for _ in range(60)]
    )

    response = reviewing.post(
        LIST + "?digit=1",
        {
            "action": "label_seven",
            "_selected_action": [Prediction.objects.filter(digit=1).values("pk")[0]["pk"]],
            "select_across": "1",
            "index": "0",
        },
        follow=True,
    )

    assert [str(message) for message in response.context["messages"]] == ["60 labels were changed."]
    assert Prediction.objects.filter(label=7, digit=1).count() == 60
    assert LabelEvent.objects.count() == 60


# On its own page ------------------------------------------------------------------------------


def test_the_page_shows_the_drawing_what_the_model_saw_and_ten_bars(reviewing: Client) -> None:
    row = make_prediction(7, confidence=0.91)

    page = reviewing.get(f"{LIST}{row.pk}/change/").content.decode()

    assert f'src="{LIST}{row.pk}/drawing.png"' in page
    assert f'src="{LIST}{row.pk}/model-input.png"' in page
    bars = re.findall(r'<meter min="0" max="100" value="([\d.]+)"', page)
    assert len(bars) == 10
    assert bars[7] == "91.00"


def test_a_small_drawing_keeps_sharp_pixels_on_its_page(reviewing: Client) -> None:
    small = make_prediction(image=drawing(3, canvas=60))
    large = make_prediction(image=drawing(3, canvas=400))

    sharp, smooth = (
        reviewing.get(f"{LIST}{row.pk}/change/").content.decode() for row in (small, large)
    )

    assert 'class="drawing-large pixelated"' in sharp
    assert 'class="drawing-large"' in smooth


def test_a_label_set_on_the_page_is_in_the_history(reviewing: Client, reviewer: User) -> None:
    row = make_prediction(7)
    address = f"{LIST}{row.pk}/"

    response = reviewing.post(address + "change/", {"label": "1", "initial-label": ""})

    row.refresh_from_db()
    assert response.status_code == 302
    assert (row.label, row.labelled_by) == (1, reviewer)
    assert "none → 1" in reviewing.get(address + "history/").content.decode()
    assert "by reviewer, " in reviewing.get(address + "change/").content.decode()
    assert LabelEvent.objects.count() == 1


def test_saving_the_page_unchanged_writes_no_history(reviewing: Client) -> None:
    earlier = make_staff("earlier")
    row = make_prediction(7, label=7, labelled_by=earlier)

    reviewing.post(f"{LIST}{row.pk}/change/", {"label": "7", "initial-label": "7"})

    row.refresh_from_db()
    assert row.labelled_by == earlier
    assert not LabelEvent.objects.exists()


def test_the_page_shows_another_reviewers_new_label(reviewing: Client) -> None:
    row = make_prediction(7, label=1, labelled_by=make_staff("grace"))

    response = reviewing.post(f"{LIST}{row.pk}/change/", {"label": "9", "initial-label": ""})

    page = response.content.decode()
    assert "grace has labelled this “1” in the meantime" in page
    assert label_of(row) == 1
    shown_again = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    reviewing.post(f"{LIST}{row.pk}/change/", {**shown_again, "label": "9"})
    assert label_of(row) == 9


@pytest.mark.parametrize("view", ["change", "history", "delete"])
@pytest.mark.parametrize("pk", ["x", "0" * 32, "00000000-0000-0000-0000-000000000000"])
def test_a_missing_drawing_redirects_to_the_index(admin_client: Client, pk: str, view: str) -> None:
    assert admin_client.get(f"{LIST}{pk}/{view}/", follow=True).status_code in {200, 404}
