"""A person's corrections change how their next drawings are recognised, and nobody else's."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.inference import classifier
from recognizer.labelling import labels
from recognizer.models import (
    MemorySwitchedOff,
    ModelVersion,
    Owner,
    Prediction,
    RememberedDrawing,
)
from recognizer.personalisation import answers, corrections
from recognizer.predictions import recognition
from recognizer.tests.api.test_errors import error
from recognizer.tests.inference.test_embeddings import KEPT
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import data_url, digit_png
from recognizer.tests.support.logins import log_in
from recognizer.tests.support.mirrored_digits import mirrored_png
from recognizer.tests.support.reviewing import LIST, make_prediction, make_version
from recognizer.versions import registry

pytestmark = [pytest.mark.django_db, pytest.mark.store]

URL = "/api/v1/predictions/"
MEMORY = "/api/v1/memory/"
Json = dict[str, Any]


def draw(client: APIClient, png: bytes) -> Json:
    """Send a drawing; return its answer."""
    response = client.post(URL, {"image": data_url(png)})
    assert response.status_code == 201
    body: Json = response.json()
    return body


def correct(client: APIClient, png: bytes, **said: Any) -> Json:
    """Send a drawing and correct it; return the answer that it had been given."""
    body = draw(client, png)
    assert client.post(f"{URL}{body['id']}/suggestion/", said).status_code == 200
    return body


def person(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


# At once, and for that person only --------------------------------------------------------------


@pytest.mark.parametrize("digit", [3, 5, 7])
def test_a_correction_is_learned_at_once(api: APIClient, digit: int) -> None:
    corrected = correct(api, mirrored_png(digit), digit=digit)
    assert (corrected["digit"], corrected["verdict"]) != (digit, "digit")

    body = draw(api, mirrored_png(digit, 1))

    assert (body["digit"], body["verdict"], body["personal"]) == (digit, "digit", True)
    assert body["remembered_id"] == corrected["id"]
    assert body["remembered_image_url"] == corrected["image_url"]
    assert body["confidence"] == body["probabilities"][digit] == max(body["probabilities"])
    assert sum(body["probabilities"]) == pytest.approx(1)
    assert (body["network"]["digit"], body["network"]["verdict"]) != (digit, "digit")
    assert api.get(f"{URL}{body['id']}/").json() == body
    assert api.get(URL).json()["results"][0] == body
    assert api.get(body["remembered_image_url"]).status_code == 200


def test_the_networks_answer_is_stored_beside_the_personal_one(api: APIClient) -> None:
    alone = draw(APIClient(), mirrored_png(5, 1))
    correct(api, mirrored_png(5), digit=5)

    body = draw(api, mirrored_png(5, 1))

    row = Prediction.objects.get(pk=body["id"])
    assert body["network"] == {key: alone[key] for key in ("digit", "confidence", "verdict")}
    assert (row.digit, row.confidence, row.verdict) == tuple(body["network"].values())
    assert row.probabilities == pytest.approx(alone["probabilities"])
    assert (row.personal_digit, row.personal_confidence) == (5, body["confidence"])
    assert (row.personal_probabilities, row.personal_verdict) == (body["probabilities"], "digit")
    row.full_clean()


def test_not_a_digit_is_learned_too(api: APIClient) -> None:
    corrected = correct(api, digit_png(8, seed=4), not_a_digit=True)
    assert corrected["verdict"] == "digit"

    body = draw(api, digit_png(8, seed=4))

    assert (body["digit"], body["verdict"], body["personal"]) == (8, "not_a_digit", True)
    assert body["network"]["verdict"] == "digit"


def test_it_does_not_affect_other_visitors(api: APIClient, user: User) -> None:
    # A visitor who teaches nonsense fools themselves alone, whatever the number of lies.
    for digit in range(10):
        correct(api, digit_png(digit), digit=(digit + 1) % 10)
    other, logged_in = APIClient(), person(user)
    correct(other, mirrored_png(7), digit=7)

    for digit in range(10):
        assert draw(api, digit_png(digit))["digit"] == (digit + 1) % 10
        for client in (other, logged_in, APIClient()):
            body = draw(client, digit_png(digit))
            assert (body["digit"], body["personal"]) == (digit, False)
            assert body["remembered_image_url"] is None
    assert (
        draw(api, mirrored_png(7, 1))["network"] == draw(logged_in, mirrored_png(7, 1))["network"]
    )


def test_correcting_an_odd_seven_changes_no_other_digit(api: APIClient) -> None:
    correct(api, mirrored_png(7), digit=7)

    for digit in range(10):
        alone, body = (draw(client, digit_png(digit, seed=3)) for client in (APIClient(), api))
        assert (body["digit"], body["personal"]) == (alone["digit"], False)


def test_a_correct_answer_remains_the_networks(api: APIClient) -> None:
    correct(api, digit_png(3), digit=3)

    assert not draw(api, digit_png(3))["personal"]


def test_one_correction_against_many_accepted_drawings_counts_as_a_slip(
    api: APIClient, user: User
) -> None:
    hasty, settled = APIClient(), api
    for _ in range(20):
        assert draw(settled, digit_png(5))["digit"] == 5
    for client in (hasty, settled):
        correct(client, digit_png(5), digit=6)

    assert draw(hasty, digit_png(5))["digit"] == 6
    body = draw(settled, digit_png(5))
    assert (body["digit"], body["personal"]) == (5, False)


def test_only_earlier_drawings_with_a_certain_answer_count_as_accepted(
    user: User,
) -> None:
    version = ModelVersion.objects.get(is_active=True)
    earlier: list[Json] = [
        {},
        {"personal_digit": 4, "personal_confidence": 1.0, "personal_verdict": "digit",
         "personal_probabilities": [0.0] * 4 + [1.0] + [0.0] * 5},
        {"verdict": "uncertain"},
        {"verdict": "not_a_digit"},
        {"suggestion": 3},
        {"embedding": None},
        {"model_version": make_version()},
        {"user": User.objects.create_user("other")},
        # Behind a large drawing SQLite would read all of it.
        {"image": b"x" * 9000},
    ]  # fmt: skip
    for fields in earlier:
        make_prediction(3, **{"user": user, "embedding": KEPT, "model_version": version, **fields})
    assert answers.earlier_drawings(owner=Owner(user=user), version=version) == []
    remember(user, 1)

    rows = answers.earlier_drawings(owner=Owner(user=user), version=version)

    assert [row.label for row in rows if row.pk is not None] == [0]
    assert sorted(row.label for row in rows if row.pk is None) == [3, 4]
    for number in range(answers.LOOKED_BACK):
        make_prediction(
            8, user=user, embedding=KEPT, model_version=version, suggestion=number % 2 or None,
            created_at=timezone.now() + datetime.timedelta(seconds=number),
        )  # fmt: skip
    later = answers.earlier_drawings(owner=Owner(user=user), version=version)
    assert [row.label for row in later if row.pk is None] == [8] * (answers.LOOKED_BACK // 2)


# Deleted, changed, forgotten, turned off ---------------------------------------------------


def test_an_undone_suggestion_has_no_effect(api: APIClient) -> None:
    corrected = correct(api, mirrored_png(7), digit=7)
    assert draw(api, mirrored_png(7))["personal"]

    api.delete(f"{URL}{corrected['id']}/suggestion/")

    assert not draw(api, mirrored_png(7))["personal"]


def test_a_changed_suggestion_changes_the_answer(api: APIClient) -> None:
    corrected = correct(api, mirrored_png(7), digit=7)

    api.post(f"{URL}{corrected['id']}/suggestion/", {"digit": 4})

    assert draw(api, mirrored_png(7))["digit"] == 4
    assert api.get(MEMORY).json() == {"enabled": True, "count": 1}


def test_a_drawing_that_is_deleted_is_forgotten(api: APIClient) -> None:
    corrected = correct(api, mirrored_png(7), digit=7)
    decided = draw(api, mirrored_png(7))

    Prediction.objects.get(pk=corrected["id"]).delete()

    assert not RememberedDrawing.objects.exists()
    # The answer stays what it was; the drawing that decided it can't be shown any more.
    body = api.get(f"{URL}{decided['id']}/").json()
    assert (body["digit"], body["personal"], body["remembered_image_url"]) == (7, True, None)
    assert not draw(api, mirrored_png(7))["personal"]


def test_remembered_drawings_can_be_forgotten(api: APIClient) -> None:
    other = APIClient()
    corrected = correct(api, mirrored_png(7), digit=7)
    correct(other, mirrored_png(7), digit=7)

    response = api.delete(MEMORY)

    assert (response.status_code, response.content) == (204, b"")
    assert api.get(MEMORY).json() == {"enabled": True, "count": 0}
    assert not draw(api, mirrored_png(7))["personal"]
    # The drawing and what was said of it stay, for the reviewer.
    assert api.get(f"{URL}{corrected['id']}/").json()["suggested_digit"] == 7
    assert draw(other, mirrored_png(7))["personal"]


def test_personal_learning_can_be_turned_off_and_on(api: APIClient) -> None:
    corrected = correct(api, mirrored_png(7), digit=7)

    response = api.patch(MEMORY, {"enabled": False})

    assert (response.status_code, response.json()) == (200, {"enabled": False, "count": 1})
    assert api.patch(MEMORY, {"enabled": False}).json() == {"enabled": False, "count": 1}
    assert not draw(api, mirrored_png(7))["personal"]
    correct(api, mirrored_png(5), digit=5)
    api.post(f"{URL}{corrected['id']}/suggestion/", {"digit": 2})
    assert api.get(MEMORY).json() == {"enabled": False, "count": 1}

    assert api.patch(MEMORY, {"enabled": True}).json() == {"enabled": True, "count": 1}
    assert draw(api, mirrored_png(7))["digit"] == 2
    assert not draw(api, mirrored_png(5))["personal"]


def test_off_is_stored_for_a_visitor_without_drawings(api: APIClient) -> None:
    api.patch(MEMORY, {"enabled": False})

    assert api.get(MEMORY).json() == {"enabled": False, "count": 0}
    correct(api, mirrored_png(7), digit=7)
    assert not RememberedDrawing.objects.exists()


def test_reading_and_forgetting_start_no_session(api: APIClient) -> None:
    assert api.get(MEMORY).json() == {"enabled": True, "count": 0}
    assert api.delete(MEMORY).status_code == 204
    assert not api.cookies
    assert api.get(MEMORY)["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "required", "enabled"),
        ({"count": 0}, "required", "enabled"),
        ({"enabled": None}, "null", "enabled"),
        ({"enabled": 0}, "invalid", "enabled"),
        ({"enabled": "false"}, "invalid", "enabled"),
        ({"enabled": "off"}, "invalid", "enabled"),
        ({"enabled": [False]}, "invalid", "enabled"),
        ([False], "invalid", "non_field_errors"),
        (False, "invalid", "non_field_errors"),
        (None, "parse_error", None),
    ],
    ids=str,
)
def test_the_switch_accepts_only_booleans(
    api: APIClient, body: Any, code: str, attr: str | None
) -> None:
    response = api.patch(MEMORY, json.dumps(body), content_type="application/json")

    first = error(response, 400)
    assert (first["code"], first["attr"]) == (code, attr)
    assert not MemorySwitchedOff.objects.exists()


@pytest.mark.parametrize("method", ["post", "put"])
def test_personal_learning_allows_no_other_methods(api: APIClient, method: str) -> None:
    assert error(getattr(api, method)(MEMORY, {}), 405)["code"] == "method_not_allowed"


# Whose it is ------------------------------------------------------------------------------------


def test_it_goes_with_the_visitor_to_their_account(api: APIClient, user: User) -> None:
    correct(person(user), mirrored_png(5), digit=5)
    correct(api, mirrored_png(7), digit=7)

    log_in(api, user)

    assert api.get(MEMORY).json() == {"enabled": True, "count": 2}
    assert [draw(api, mirrored_png(digit))["digit"] for digit in (5, 7)] == [5, 7]
    assert not RememberedDrawing.objects.exclude(user=user).exists()
    api.logout()
    assert api.get(MEMORY).json() == {"enabled": True, "count": 0}
    assert not draw(api, mirrored_png(7))["personal"]


@pytest.mark.parametrize(
    ("visitor_off", "user_off"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_off_stays_off_when_a_visitor_logs_in(
    api: APIClient, user: User, visitor_off: bool, user_off: bool
) -> None:
    corrections.switch(enabled=not user_off, owner=Owner(user=user))
    draw(api, digit_png(1))
    api.patch(MEMORY, {"enabled": not visitor_off})

    log_in(api, user)

    assert api.get(MEMORY).json()["enabled"] == (not visitor_off and not user_off)
    assert not MemorySwitchedOff.objects.filter(visitor__isnull=False).exists()


def test_a_token_has_what_is_remembered_for_its_user(user: User) -> None:
    correct(person(user), mirrored_png(7), digit=7)
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")

    assert draw(program, mirrored_png(7, 1))["personal"]
    assert program.get(MEMORY).json() == {"enabled": True, "count": 1}
    assert program.patch(MEMORY, {"enabled": False}).json()["enabled"] is False
    assert program.delete(MEMORY).status_code == 204
    assert person(user).get(MEMORY).json() == {"enabled": False, "count": 0}
    assert not program.cookies


def test_nothing_is_remembered_for_a_deleted_account(user: User) -> None:
    client = person(user)
    correct(client, mirrored_png(7), digit=7)
    client.patch(MEMORY, {"enabled": False})

    user.delete()

    assert not RememberedDrawing.objects.exists()
    assert not MemorySwitchedOff.objects.exists()
    assert Prediction.objects.get().suggestion == 7


# How much, and what it costs --------------------------------------------------------------------


def remember(user: User, count: int, **fields: Any) -> list[RememberedDrawing]:
    """Remember drawings of a user, one a minute, oldest first, as the site did it then."""
    version = ModelVersion.objects.get(is_active=True)
    start = timezone.now() - datetime.timedelta(days=1)
    rows = [
        make_prediction(
            number % 10,
            user=user,
            embedding=KEPT,
            model_version=version,
            suggestion=number % 10,
        )
        for number in range(count)
    ]
    return RememberedDrawing.objects.bulk_create(
        RememberedDrawing(
            prediction=row,
            user=user,
            label=row.digit,
            embedding=KEPT,
            remembered_at=start + datetime.timedelta(minutes=number),
            **{"model_version": version, **fields},
        )
        for number, row in enumerate(rows)
    )


def test_the_oldest_are_forgotten_beyond_two_hundred(user: User) -> None:
    old = remember(user, answers.MOST_REMEMBERED + 1)
    other = remember(User.objects.create_user("other"), 1)

    correct(person(user), mirrored_png(7), digit=7)

    assert corrections.state(owner=Owner(user=user)).count == answers.MOST_REMEMBERED == 200
    kept = set(RememberedDrawing.objects.values_list("pk", flat=True))
    assert not kept & {old[0].pk, old[1].pk}
    assert {old[2].pk, old[-1].pk, other[0].pk} <= kept


def test_merging_two_memories_keeps_the_limit(api: APIClient, user: User) -> None:
    remember(user, answers.MOST_REMEMBERED)
    correct(api, mirrored_png(7), digit=7)

    log_in(api, user)

    assert api.get(MEMORY).json()["count"] == answers.MOST_REMEMBERED
    assert draw(api, mirrored_png(7))["personal"]


def test_it_costs_one_query_however_much_is_remembered(user: User, settings: Settings) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    client, png = person(user), digit_png(4)
    draw(client, png)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            draw(client, png)
        return [query["sql"] for query in captured.captured_queries]

    empty = queries()
    remember(user, 20)
    some = queries()
    remember(user, 200)
    full = queries()

    lookups = [sql for sql in full if "remembereddrawing" in sql]
    assert len(lookups) == 1
    assert "memoryswitchedoff" in lookups[0]
    assert '"image"' not in lookups[0]
    assert len(empty) == len(some) == len(full)


def test_history_takes_no_more_queries_for_personal_answers(api: APIClient) -> None:
    correct(api, mirrored_png(7), digit=7)
    api.get(URL)
    with CaptureQueriesContext(connection) as few:
        api.get(URL)
    for time in range(4):
        assert draw(api, mirrored_png(7, time))["personal"]

    with CaptureQueriesContext(connection) as many:
        assert len(api.get(URL).json()["results"]) == 5

    assert len(many) == len(few)


# Another model version --------------------------------------------------------------------------


@pytest.fixture
def other_version() -> ModelVersion:
    """Return a second version, not active yet."""
    bundle = classifier.load_bundle(classifier.BUNDLED)
    return registry.register_model(bundle=dataclasses.replace(bundle, name="another"))


def test_remembered_drawings_are_embedded_again_by_a_new_network(
    api: APIClient, other_version: ModelVersion, settings: Settings
) -> None:
    corrected = correct(api, mirrored_png(7), digit=7)
    row = RememberedDrawing.objects.get()
    first, embedding = row.model_version, bytes(row.embedding)
    # As another network would have embedded it: of another length, even.
    RememberedDrawing.objects.update(embedding=KEPT[:128])

    registry.activate_model(name=other_version.name)
    body = draw(api, mirrored_png(7, 1))

    assert (body["digit"], body["personal"]) == (7, True)
    assert body["remembered_image_url"] == corrected["image_url"]
    row.refresh_from_db()
    assert row.model_version == other_version != first
    assert bytes(row.embedding) == embedding
    settings.MODEL_RECHECK_SECONDS = 60
    with CaptureQueriesContext(connection) as queries:
        assert draw(api, mirrored_png(7, 2))["personal"]
    assert sum("remembereddrawing" in query["sql"] for query in queries.captured_queries) == 1


def test_a_damaged_drawing_is_forgotten_then(api: APIClient, other_version: ModelVersion) -> None:
    damaged = correct(api, mirrored_png(5), digit=5)
    correct(api, mirrored_png(7), digit=7)
    Prediction.objects.filter(pk=damaged["id"]).update(image=b"\x89PNG\r\n\x1a\n, and no more")

    registry.activate_model(name=other_version.name)

    assert draw(api, mirrored_png(7, 1))["personal"]
    assert not draw(api, mirrored_png(5, 1))["personal"]
    assert RememberedDrawing.objects.get().label == 7


def test_many_remembered_drawings_are_embedded_again_newest_first(
    user: User, other_version: ModelVersion
) -> None:
    rows = remember(user, answers.EMBEDDED_AT_ONCE + 5, model_version=None)

    registry.activate_model(name=other_version.name)
    client = person(user)
    draw(client, digit_png(1))
    renewed = RememberedDrawing.objects.filter(model_version=other_version)
    assert renewed.count() == answers.EMBEDDED_AT_ONCE
    assert not renewed.filter(pk__in=[row.pk for row in rows[:5]]).exists()

    draw(client, digit_png(1))
    assert renewed.count() == len(rows)


def test_an_activation_while_a_drawing_is_answered_changes_nothing(
    api: APIClient, other_version: ModelVersion
) -> None:
    correct(api, mirrored_png(7), digit=7)
    row = RememberedDrawing.objects.get()
    found = recognition.preview(data=mirrored_png(7))
    assert found.personal is None

    registry.activate_model(name=other_version.name)
    (personal,) = answers.personal_answers(
        answers=[found.network], loaded=found.loaded, owner=Owner(visitor=row.visitor)
    )

    assert personal is not None
    assert (personal.answer.digit, personal.remembered_id) == (7, row.prediction_id)
    row.refresh_from_db()
    assert row.model_version == found.loaded.version != other_version


def test_a_drawing_without_embedding_is_remembered(user: User) -> None:
    client = person(user)
    old = make_prediction(3, user=user, embedding=None, image=mirrored_png(7))
    lost = make_prediction(3, user=user, embedding=None, image=b"\x89PNG")

    for row in (old, lost):
        assert client.post(f"{URL}{row.pk}/suggestion/", {"digit": 7}).status_code == 200

    remembered = RememberedDrawing.objects.get()
    assert remembered.prediction == old
    assert remembered.model_version == ModelVersion.objects.get(is_active=True)
    assert draw(client, mirrored_png(7, 1))["personal"]


def test_without_a_model_a_suggestion_is_stored_nevertheless(user: User) -> None:
    ModelVersion.objects.update(is_active=False)
    row = make_prediction(3, user=user, embedding=None)

    corrections.suggest(prediction_id=row.pk, label=7, owner=Owner(user=user))

    row.refresh_from_db()
    assert row.suggestion == 7
    assert not RememberedDrawing.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_remembered_drawing_may_be_deleted_while_it_decides(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = person(user)
    corrected = correct(client, mirrored_png(7), digit=7)
    decide = answers.personal_answers

    def decide_and_lose(**asked: Any) -> list[answers.PersonalAnswer | None]:
        found = decide(**asked)
        Prediction.objects.get(pk=corrected["id"]).delete()
        return found

    monkeypatch.setattr(answers, "personal_answers", decide_and_lose)
    body = draw(client, mirrored_png(7, 1))

    assert (body["digit"], body["personal"], body["remembered_image_url"]) == (7, True, None)


def test_personal_learning_needs_a_user_or_a_visitor() -> None:
    with pytest.raises(ValueError, match="a user or a visitor"):
        corrections.switch(enabled=False, owner=Owner())
    assert corrections.forget(owner=Owner()) == 0


# Filters, reviewers, statistics -----------------------------------------------------------------


def test_the_verdict_filter_uses_the_verdict_given(api: APIClient) -> None:
    correct(api, mirrored_png(7), digit=7)
    decided = draw(api, mirrored_png(7, 1))
    assert (decided["verdict"], decided["network"]["verdict"]) == ("digit", "not_a_digit")

    def ids(verdict: str) -> list[str]:
        return [entry["id"] for entry in api.get(f"{URL}?verdict={verdict}").json()["results"]]

    assert decided["id"] in ids("digit")
    assert decided["id"] not in ids("not_a_digit")


def personal_row(**fields: Any) -> Prediction:
    return make_prediction(
        2,
        personal_digit=7,
        personal_confidence=0.876,
        personal_probabilities=[0.0] * 7 + [0.876, 0.124, 0.0],
        personal_verdict="digit",
        **fields,
    )


def test_reviewers_see_both_answers(reviewing: Client) -> None:
    earlier = make_prediction(1, suggestion=7)
    row = personal_row(remembered=earlier)
    refused = make_prediction(
        4,
        personal_digit=4,
        personal_confidence=0.9,
        personal_probabilities=[0.0] * 4 + [1.0] + [0.0] * 5,
        personal_verdict="not_a_digit",
    )

    page = reviewing.get(LIST).content.decode()
    assert '<td class="field-answer">2</td>' in page
    assert '<td class="field-personal_text">7</td>' in page
    assert '<td class="field-personal_text">not a digit</td>' in page
    assert '<td class="field-personal_text">-</td>' in page
    detail = reviewing.get(f"{LIST}{row.pk}/change/").content.decode()
    assert f'7, 87.6\u00a0%, <a href="{LIST}{earlier.pk}/change/">' in detail
    assert "The drawing, predicted as 2" in detail
    assert "not a digit" in reviewing.get(f"{LIST}{refused.pk}/change/").content.decode()


def test_statistics_and_labels_go_by_the_networks_answer(reviewer: User) -> None:
    row = personal_row(label=7)
    assert list(Prediction.objects.misclassified()) == [row]
    assert row.is_correct is False

    other = personal_row()
    labels.confirm_predictions(predictions=[other.pk], by=reviewer)
    other.refresh_from_db()
    assert other.label == 2


def test_a_personal_answer_changes_no_training_label(api: APIClient) -> None:
    correct(api, mirrored_png(7), digit=7)
    draw(api, mirrored_png(7, 1))

    assert not Prediction.objects.labelled().exists()


def test_strangers_ids_decide_nothing() -> None:
    # The same drawing remembered for another visitor, who has another id.
    corrected = recognition.recognise(
        data=mirrored_png(7), source="api", owner=Owner(visitor=uuid.uuid4())
    )
    corrections.suggest(prediction_id=corrected.pk, label=7, owner=Owner(visitor=corrected.visitor))

    for other in (Owner(), Owner(visitor=uuid.uuid4())):
        row = recognition.recognise(data=mirrored_png(7), source="api", owner=other)
        assert not row.is_personal
