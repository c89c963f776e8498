"""The model versions in the admin."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognizer.models import ModelVersion
from recognizer.tests.support.reviewing import make_prediction, make_version

pytestmark = pytest.mark.django_db

LIST = "/admin/recognizer/modelversion/"
CARD = {
    "name": "tested-1",
    "seed": 7,
    "metrics": {
        "mnist_test": {"n": 10000, "accuracy": 0.99612345, "interval": [0.99, 0.998]},
        "non_digits": {"n": 500, "accuracy": None, "interval": None},
    },
    "thresholds": {"uncertain": 0.9},
    "data": {"sets": ["mnist", "pen"], "hash": "abc123"},
    "plots": [{"title": "curve <b>"}],
}


def selected(action: str, *versions: ModelVersion) -> dict[str, object]:
    return {"action": action, "_selected_action": [v.pk for v in versions], "index": "0"}


def activate_for_test(version: ModelVersion) -> None:
    ModelVersion.objects.filter(is_active=True).update(is_active=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_active=True, activated_at=timezone.now())


def test_the_list_shows_name_state_metrics_and_parent(admin_client: Client) -> None:
    parent = make_version("the-parent", retired_at=timezone.now())
    make_version("tested-1", card=CARD, parent=parent)

    page = admin_client.get(LIST).content.decode()

    assert "tested-1" in page
    assert "mnist test 99.61\u00a0% of 10,000" in page
    assert f'<a href="{LIST}{parent.pk}/change/">the-parent</a>' in page
    assert '<span class="version-state active">active</span>' in page
    assert '<span class="version-state retired">retired</span>' in page


def test_the_page_shows_the_size(admin_client: Client) -> None:
    version = make_version("tested-1", training=b"x" * 5000)

    assert "4.9\u00a0KB" in admin_client.get(f"{LIST}{version.pk}/change/").content.decode()


def test_the_list_does_not_load_the_bytes(admin_client: Client) -> None:
    make_version("child", parent=make_version())

    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST)

    for column in ("serving", "training"):
        assert not any(f'"{column}",' in query["sql"] for query in queries)
    assert len(queries) <= 12


def test_the_card_is_shown_as_tables(admin_client: Client) -> None:
    version = make_version("tested-1", card=CARD)

    page = admin_client.get(f"{LIST}{version.pk}/change/").content.decode()

    assert (
        '<th scope="row">mnist_test</th><td>10000</td><td>0.99612</td><td>0.99, 0.998</td>' in page
    )
    assert '<th scope="row">non_digits</th><td>500</td><td>-</td><td>-</td>' in page
    assert "<dt>uncertain</dt><dd>0.9</dd>" in page
    assert "<dd>mnist, pen</dd>" in page
    assert "<dt>seed</dt><dd>7</dd>" in page
    assert "curve &lt;b&gt;" in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"metrics": None},
        {"metrics": []},
        {"metrics": 1},
        [],
        {"metrics": {"a": {}}},
        {"a": {"b": {"c": [{"d": None}]}}},
    ],
)
def test_an_unusual_card_does_not_crash(admin_client: Client, card: object) -> None:
    version = make_version("tested-1", card=card)

    assert admin_client.get(LIST).status_code == 200
    assert admin_client.get(f"{LIST}{version.pk}/change/").status_code == 200


def test_no_version_can_be_added_or_changed(admin_client: Client) -> None:
    version = make_version()

    assert admin_client.get(LIST + "add/").status_code == 403
    assert admin_client.post(f"{LIST}{version.pk}/change/", {"name": "x"}).status_code == 403


def test_an_unused_version_is_deleted(admin_client: Client) -> None:
    one, other = make_version("one"), make_version("other")

    admin_client.post(f"{LIST}{one.pk}/delete/", {"post": "yes"})
    admin_client.post(LIST, {**selected("delete_selected", other), "post": "yes"})

    assert not ModelVersion.objects.filter(name__in=["one", "other"]).exists()


@pytest.mark.parametrize("use", ["active", "predictions", "child"])
def test_a_version_in_use_can_not_be_deleted(admin_client: Client, use: str) -> None:
    version = make_version()
    if use == "active":
        activate_for_test(version)
    elif use == "predictions":
        make_prediction(model_version=version)
    else:
        make_version("child", parent=version)
    reason = {
        "active": "The active version can&#x27;t be deleted.",
        "predictions": "It has predictions, so it can&#x27;t be deleted.",
        "child": "Another version was trained from it, so it can&#x27;t be deleted.",
    }[use]

    page = admin_client.get(f"{LIST}{version.pk}/change/").content.decode()
    one = admin_client.post(f"{LIST}{version.pk}/delete/", {"post": "yes"})
    asked = admin_client.post(LIST, selected("delete_selected", version)).content.decode()
    admin_client.post(LIST, {**selected("delete_selected", version), "post": "yes"})

    assert reason in page
    assert "deletelink" not in page
    assert one.status_code == 403
    assert reason in asked
    assert ModelVersion.objects.filter(pk=version.pk).exists()
