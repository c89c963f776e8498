"""What the database holds, and what it refuses to hold."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from recognizer import imaging
from recognizer.inference import classifier
from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import Bundle
from recognizer.labelling import labels
from recognizer.models import Label, LabelEvent, ModelVersion, Owner, Prediction, Verdict, Via
from recognizer.predictions import recognition, selectors
from recognizer.tests.support.drawings import DrawDigit
from recognizer.versions import active as active_version
from recognizer.versions import registry

pytestmark = [pytest.mark.django_db, pytest.mark.store]

Make = Callable[..., Prediction]


@pytest.fixture
def make(draw_digit: DrawDigit) -> Make:
    """Return the function that keeps a drawing and then changes fields of its row."""
    png = draw_digit(3)

    def build(**fields: Any) -> Prediction:
        row = recognition.recognise(data=png, source="canvas", owner=Owner(visitor=uuid.uuid4()))
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
        return row

    return build


@pytest.fixture
def bundled() -> Bundle:
    return classifier.load_bundle(classifier.BUNDLED)


def renamed(bundle: Bundle, name: str) -> Bundle:
    return dataclasses.replace(bundle, name=name)


# Constraints --------------------------------------------------------------------------------------

# Not now: parallel workers must give the tests the same names.
LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    "fields",
    [
        {"digit": 10},
        {"digit": -1},
        {"confidence": 1.01},
        {"confidence": -0.01},
        {"verdict": "maybe"},
        {"source": "paper"},
        {"suggestion": 11},
        {"suggestion": -1},
        {"label": 11, "labelled_at": LONG_AGO},
        {"label": 3},
        {"labelled_at": LONG_AGO},
        {"image": b""},
        {"digit": None},
        {"probabilities": None},
        {"model_version": None},
    ],
    ids=str,
)
def test_the_database_rejects_invalid_rows(make: Make, fields: dict[str, Any]) -> None:
    row = make()

    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=row.pk).update(**fields)


def test_a_drawing_has_one_owner(make: Make, user: User) -> None:
    row = make()

    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=row.pk).update(user=user, visitor=uuid.uuid4())
    with pytest.raises(ValueError, match="not both"):
        Owner(user=user, visitor=uuid.uuid4())


def test_a_labeller_requires_a_label(make: Make, reviewer: User) -> None:
    row = make()

    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=row.pk).update(labelled_by=reviewer)


@pytest.mark.parametrize(
    "probabilities", [[], [0.1] * 9, [0.2] * 10, [1.1, -0.1] + [0.0] * 8, ["1"] * 10, "x", None]
)
def test_probabilities_are_ten_and_sum_to_one(make: Make, probabilities: Any) -> None:
    row = make()
    row.probabilities = probabilities

    with pytest.raises(ValidationError):
        row.full_clean()


def test_at_most_one_version_is_active(bundled: Bundle) -> None:
    second = registry.register_model(bundle=renamed(bundled, "second"))

    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(
            is_active=True, activated_at=timezone.now()
        )


def test_a_version_in_use_cannot_be_deleted(make: Make) -> None:
    version = make().model_version

    with pytest.raises(ProtectedError):
        version.delete()


def test_a_deleted_account_leaves_its_drawings(make: Make, user: User) -> None:
    row = make(visitor=None, user=user)

    user.delete()

    row.refresh_from_db()
    assert (row.user, row.visitor) == (None, None)


# Recognising --------------------------------------------------------------------------------------


def test_a_bad_drawing_leaves_no_row(draw_digit: DrawDigit) -> None:
    with pytest.raises(imaging.ImageError):
        recognition.recognise(
            data=draw_digit()[:200], source="api", owner=Owner(visitor=uuid.uuid4())
        )

    assert not Prediction.objects.exists()


def test_a_preview_stores_nothing(draw_digit: DrawDigit) -> None:
    found = recognition.preview(data=draw_digit(8))

    assert found.network.digit == 8
    assert found.model_input.shape == (28, 28)
    assert found.loaded.name == selectors.active_model().name
    assert not Prediction.objects.exists()


def test_the_stored_drawing_is_what_was_decoded(make: Make, draw_digit: DrawDigit) -> None:
    row = Prediction.objects.get(pk=make().pk)

    stored = row.stored_drawing()

    assert (stored.pixels == imaging.read_drawing(draw_digit(3)).pixels).all()


# Labels -------------------------------------------------------------------------------------------


def test_a_label_has_an_account_and_a_time_and_is_logged(make: Make, reviewer: User) -> None:
    rows = [make(), make()]
    before = timezone.now()

    changed = labels.label_predictions(predictions=Prediction.objects.all(), label=7, by=reviewer)

    assert changed == 2
    for row in rows:
        row.refresh_from_db()
        assert (row.label, row.labelled_by) == (7, reviewer)
        assert row.labelled_at is not None
        assert row.labelled_at >= before
        event = LabelEvent.objects.get(prediction=row)
        assert (event.old, event.new, event.by, event.via) == (None, 7, reviewer, Via.ADMIN)
        assert event.at == row.labelled_at


def test_the_same_label_again_keeps_who_set_it(
    make: Make, reviewer: User, make_user: Callable[..., User]
) -> None:
    row = make()
    labels.label_predictions(predictions=[row.pk], label=7, by=reviewer)

    changed = labels.label_predictions(predictions=[row.pk], label=7, by=make_user("second"))

    row.refresh_from_db()
    assert (changed, row.labelled_by) == (0, reviewer)
    assert LabelEvent.objects.count() == 1


def test_a_label_can_be_changed_and_cleared(make: Make, reviewer: User) -> None:
    row = make()

    labels.label_predictions(predictions=[row.pk], label=7, by=reviewer)
    labels.label_predictions(predictions=[row.pk], label=Label.NOT_A_DIGIT, by=reviewer)
    labels.label_predictions(predictions=[row.pk], label=None, by=reviewer)

    row.refresh_from_db()
    assert (row.label, row.labelled_by, row.labelled_at) == (None, None, None)
    history = LabelEvent.objects.order_by("pk").values_list("old", "new")
    assert list(history) == [(None, 7), (7, 10), (10, None)]


def test_confirming_labels_each_with_its_own_digit(make: Make, reviewer: User) -> None:
    rows = [make(digit=digit) for digit in (1, 5)]

    changed = labels.confirm_predictions(
        predictions=Prediction.objects.filter(pk__in=[row.pk for row in rows]), by=reviewer
    )

    assert changed == 2
    assert [Prediction.objects.get(pk=row.pk).label for row in rows] == [1, 5]


@pytest.mark.parametrize("label", [11, -1, 99])
def test_an_unknown_label_changes_nothing(make: Make, reviewer: User, label: int) -> None:
    row = make()

    with pytest.raises(ValueError, match="Label"):
        labels.label_predictions(predictions=[row.pk], label=label, by=reviewer)

    row.refresh_from_db()
    assert row.label is None


@pytest.mark.parametrize(
    ("verdict", "label", "is_correct"),
    [
        ("digit", None, None),
        ("digit", 3, True),
        ("digit", 4, False),
        ("digit", Label.NOT_A_DIGIT, False),
        ("uncertain", Label.NOT_A_DIGIT, False),
        ("not_a_digit", Label.NOT_A_DIGIT, True),
        ("not_a_digit", 4, False),
        ("not_a_digit", 3, False),
    ],
)
def test_what_counts_as_correct(
    make: Make, verdict: str, label: int | None, is_correct: bool | None
) -> None:
    row = make(
        digit=3,
        verdict=Verdict(verdict),
        label=label,
        labelled_at=None if label is None else timezone.now(),
    )

    assert row.is_correct is is_correct
    assert Prediction.objects.misclassified().exists() is (is_correct is False)
    assert Prediction.objects.correct().exists() is bool(is_correct)
    mistakes = selectors.labelled_drawings(only_mistakes=True)
    assert mistakes.exists() is (is_correct is False)


def test_labelled_drawings_can_be_filtered(make: Make) -> None:
    now = timezone.now()
    make()
    old = make(digit=3, label=3, labelled_at=now - timedelta(days=9))
    new = make(digit=3, label=4, labelled_at=now)

    def found(**filters: Any) -> set[uuid.UUID]:
        return set(selectors.labelled_drawings(**filters).values_list("pk", flat=True))

    assert found() == {old.pk, new.pk}
    assert found(only_mistakes=True) == {new.pk}
    assert found(include_confirmed=False) == {new.pk}
    assert found(since=now - timedelta(days=1)) == {new.pk}


def copy_rows(row: Prediction, number: int) -> None:
    """Add as many rows like this one."""
    fields = {f.attname: getattr(row, f.attname) for f in Prediction._meta.concrete_fields}
    Prediction.objects.bulk_create(
        Prediction(**{**fields, "id": uuid.uuid4()}) for _ in range(number)
    )


def test_many_labels_take_few_queries(make: Make, reviewer: User) -> None:
    copy_rows(make(), 2999)

    with CaptureQueriesContext(connection) as queries:
        changed = labels.label_predictions(
            predictions=Prediction.objects.all(), label=1, by=reviewer
        )

    assert changed == LabelEvent.objects.count() == 3000
    # One insert carries as many lines of the history as the database takes values at once.
    inserts = [q for q in queries.captured_queries if q["sql"].startswith("INSERT")]
    assert len(inserts) <= 3000 / 140 + 1
    assert len(queries) - len(inserts) <= 15


# Model versions -----------------------------------------------------------------------------------


def test_the_bundled_model_is_registered_and_active(bundled: Bundle) -> None:
    version = ModelVersion.objects.get()

    assert (version.name, version.sha256) == (bundled.name, bundled.sha256)
    assert version.is_active
    assert version.is_bundled
    assert bytes(version.serving) == bundled.serving
    assert bytes(version.training) == bundled.training
    assert hashlib.sha256(bytes(version.serving)).hexdigest() == version.sha256


def test_migrating_again_changes_nothing(bundled: Bundle) -> None:
    before = ModelVersion.objects.values().get()

    registry.install_bundled_model(bundled)

    assert ModelVersion.objects.values().get() == before


def newer(bundle: Bundle) -> Bundle:
    # LiteRT reads the model from its start; what follows is not looked at.
    serving_bytes = bundle.serving + bytes(16)
    sha256 = hashlib.sha256(serving_bytes).hexdigest()
    return dataclasses.replace(bundle, serving=serving_bytes, sha256=sha256)


def test_a_newer_bundled_model_replaces_an_older_one(bundled: Bundle) -> None:
    version = registry.install_bundled_model(newer(bundled))

    assert selectors.active_model() == version
    assert version.name == f"{bundled.name}-{version.sha256[:8]}"
    assert ModelVersion.objects.count() == 2


def test_a_newer_bundled_model_does_not_replace_a_trained_one(bundled: Bundle) -> None:
    trained = registry.register_model(bundle=renamed(bundled, "trained here"))
    registry.activate_model(name="trained here")

    registry.install_bundled_model(newer(bundled))

    assert selectors.active_model() == trained


def test_a_roll_back_is_not_undone_by_the_next_migrate(bundled: Bundle) -> None:
    registry.install_bundled_model(newer(bundled))
    registry.activate_model(name=bundled.name)

    registry.install_bundled_model(newer(bundled))

    assert selectors.active_model().name == bundled.name


def test_registering_the_same_twice_stores_one(bundled: Bundle) -> None:
    first = registry.register_model(bundle=renamed(bundled, "mine"))

    assert registry.register_model(bundle=renamed(bundled, "mine")) == first


def test_a_name_belongs_to_one_model(bundled: Bundle) -> None:
    with pytest.raises(registry.RegistrationError, match="already"):
        registry.register_model(bundle=newer(bundled))


@pytest.mark.parametrize("damage", ["checksum", "bytes", "card"])
def test_a_damaged_model_is_not_registered(bundled: Bundle, damage: str) -> None:
    junk = b"junk" * 100
    damaged = {
        "checksum": dataclasses.replace(bundled, name="x", sha256="0" * 64),
        "bytes": dataclasses.replace(
            bundled, name="x", serving=junk, sha256=hashlib.sha256(junk).hexdigest()
        ),
        "card": dataclasses.replace(bundled, name="x", card=ModelCard()),
    }[damage]

    with pytest.raises(registry.RegistrationError):
        registry.register_model(bundle=damaged)

    assert ModelVersion.objects.count() == 1


def test_activating_deactivates_the_other_version(bundled: Bundle) -> None:
    second = registry.register_model(bundle=renamed(bundled, "second"))

    registry.activate_model(name="second")

    assert list(ModelVersion.objects.filter(is_active=True)) == [second]
    assert active_version.current_version().name == "second"


def test_activating_the_active_version_changes_nothing(bundled: Bundle) -> None:
    before = selectors.active_model().activated_at

    registry.activate_model(name=bundled.name)

    assert selectors.active_model().activated_at == before


def test_an_unknown_version_is_not_activated(bundled: Bundle) -> None:
    with pytest.raises(registry.ActivationError, match="no model version"):
        registry.activate_model(name="nobody")

    assert selectors.active_model().name == bundled.name


def test_a_damaged_version_is_not_activated(bundled: Bundle) -> None:
    registry.register_model(bundle=renamed(bundled, "second"))
    ModelVersion.objects.filter(name="second").update(serving=b"junk")

    with pytest.raises(registry.ActivationError, match="sha256"):
        registry.activate_model(name="second")

    assert selectors.active_model().name == bundled.name


# Serving ------------------------------------------------------------------------------------------


@pytest.fixture
def second(bundled: Bundle) -> ModelVersion:
    return registry.register_model(bundle=renamed(bundled, "second"))


def activate_behind_the_back(version: ModelVersion) -> None:
    """Activate as another process would: this one is not told."""
    ModelVersion.objects.filter(is_active=True).update(is_active=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_active=True, activated_at=timezone.now())


def test_a_new_version_is_noticed_without_restart(bundled: Bundle, second: ModelVersion) -> None:
    assert active_version.current_version().name == bundled.name

    activate_behind_the_back(second)

    assert active_version.current_version().name == "second"


def test_the_database_is_not_queried_every_time(
    second: ModelVersion, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    first = active_version.current_version()
    activate_behind_the_back(second)

    with django_assert_num_queries(0):
        assert active_version.current_version() is first
    active_version.expire()
    assert active_version.current_version().name == "second"


def test_a_version_that_does_not_load_leaves_the_last_one_serving(
    bundled: Bundle,
    second: ModelVersion,
    caplog: pytest.LogCaptureFixture,
) -> None:
    active_version.current_version()
    ModelVersion.objects.filter(pk=second.pk).update(serving=b"junk")
    activate_behind_the_back(second)

    with caplog.at_level("ERROR"):
        assert active_version.current_version().name == bundled.name
        assert active_version.current_version().name == bundled.name

    found = active_version.status()
    assert found.serving == bundled.name
    assert found.problem is not None
    assert "second does not load" in found.problem
    # It is tried again after a while, not at every request.
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1


def test_a_fresh_process_falls_back_to_the_previous_version(
    bundled: Bundle, second: ModelVersion
) -> None:
    registry.activate_model(name="second")
    ModelVersion.objects.filter(pk=second.pk).update(serving=b"junk")
    active_version.forget()

    assert active_version.current_version().name == bundled.name
    assert active_version.status().problem is not None


def test_a_version_that_loads_again_is_no_longer_a_problem(
    bundled: Bundle, second: ModelVersion
) -> None:
    active_version.current_version()
    ModelVersion.objects.filter(pk=second.pk).update(serving=b"junk")
    activate_behind_the_back(second)
    assert active_version.status().problem is not None

    registry.activate_model(name=bundled.name)

    assert active_version.status() == active_version.Status(serving=bundled.name, problem=None)


# History ------------------------------------------------------------------------------------------


def test_history_belongs_to_a_user_or_a_visitor(make: Make, user: User) -> None:
    visitor = uuid.uuid4()
    of_visitor, of_user = make(visitor=visitor), make(visitor=None, user=user)
    make(visitor=None)

    assert list(selectors.history(owner=Owner(visitor=visitor))) == [of_visitor]
    assert list(selectors.history(owner=Owner(user=user))) == [of_user]
    assert list(selectors.history(owner=Owner())) == []


def test_history_is_newest_first(make: Make, django_assert_num_queries: Any) -> None:
    visitor, now = uuid.uuid4(), timezone.now()
    rows = [make(visitor=visitor, created_at=now - timedelta(hours=n)) for n in (2, 0, 1)]

    with django_assert_num_queries(1):
        found = list(selectors.history(owner=Owner(visitor=visitor)))
        names = {row.model_version.name for row in found}

    assert found == [rows[1], rows[2], rows[0]]
    assert len(names) == 1
    assert found[0].get_deferred_fields() == {"image", "strokes", "embedding"}


@pytest.mark.parametrize("strokes", [b"", b"x" * (256 * 1024 + 1)])
def test_the_database_refuses_strokes_of_an_impossible_length(make: Make, strokes: bytes) -> None:
    prediction = make()
    prediction.strokes = strokes

    with pytest.raises(IntegrityError), transaction.atomic():
        prediction.save()


@pytest.mark.parametrize("packed", [b"x", zlib.compress(b"[]"), zlib.compress(b"[" * 10**7)])
def test_bytes_that_are_not_strokes_are_refused(make: Make, packed: bytes) -> None:
    prediction = make()
    prediction.strokes = packed

    with pytest.raises(ValidationError, match="not strokes"):
        prediction.full_clean()
