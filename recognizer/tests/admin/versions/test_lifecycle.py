"""Model versions in the admin: activate, roll back, retire, restore, compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from recognizer.inference import classifier
from recognizer.inference.card import ModelCard
from recognizer.labelling import labels
from recognizer.models import Activation, Cause, ModelVersion, Owner, Prediction, VersionAnswer
from recognizer.predictions import recognition, selectors
from recognizer.tests.support import bundled_model
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.reviewing import make_prediction, make_staff, make_version
from recognizer.versions import lifecycle, registry

pytestmark = [pytest.mark.django_db, pytest.mark.store]

LIST = "/admin/recognizer/modelversion/"
Register = Callable[..., ModelVersion]


@pytest.fixture
def register() -> Register:
    """Return the function that keeps the bundled network under another name, changed by a card."""
    bundled = classifier.load_bundle(classifier.BUNDLED)

    def keep(name: str, parent: ModelVersion | None = None, **card: Any) -> ModelVersion:
        full = ModelCard.from_json({**bundled.card.to_json(), "name": name, **card})
        return registry.register_model(
            bundle=classifier.Bundle(name, bundled.serving, b"", full, bundled.sha256),
            parent=parent,
        )

    return keep


def active() -> str:
    return selectors.active_model().name


def press(browser: Client, version: ModelVersion, act: str) -> str:
    """Press one of a version's buttons and return the page that follows."""
    return browser.post(f"{LIST}{version.pk}/{act}/", follow=True).content.decode()


def activated() -> list[tuple[str, str, str | None]]:
    """Which version was activated why and by whom, the latest first."""
    return [
        (each.version.name, each.cause, each.by.get_username() if each.by else None)
        for each in lifecycle.history()
    ]


# Activating -----------------------------------------------------------------------------------


def test_a_click_activates_a_version_and_stores_the_user(
    admin_client: Client, register: Register
) -> None:
    other = register("another")
    assert f'formaction="{LIST}{other.pk}/activate/"' in admin_client.get(LIST).content.decode()

    page = press(admin_client, other, "activate")

    assert active() == "another"
    assert "“another” is now active." in page
    assert activated() == [("another", "admin", "admin"), (bundled_model.NAME, "installed", None)]
    assert "activated in the admin" in page
    assert LogEntry.objects.get().object_id == str(other.pk)


def test_activations_by_command_and_gate_are_stored_too(
    register: Register, admin_user: User
) -> None:
    register("one")
    register("two")

    call_command("activate_model", "one", verbosity=0)
    registry.activate_model(name="two", cause=Cause.GATE, by=admin_user)
    registry.activate_model(name="two")

    assert activated()[:2] == [("two", "gate", "admin"), ("one", "command", None)]
    assert Activation.objects.count() == 3


def test_a_button_on_the_page_redirects_to_the_page(
    admin_client: Client, register: Register
) -> None:
    other = register("another")
    address = f"{LIST}{other.pk}/activate/?back=page"
    assert address in admin_client.get(f"{LIST}{other.pk}/change/").content.decode()

    response = admin_client.post(address)

    assert response.headers["Location"] == f"{LIST}{other.pk}/change/"


@pytest.mark.parametrize("damage", ["no model", "other bytes"])
def test_a_version_that_does_not_load_is_rejected_with_the_reason(
    admin_client: Client, register: Register, damage: str
) -> None:
    broken = make_version("broken") if damage == "no model" else register("broken")
    if damage == "other bytes":
        ModelVersion.objects.filter(pk=broken.pk).update(serving=bytes(broken.serving)[:-1])

    page = press(admin_client, broken, "activate")

    assert "can&#x27;t be activated" in page
    assert active() == bundled_model.NAME
    assert not LogEntry.objects.exists()
    assert len(activated()) == 1


# Going back -----------------------------------------------------------------------------------


def test_one_click_goes_back_to_the_previous_version(
    admin_client: Client, register: Register
) -> None:
    for name in ("one", "two"):
        register(name)
        registry.activate_model(name=name)
    assert "Roll back to “one”" in admin_client.get(LIST).content.decode()

    page = admin_client.post(LIST + "roll-back/", follow=True).content.decode()

    assert active() == "one"
    assert "Rolled back: “one” is now active." in page
    assert activated()[0] == ("one", "roll_back", "admin")


def test_a_second_roll_back_goes_further_back(register: Register, admin_user: User) -> None:
    for name in ("one", "two", "three"):
        register(name)
        registry.activate_model(name=name)

    assert [lifecycle.roll_back(by=admin_user).name for _ in range(3)] == [
        "two", "one", bundled_model.NAME,
    ]  # fmt: skip
    with pytest.raises(registry.ActivationError, match="There is no earlier version"):
        lifecycle.roll_back(by=admin_user)
    assert active() == bundled_model.NAME

    registry.activate_model(name="three")
    assert lifecycle.roll_back(by=admin_user).name == bundled_model.NAME


def test_roll_back_skips_retired_and_deleted_versions(register: Register, admin_user: User) -> None:
    for name in ("one", "two", "three"):
        register(name)
        registry.activate_model(name=name)
    lifecycle.retire(version_id=ModelVersion.objects.get(name="two").pk)
    ModelVersion.objects.get(name="one").delete()

    assert lifecycle.roll_back(by=admin_user).name == bundled_model.NAME


def test_roll_back_to_a_version_that_does_not_load_changes_nothing(
    admin_client: Client, register: Register
) -> None:
    for name in ("one", "two"):
        register(name)
        registry.activate_model(name=name)
    ModelVersion.objects.filter(name="one").update(serving=b"damaged")

    page = admin_client.post(LIST + "roll-back/", follow=True).content.decode()

    assert "can&#x27;t be activated" in page
    assert active() == "two"


def test_without_a_previous_version_there_is_no_button(admin_client: Client) -> None:
    assert "Roll back" not in admin_client.get(LIST).content.decode()

    page = admin_client.post(LIST + "roll-back/", follow=True).content.decode()

    assert "There is no earlier version to roll back to." in page


# Retiring -------------------------------------------------------------------------------------


def test_a_retired_version_is_not_offered_until_it_is_restored(
    admin_client: Client, register: Register
) -> None:
    other = register("another")

    page = press(admin_client, other, "retire")
    assert "“another” is retired." in page
    assert f"{LIST}{other.pk}/activate/" not in page
    assert "is retired. Restore it" in press(admin_client, other, "activate")
    with pytest.raises(CommandError, match="is retired"):
        call_command("activate_model", "another")
    call_command("list_models", stdout=(listed := StringIO()))
    assert re.search(r"^r  another ", listed.getvalue(), re.MULTILINE)
    assert active() == bundled_model.NAME

    page = press(admin_client, other, "take-back")
    assert "“another” can be activated again." in page
    press(admin_client, other, "activate")
    assert active() == "another"
    assert LogEntry.objects.filter(object_id=str(other.pk)).count() == 3


def test_the_active_version_is_not_retired(admin_client: Client) -> None:
    version = selectors.active_model()
    page = admin_client.get(LIST).content.decode()
    assert f"{LIST}{version.pk}/retire/" not in page

    page = press(admin_client, version, "retire")

    assert f"The model version {bundled_model.NAME} is active. Activate another one first." in page
    assert selectors.active_model().retired_at is None
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=version.pk).update(retired_at=timezone.now())


def test_a_deleted_version_can_not_be_retired() -> None:
    with pytest.raises(lifecycle.RetireError, match="was deleted"):
        lifecycle.retire(version_id=99_999)


# Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["activate", "retire", "take-back", "recheck"])
def test_staff_who_may_only_view_can_do_none_of_it(client: Client, act: str) -> None:
    version = make_version()
    client.force_login(
        make_staff("viewer", "view_modelversion", "change_modelversion", "delete_modelversion")
    )

    page = client.get(LIST).content.decode()
    assert 'formmethod="post"' not in page
    assert "Compare with active version" in page
    assert client.post(f"{LIST}{version.pk}/{act}/").status_code == 403
    assert client.post(LIST + "roll-back/").status_code == 403
    version.refresh_from_db()
    assert not version.is_active
    assert version.retired_at is None


@pytest.mark.parametrize("act", ["1/activate/", "1/retire/", "1/take-back/", "roll-back/"])
def test_get_requests_change_nothing(admin_client: Client, act: str) -> None:
    assert admin_client.get(LIST + act).status_code == 405


# Where they came from -------------------------------------------------------------------------


def test_the_page_shows_the_whole_family(admin_client: Client) -> None:
    chain = [make_version("gen-0")]
    for number in range(1, 60):
        chain.append(make_version(f"gen-{number}", parent=chain[-1]))
    side = make_version("side-branch", parent=chain[1])
    make_version("stranger")

    tree = lifecycle.family(chain[30])
    page = admin_client.get(f"{LIST}{side.pk}/change/").content.decode()

    assert {each.version.name for each in tree} == {
        *(version.name for version in chain), "side-branch",
    }  # fmt: skip
    assert [each.version.name for each in tree[:3]] == ["gen-0", "gen-1", "gen-2"]
    depths = {each.version.name: each.depth for each in tree}
    assert (depths["gen-1"], depths["gen-2"], depths["gen-59"], depths["side-branch"]) == (
        0, 1, 1, 1,
    )  # fmt: skip
    assert '<strong aria-current="true">side-branch</strong>' in page
    assert ">gen-59</a>" in page
    assert "from gen-58" in page
    lineage = page[page.index("Lineage") :]
    assert "stranger" not in lineage[: lineage.index("</section>")]


# Comparing ------------------------------------------------------------------------------------


@pytest.fixture
def strict(register: Register) -> ModelVersion:
    """A version that takes no drawing for a digit: the same network, another threshold."""
    thresholds = {"not_a_digit": 2.0, "uncertain": 0.5}
    metrics = {"mnist_test": {"n": 10000, "accuracy": 0.99, "refused": 1.0}, "new": {"n": 1}}
    return register("strict", thresholds=thresholds, metrics=metrics)


@pytest.fixture
def drawings(draw_digit: DrawDigit, admin_user: User) -> list[Prediction]:
    """A drawn 3, 4 and 5 that the bundled model reads; the 3 labelled so, the 4 as no digit."""
    rows = [
        recognition.recognise(data=draw_digit(digit), source="api", owner=Owner(user=admin_user))
        for digit in (3, 4, 5)
    ]
    labels.label_predictions(predictions=[rows[0].pk], label=3, by=admin_user)
    labels.label_predictions(predictions=[rows[1].pk], label=10, by=admin_user)
    return rows


def compare(browser: Client, one: ModelVersion | None, other: ModelVersion, **more: str) -> str:
    keys: dict[str, str | int] = {"other": other.pk, **more}
    if one is not None:
        keys["one"] = one.pk
    response = browser.get(LIST + "compare/", keys)
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


def test_two_cards_are_set_side_by_side(admin_client: Client, strict: ModelVersion) -> None:
    page = compare(admin_client, None, strict)

    assert '<th scope="row">mnist validation</th>' in page
    assert "–" in page
    assert '<th scope="row">mnist test</th>' in page
    assert "Changed" in page


def test_a_click_runs_a_version_over_the_drawings_and_the_changes_are_shown(
    admin_client: Client, strict: ModelVersion, drawings: list[Prediction]
) -> None:
    bundled = selectors.active_model()
    page = compare(admin_client, bundled, strict)
    assert "recheck_drawings --model strict" in page
    assert "Predict 3 more now" in page

    response = admin_client.post(
        f"{LIST}{strict.pk}/recheck/?one={bundled.pk}&other={strict.pk}", follow=True
    )

    page = re.sub(r"[ \n]+", " ", response.content.decode())
    assert response.redirect_chain[-1][0].endswith(f"?one={bundled.pk}&other={strict.pk}")
    assert "3 drawings predicted by strict." in page
    assert "3 of 3" in page
    assert "recheck_drawings" not in page
    for row, text in zip(drawings, ("3 → (3)", "4 → (4)", "5 → (5)"), strict=True):
        assert f"/admin/recognizer/prediction/{row.pk}/thumbnail.png" in page
        shown = text.replace(
            "→", '<span aria-hidden="true">→</span><span class="visually-hidden">changed to</span>'
        )
        assert shown in page
    assert page.count("> fixed<") >= 1
    # The 3 is rejected now: its visitor would not be told that it is one.
    assert page.count("> broken<") >= 1
    assert f"/admin/recognizer/prediction/?changed={bundled.pk}-{strict.pk}" in page

    narrowed = compare(admin_client, bundled, strict, way="4-10")
    assert str(drawings[1].pk) in narrowed
    assert str(drawings[0].pk) not in narrowed
    back = compare(admin_client, strict, bundled, way="10-3")
    assert str(drawings[0].pk) in back
    assert str(drawings[1].pk) not in back


def test_a_version_that_does_not_load_predicts_nothing(
    admin_client: Client, drawings: list[Prediction]
) -> None:
    broken = make_version("broken")

    response = admin_client.post(f"{LIST}{broken.pk}/recheck/?other={broken.pk}", follow=True)

    assert "broken" in response.content.decode()
    assert not VersionAnswer.objects.filter(version=broken).exists()


def test_many_changes_are_paginated(admin_client: Client) -> None:
    one, other = make_version("one"), make_version("other")
    rows = [make_prediction(number % 10, model_version=one) for number in range(70)]
    for row in rows:
        for version, digit in ((one, row.digit), (other, (row.digit + 1) % 10)):
            VersionAnswer.objects.create(
                version=version, prediction=row, digit=digit, confidence=0.9, verdict="digit"
            )

    first, second = (compare(admin_client, one, other, page=page) for page in ("1", "2"))

    assert first.count("drawing-thumbnail") == 60
    assert second.count("drawing-thumbnail") == 10
    assert "Page 1 of 2" in first
    assert "page=2" in first
    assert "page=1" in second


def test_users_who_may_not_view_drawings_compare_only_the_cards(
    client: Client, strict: ModelVersion
) -> None:
    client.force_login(make_staff("viewer", "view_modelversion"))

    page = compare(client, None, strict)

    assert '<th scope="row">mnist test</th>' in page
    assert "Stored drawings" not in page


@pytest.mark.parametrize("query", ["one=no&other=1", "one=99999", "other=" + "9" * 30])
def test_a_missing_version_is_not_found(admin_client: Client, query: str) -> None:
    assert admin_client.get(f"{LIST}compare/?{query}").status_code == 404


@pytest.mark.parametrize("more", [{"way": "x"}, {"way": "4-99"}, {"page": "99"}, {"page": "no"}])
def test_an_invalid_query_shows_everything(
    admin_client: Client, strict: ModelVersion, more: dict[str, str]
) -> None:
    assert "Stored drawings" in compare(admin_client, None, strict, **more)


def test_one_version_is_not_compared_with_itself(admin_client: Client) -> None:
    assert "Choose two different versions." in compare(admin_client, None, selectors.active_model())


def test_two_versions_selected_in_the_list_are_compared(
    admin_client: Client, strict: ModelVersion
) -> None:
    bundled = selectors.active_model()

    def select(*keys: int) -> Any:
        chosen = {"action": "compare", "_selected_action": keys, "index": "0"}
        return admin_client.post(LIST, chosen)

    two, one = select(strict.pk, bundled.pk), select(strict.pk)

    assert two.headers["Location"] == f"{LIST}compare/?one={bundled.pk}&other={strict.pk}"
    assert one.headers["Location"] == LIST
    assert "Select two versions to compare." in admin_client.get(LIST).content.decode()


def test_comparing_takes_few_queries_and_no_bytes(
    admin_client: Client, strict: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(16) as found:
        compare(admin_client, None, strict)

    assert not any('"serving"' in query["sql"] for query in found.captured_queries)
