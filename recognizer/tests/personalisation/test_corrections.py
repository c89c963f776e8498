"""What a person has said of their drawings decides that person's next answers, nobody else's."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from recognizer.inference import classifier
from recognizer.labelling import labels
from recognizer.models import (
    MemorySwitchedOff,
    ModelVersion,
    Prediction,
    RememberedDrawing,
)
from recognizer.personalisation import corrections, retrieval
from recognizer.predictions import recognition
from recognizer.tests.api.test_errors import error
from recognizer.tests.inference.test_embeddings import KEPT
from recognizer.tests.support.drawings import data_url, digit_png
from recognizer.tests.support.mirrored import mirrored_png
from recognizer.tests.support.reviewing import LIST, make_prediction, make_version
from recognizer.versions import registry

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
MEMORY = "/api/v1/memory/"
Json = dict[str, Any]


def draw(client: APIClient, png: bytes) -> Json:
    """Send a drawing; return its answer."""
    response = client.post(URL, {"image": data_url(png)})
    assert response.status_code == 201
    body: Json = response.json()
    return body


def teach(client: APIClient, png: bytes, **said: Any) -> Json:
    """Send a drawing and say what it is; return the answer that was given before."""
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
    taught = teach(api, mirrored_png(digit), digit=digit)
    assert (taught["digit"], taught["verdict"]) != (digit, "digit")

    body = draw(api, mirrored_png(digit, 1))

    assert (body["digit"], body["verdict"], body["personal"]) == (digit, "digit", True)
    assert body["remembered_image_url"] == taught["image_url"]
    assert body["confidence"] == body["probabilities"][digit] == max(body["probabilities"])
    assert sum(body["probabilities"]) == pytest.approx(1)
    assert (body["network"]["digit"], body["network"]["verdict"]) != (digit, "digit")
    assert api.get(f"{URL}{body['id']}/").json() == body
    assert api.get(URL).json()["results"][0] == body
    assert api.get(body["remembered_image_url"]).status_code == 200


def test_the_networks_answer_is_kept_beside_the_personal_one(api: APIClient) -> None:
    alone = draw(APIClient(), mirrored_png(5, 1))
    teach(api, mirrored_png(5), digit=5)

    body = draw(api, mirrored_png(5, 1))

    row = Prediction.objects.get(pk=body["id"])
    assert body["network"] == {key: alone[key] for key in ("digit", "confidence", "verdict")}
    assert (row.digit, row.confidence, row.verdict) == tuple(body["network"].values())
    assert row.probabilities == pytest.approx(alone["probabilities"])
    assert (row.personal_digit, row.personal_confidence) == (5, body["confidence"])
    assert (row.personal_probabilities, row.personal_verdict) == (body["probabilities"], "digit")
    row.full_clean()


def test_what_is_no_digit_is_learned_too(api: APIClient) -> None:
    taught = teach(api, digit_png(8, seed=4), not_a_digit=True)
    assert taught["verdict"] == "digit"

    body = draw(api, digit_png(8, seed=4))

    assert (body["digit"], body["verdict"], body["personal"]) == (8, "not_a_digit", True)
    assert body["network"]["verdict"] == "digit"


def test_nobody_else_is_answered_by_it(api: APIClient, user: User) -> None:
    # A visitor who teaches nonsense fools themselves alone, whatever the number of lies.
    for digit in range(10):
        teach(api, digit_png(digit), digit=(digit + 1) % 10)
    other, logged_in = APIClient(), person(user)
    teach(other, mirrored_png(7), digit=7)

    for digit in range(10):
        assert draw(api, digit_png(digit))["digit"] == (digit + 1) % 10
        for client in (other, logged_in, APIClient()):
            body = draw(client, digit_png(digit))
            assert (body["digit"], body["personal"]) == (digit, False)
            assert body["remembered_image_url"] is None
    assert (
        draw(api, mirrored_png(7, 1))["network"] == draw(logged_in, mirrored_png(7, 1))["network"]
    )


def test_an_odd_seven_takes_no_other_digit_with_it(api: APIClient) -> None:
    teach(api, mirrored_png(7), digit=7)

    for digit in range(10):
        alone, body = (draw(client, digit_png(digit, seed=3)) for client in (APIClient(), api))
        assert (body["digit"], body["personal"]) == (alone["digit"], False)


def test_an_answer_that_is_right_already_stays_the_networks(api: APIClient) -> None:
    teach(api, digit_png(3), digit=3)

    assert not draw(api, digit_png(3))["personal"]


def test_one_word_against_many_drawings_let_pass_is_taken_for_a_slip(
    api: APIClient, user: User
) -> None:
    hasty, settled = APIClient(), api
    for _ in range(20):
        assert draw(settled, digit_png(5))["digit"] == 5
    for client in (hasty, settled):
        teach(client, digit_png(5), digit=6)

    assert draw(hasty, digit_png(5))["digit"] == 6
    body = draw(settled, digit_png(5))
    assert (body["digit"], body["personal"]) == (5, False)


def test_only_drawings_of_before_that_were_read_without_doubt_were_let_pass(
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
    assert retrieval.recall(user=user, visitor=None, version=version) == []
    remember(user, 1)

    rows = retrieval.recall(user=user, visitor=None, version=version)

    assert [row.label for row in rows if row.pk is not None] == [0]
    assert sorted(row.label for row in rows if row.pk is None) == [3, 4]
    for number in range(retrieval.LOOKED_BACK):
        make_prediction(
            8, user=user, embedding=KEPT, model_version=version, suggestion=number % 2 or None,
            created_at=timezone.now() + datetime.timedelta(seconds=number),
        )  # fmt: skip
    later = retrieval.recall(user=user, visitor=None, version=version)
    assert [row.label for row in later if row.pk is None] == [8] * (retrieval.LOOKED_BACK // 2)


# Taken back, changed, forgotten, switched off ---------------------------------------------------


def test_a_suggestion_taken_back_decides_nothing(api: APIClient) -> None:
    taught = teach(api, mirrored_png(7), digit=7)
    assert draw(api, mirrored_png(7))["personal"]

    api.delete(f"{URL}{taught['id']}/suggestion/")

    assert not draw(api, mirrored_png(7))["personal"]


def test_a_suggestion_changed_decides_otherwise(api: APIClient) -> None:
    taught = teach(api, mirrored_png(7), digit=7)

    api.post(f"{URL}{taught['id']}/suggestion/", {"digit": 4})

    assert draw(api, mirrored_png(7))["digit"] == 4
    assert api.get(MEMORY).json() == {"enabled": True, "count": 1}


def test_a_drawing_that_is_deleted_is_forgotten(api: APIClient) -> None:
    taught = teach(api, mirrored_png(7), digit=7)
    decided = draw(api, mirrored_png(7))

    Prediction.objects.get(pk=taught["id"]).delete()

    assert not RememberedDrawing.objects.exists()
    # The answer stays what it was; the drawing that decided it can't be shown any more.
    body = api.get(f"{URL}{decided['id']}/").json()
    assert (body["digit"], body["personal"], body["remembered_image_url"]) == (7, True, None)
    assert not draw(api, mirrored_png(7))["personal"]


def test_the_memory_can_be_forgotten(api: APIClient) -> None:
    other = APIClient()
    taught = teach(api, mirrored_png(7), digit=7)
    teach(other, mirrored_png(7), digit=7)

    response = api.delete(MEMORY)

    assert (response.status_code, response.content) == (204, b"")
    assert api.get(MEMORY).json() == {"enabled": True, "count": 0}
    assert not draw(api, mirrored_png(7))["personal"]
    # The drawing and what was said of it stay, for the reviewer.
    assert api.get(f"{URL}{taught['id']}/").json()["suggested_digit"] == 7
    assert draw(other, mirrored_png(7))["personal"]


def test_the_memory_can_be_switched_off_and_on(api: APIClient) -> None:
    taught = teach(api, mirrored_png(7), digit=7)

    response = api.patch(MEMORY, {"enabled": False})

    assert (response.status_code, response.json()) == (200, {"enabled": False, "count": 1})
    assert api.patch(MEMORY, {"enabled": False}).json() == {"enabled": False, "count": 1}
    assert not draw(api, mirrored_png(7))["personal"]
    teach(api, mirrored_png(5), digit=5)
    api.post(f"{URL}{taught['id']}/suggestion/", {"digit": 2})
    assert api.get(MEMORY).json() == {"enabled": False, "count": 1}

    assert api.patch(MEMORY, {"enabled": True}).json() == {"enabled": True, "count": 1}
    assert draw(api, mirrored_png(7))["digit"] == 2
    assert not draw(api, mirrored_png(5))["personal"]


def test_off_is_remembered_for_who_has_drawn_nothing_yet(api: APIClient) -> None:
    api.patch(MEMORY, {"enabled": False})

    assert api.get(MEMORY).json() == {"enabled": False, "count": 0}
    teach(api, mirrored_png(7), digit=7)
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
def test_the_switch_refuses_what_is_neither_on_nor_off(
    api: APIClient, body: Any, code: str, attr: str | None
) -> None:
    response = api.patch(MEMORY, json.dumps(body), content_type="application/json")

    first = error(response, 400)
    assert (first["code"], first["attr"]) == (code, attr)
    assert not MemorySwitchedOff.objects.exists()


@pytest.mark.parametrize("method", ["post", "put"])
def test_the_memory_knows_no_other_methods(api: APIClient, method: str) -> None:
    assert error(getattr(api, method)(MEMORY, {}), 405)["code"] == "method_not_allowed"


# Whose it is ------------------------------------------------------------------------------------


def test_it_goes_with_the_visitor_to_their_account(api: APIClient, user: User) -> None:
    teach(person(user), mirrored_png(5), digit=5)
    teach(api, mirrored_png(7), digit=7)

    api.login(username="ada", password="pass-of-ada")

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
    corrections.switch(enabled=not user_off, user=user, visitor=None)
    draw(api, digit_png(1))
    api.patch(MEMORY, {"enabled": not visitor_off})

    api.login(username="ada", password="pass-of-ada")

    assert api.get(MEMORY).json()["enabled"] == (not visitor_off and not user_off)
    assert not MemorySwitchedOff.objects.filter(visitor__isnull=False).exists()


def test_a_token_has_its_users_memory(user: User) -> None:
    teach(person(user), mirrored_png(7), digit=7)
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")

    assert draw(program, mirrored_png(7, 1))["personal"]
    assert program.get(MEMORY).json() == {"enabled": True, "count": 1}
    assert program.patch(MEMORY, {"enabled": False}).json()["enabled"] is False
    assert program.delete(MEMORY).status_code == 204
    assert person(user).get(MEMORY).json() == {"enabled": False, "count": 0}
    assert not program.cookies


def test_an_account_that_is_deleted_leaves_no_memory(user: User) -> None:
    client = person(user)
    teach(client, mirrored_png(7), digit=7)
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
    old = remember(user, retrieval.MOST_REMEMBERED + 1)
    other = remember(User.objects.create_user("other"), 1)

    teach(person(user), mirrored_png(7), digit=7)

    assert corrections.state(user=user, visitor=None).count == retrieval.MOST_REMEMBERED == 200
    kept = set(RememberedDrawing.objects.values_list("pk", flat=True))
    assert not kept & {old[0].pk, old[1].pk}
    assert {old[2].pk, old[-1].pk, other[0].pk} <= kept


def test_no_more_are_remembered_when_two_memories_become_one(api: APIClient, user: User) -> None:
    remember(user, retrieval.MOST_REMEMBERED)
    teach(api, mirrored_png(7), digit=7)

    api.login(username="ada", password="pass-of-ada")

    assert api.get(MEMORY).json()["count"] == retrieval.MOST_REMEMBERED
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

    about_memory = [sql for sql in full if "remembereddrawing" in sql]
    assert len(about_memory) == 1
    assert "memoryswitchedoff" in about_memory[0]
    assert '"image"' not in about_memory[0]
    assert len(empty) == len(some) == len(full)


def test_history_takes_no_more_queries_for_personal_answers(api: APIClient) -> None:
    teach(api, mirrored_png(7), digit=7)
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


def test_remembered_drawings_pass_through_a_newly_activated_network(
    api: APIClient, other_version: ModelVersion, settings: Settings
) -> None:
    taught = teach(api, mirrored_png(7), digit=7)
    row = RememberedDrawing.objects.get()
    first, embedding = row.model_version, bytes(row.embedding)
    # As another network would have embedded it: of another length, even.
    RememberedDrawing.objects.update(embedding=KEPT[:128])

    registry.activate_model(name=other_version.name)
    body = draw(api, mirrored_png(7, 1))

    assert (body["digit"], body["personal"]) == (7, True)
    assert body["remembered_image_url"] == taught["image_url"]
    row.refresh_from_db()
    assert row.model_version == other_version != first
    assert bytes(row.embedding) == embedding
    settings.MODEL_RECHECK_SECONDS = 60
    with CaptureQueriesContext(connection) as queries:
        assert draw(api, mirrored_png(7, 2))["personal"]
    assert sum("remembereddrawing" in query["sql"] for query in queries.captured_queries) == 1


def test_a_damaged_drawing_is_forgotten_then(api: APIClient, other_version: ModelVersion) -> None:
    damaged = teach(api, mirrored_png(5), digit=5)
    teach(api, mirrored_png(7), digit=7)
    Prediction.objects.filter(pk=damaged["id"]).update(image=b"\x89PNG\r\n\x1a\n, and no more")

    registry.activate_model(name=other_version.name)

    assert draw(api, mirrored_png(7, 1))["personal"]
    assert not draw(api, mirrored_png(5, 1))["personal"]
    assert RememberedDrawing.objects.get().label == 7


def test_a_large_memory_is_renewed_bit_by_bit_newest_first(
    user: User, other_version: ModelVersion
) -> None:
    rows = remember(user, retrieval.RENEWED_AT_ONCE + 5, model_version=None)

    registry.activate_model(name=other_version.name)
    client = person(user)
    draw(client, digit_png(1))
    renewed = RememberedDrawing.objects.filter(model_version=other_version)
    assert renewed.count() == retrieval.RENEWED_AT_ONCE
    assert not renewed.filter(pk__in=[row.pk for row in rows[:5]]).exists()

    draw(client, digit_png(1))
    assert renewed.count() == len(rows)


def test_an_answer_of_a_version_that_is_not_active_any_more_stands(
    api: APIClient, other_version: ModelVersion
) -> None:
    teach(api, mirrored_png(7), digit=7)
    visitor = RememberedDrawing.objects.get().visitor
    found = recognition.classify_bytes(mirrored_png(7))

    def answer(version: ModelVersion) -> corrections.PersonalAnswer | None:
        return corrections.personal_answer(
            answer=found.answer, version=version, user=None, visitor=visitor
        )

    assert answer(found.model_version) is not None
    assert answer(other_version) is None


def test_a_drawing_of_before_embeddings_is_remembered(user: User) -> None:
    client = person(user)
    old = make_prediction(3, user=user, embedding=None, image=mirrored_png(7))
    lost = make_prediction(3, user=user, embedding=None, image=b"\x89PNG")

    for row in (old, lost):
        assert client.post(f"{URL}{row.pk}/suggestion/", {"digit": 7}).status_code == 200

    remembered = RememberedDrawing.objects.get()
    assert remembered.prediction == old
    assert remembered.model_version == ModelVersion.objects.get(is_active=True)
    assert draw(client, mirrored_png(7, 1))["personal"]


def test_without_a_model_a_suggestion_is_kept_all_the_same(user: User) -> None:
    ModelVersion.objects.update(is_active=False)
    row = make_prediction(3, user=user, embedding=None)

    corrections.suggest(prediction_id=row.pk, label=7, user=user, visitor=None)

    row.refresh_from_db()
    assert row.suggestion == 7
    assert not RememberedDrawing.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_remembered_drawing_may_go_while_it_decides(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = person(user)
    taught = teach(client, mirrored_png(7), digit=7)
    decide: Callable[..., corrections.PersonalAnswer | None] = corrections.personal_answer

    def decide_and_lose(**asked: Any) -> corrections.PersonalAnswer | None:
        found = decide(**asked)
        Prediction.objects.get(pk=taught["id"]).delete()
        return found

    monkeypatch.setattr(corrections, "personal_answer", decide_and_lose)
    body = draw(client, mirrored_png(7, 1))

    assert (body["digit"], body["personal"], body["remembered_image_url"]) == (7, True, None)


def test_nobody_has_no_memory_to_switch() -> None:
    with pytest.raises(ValueError, match="Nobody"):
        corrections.switch(enabled=False, user=None, visitor=None)
    assert corrections.forget(user=None, visitor=None) == 0


# Filters, reviewers, statistics -----------------------------------------------------------------


def test_the_verdict_asked_for_is_the_one_that_was_answered(api: APIClient) -> None:
    teach(api, mirrored_png(7), digit=7)
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
    assert '<td class="field-digit">2</td>' in page
    assert '<td class="field-personal_text">7</td>' in page
    assert '<td class="field-personal_text">not a digit</td>' in page
    assert '<td class="field-personal_text">-</td>' in page
    detail = reviewing.get(f"{LIST}{row.pk}/change/").content.decode()
    assert f'7, 87.6\u00a0%, <a href="{LIST}{earlier.pk}/change/">' in detail
    assert "The drawing, read as 2" in detail
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
    teach(api, mirrored_png(7), digit=7)
    draw(api, mirrored_png(7, 1))

    assert not Prediction.objects.labelled().exists()


def test_strangers_ids_decide_nothing() -> None:
    # The same drawing remembered for another visitor, who has another id.
    taught = recognition.recognise(
        data=mirrored_png(7), source="api", user=None, visitor=uuid.uuid4()
    )
    corrections.suggest(prediction_id=taught.pk, label=7, user=None, visitor=taught.visitor)

    for visitor in (None, uuid.uuid4()):
        row = recognition.recognise(data=mirrored_png(7), source="api", user=None, visitor=visitor)
        assert not row.is_personal
