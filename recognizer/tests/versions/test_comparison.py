"""Another version run over the stored drawings: what would change, in numbers and in the admin."""

from __future__ import annotations

import dataclasses
import io
from datetime import datetime, timezone
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import BUNDLED, Bundle, load_bundle
from recognizer.models import ModelVersion, Prediction, VersionAnswer
from recognizer.tests.support import bundled_model
from recognizer.tests.support.exporting import store
from recognizer.tests.support.reviewing import LIST, NOT_A_DIGIT, make_prediction, make_version
from recognizer.versions import comparison as versions_comparison
from recognizer.versions import registry

pytestmark = [pytest.mark.django_db, pytest.mark.store]


def candidate(name: str = "candidate", **thresholds: float) -> ModelVersion:
    """The bundled network as another version, which refuses more or fewer drawings."""
    bundle = load_bundle(BUNDLED)
    stored = bundle.card.to_json()
    changed = {"name": name, "thresholds": {**stored["thresholds"], **thresholds}}
    card = ModelCard.from_json({**stored, **changed})
    copy: Bundle = dataclasses.replace(bundle, name=name, card=card)
    return registry.register_model(bundle=copy)


def run(*options: object) -> str:
    out = io.StringIO()
    call_command("recheck_drawings", *map(str, options), stdout=out, stderr=out)
    return out.getvalue()


def recheck(version: ModelVersion, **more: Any) -> versions_comparison.Summary:
    return versions_comparison.recheck(version=version, drawings=Prediction.objects.all(), **more)


@pytest.fixture
def misclassified() -> list[Prediction]:
    """Drawings of a version that is gone from memory: it took a 3 for an 8 and a 1 for a 7."""
    return [
        make_prediction(8, shown=3, label=3),
        make_prediction(7, shown=1),
        make_prediction(4, shown=4, label=4),
        make_prediction(5, shown=5, label=6),
    ]


# In numbers -----------------------------------------------------------------------------------


def test_the_command_says_what_would_change(misclassified: list[Prediction]) -> None:
    printed = run()

    assert f"Predicted 4 drawings with {bundled_model.NAME}." in printed
    assert "4 drawings: 2 unchanged, 2 changed." in printed
    assert "3 with a label: 1 fixed, 0 broken." in printed
    assert "  8 → 3: 1 (1 fixed)\n" in printed
    assert "  7 → 1: 1\n" in printed
    assert f"See them in the admin: {LIST}?changed=" in printed


def test_rejecting_everything_breaks_correct_answers() -> None:
    rows = [store(3, label=3), store(4, label=4), store(8, label=NOT_A_DIGIT), store(5)]
    version = candidate("strict", not_a_digit=1.1)

    printed = run("--model", "strict")

    # A refusal is what the person is told: right of what is no digit, and wrong of any digit.
    assert "4 drawings: 0 unchanged, 4 changed." in printed
    assert "3 with a label: 1 fixed, 2 broken." in printed
    assert "8 → not a digit: 1 (1 fixed)" in printed
    assert versions_comparison.answers_of(version).filter(verdict="not_a_digit").count() == len(
        rows
    )


def test_the_stored_answers_are_unchanged(misclassified: list[Prediction]) -> None:
    before = list(Prediction.objects.order_by("pk").values())

    run()

    assert list(Prediction.objects.order_by("pk").values()) == before


def test_only_the_labelled_or_the_newer_ones(misclassified: list[Prediction]) -> None:
    assert f"Predicted 3 drawings with {bundled_model.NAME}." in run("--labelled-only")
    assert f"Predicted 1 drawing with {bundled_model.NAME}." in run()
    Prediction.objects.filter(pk=misclassified[1].pk).update(
        created_at=datetime(2020, 1, 1, tzinfo=timezone.utc)
    )
    assert "3 drawings: " in run("--since", "2026-01-01")


def test_it_continues_where_it_was_stopped(
    misclassified: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions_comparison, "BATCH", 2)
    version = ModelVersion.objects.get(is_active=True)
    done: list[int] = []

    def stop() -> None:
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recheck(version, progress=stop)
    assert versions_comparison.answers_of(version).count() == 2

    summary = recheck(version)

    assert summary.answered == 2
    assert summary.comparison.n == 4


def test_again_predicts_all_drawings_again(misclassified: list[Prediction]) -> None:
    run()
    VersionAnswer.objects.update(digit=0)

    assert "Predicted 0 drawings" in run()
    assert f"Predicted 4 drawings with {bundled_model.NAME}." in run("--again")

    assert not versions_comparison.answers_of(ModelVersion.objects.get(is_active=True)).filter(
        digit=0
    )


def test_a_copied_answer_does_not_count_as_a_recheck() -> None:
    """What the active version answered when a drawing came is kept with another's recheck."""
    store(3), store(4)
    active = ModelVersion.objects.get(is_active=True)

    run("--model", candidate("other").name)

    assert versions_comparison.answers_of(active).count() == 2
    assert "Predicted 2 drawings" in run("--model", active.name)


def test_a_damaged_drawing_is_named_and_the_others_are_answered(
    misclassified: list[Prediction],
) -> None:
    row = make_prediction(2, image=b"damaged")

    printed = run()

    assert f"Drawing {row.pk} is damaged:" in printed
    assert "Skipped 1 drawing that can't be decoded." in printed
    assert "4 drawings: " in printed


def test_an_invalid_version_is_rejected_with_a_message() -> None:
    store(3)
    make_version("tested-1")

    for options, said in [
        (["--model", "nobody"], "no model version called nobody"),
        (["--model", "tested-1"], "tested-1 can't be loaded"),
        (["--since", "tomorrow"], "--since tomorrow"),
    ]:
        with pytest.raises(CommandError, match=said):
            run(*options)
    ModelVersion.objects.update(is_active=False)
    with pytest.raises(CommandError, match="No model version is active"):
        run()


def test_progress_is_shown_on_request(
    misclassified: list[Prediction], capfd: pytest.CaptureFixture[str]
) -> None:
    run("--verbosity", "2")

    assert "4/4" in capfd.readouterr().err


def test_memory_and_queries_do_not_grow_with_the_drawings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So many queries a batch, however many drawings are in it."""
    monkeypatch.setattr(versions_comparison, "BATCH", 10)
    version = ModelVersion.objects.get(is_active=True)
    for _ in range(10):
        make_prediction(3)
    with CaptureQueriesContext(connection) as one:
        recheck(version, again=True)
    for _ in range(10):
        make_prediction(3)
    with CaptureQueriesContext(connection) as two:
        recheck(version, again=True)
    with CaptureQueriesContext(connection) as again:
        recheck(version, again=True)

    assert len(two) == len(again)
    a_batch = len(two) - len(one)
    assert a_batch <= 8


# Two versions -----------------------------------------------------------------------------------


def test_two_versions_are_compared_on_what_both_have_answered(
    misclassified: list[Prediction],
) -> None:
    old, new = make_version(), ModelVersion.objects.get(is_active=True)
    recheck(new)
    store(9)

    changed = versions_comparison.changes_between(one=old, other=new)

    found = {
        row.pk: (row.one_digit, row.other_digit)  # type: ignore[attr-defined]
        for row in changed
    }
    assert found == {misclassified[0].pk: (8, 3), misclassified[1].pk: (7, 1)}
    first: Any = changed.get(pk=misclassified[0].pk)
    assert (first.one_verdict, first.other_verdict) == ("digit", "digit")
    assert (first.one_confidence, first.other_confidence > 0.5) == (0.9, True)
    expected = versions_comparison.Comparison(n=4, same=2, changed=2, labelled=3, fixed=1, broken=0)
    assert versions_comparison.summary(one=old, other=new) == expected
    turned = versions_comparison.summary(one=new, other=old)
    assert (turned.fixed, turned.broken) == (0, 1)
    assert [
        (way.old, way.new, way.n, way.fixed, way.broken)
        for way in versions_comparison.transitions(one=old, other=new)
    ] == [(7, 1, 1, 0, 0), (8, 3, 1, 1, 0)]


def test_two_versions_neither_of_which_answered_first(misclassified: list[Prediction]) -> None:
    strict, lax = candidate("strict", not_a_digit=1.1), candidate("lax", not_a_digit=0)
    recheck(strict)
    recheck(lax)

    comparison = versions_comparison.summary(one=strict, other=lax)

    assert (comparison.n, comparison.changed, comparison.fixed) == (4, 4, 2)
    assert {way.old for way in versions_comparison.transitions(one=strict, other=lax)} == {
        NOT_A_DIGIT
    }


def test_drawings_without_answers_are_no_change() -> None:
    store(3)
    one, other = ModelVersion.objects.get(is_active=True), candidate("other")

    assert not versions_comparison.changes_between(one=one, other=other).exists()
    assert versions_comparison.summary(one=one, other=other).n == 0


def test_changes_cost_one_query_and_load_no_bytes(misclassified: list[Prediction]) -> None:
    old, new = make_version(), ModelVersion.objects.get(is_active=True)
    recheck(new)

    with CaptureQueriesContext(connection) as queries:
        names = {
            row.model_version.name
            for row in versions_comparison.changes_between(one=old, other=new)
        }

    assert names == {"tested-1"}
    (query,) = queries
    assert '"image"' not in query["sql"]
    assert '"serving"' not in query["sql"]


# In the admin -----------------------------------------------------------------------------------


def shown(client: Client, query: str) -> tuple[list[Any], str]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list], response.content.decode()


def test_the_list_filters_what_would_change(
    reviewing: Client, misclassified: list[Prediction]
) -> None:
    version = ModelVersion.objects.get(is_active=True)
    assert "would change with" not in shown(reviewing, "")[1]
    recheck(version)

    rows, page = shown(reviewing, f"changed={version.pk}")

    assert set(rows) == {misclassified[0].pk, misclassified[1].pk}
    assert "would change with" in page
    assert "8 → 3" in page
    assert "7 → 1" in page
    assert shown(reviewing, f"changed={version.pk}&label=3")[0] == [misclassified[0].pk]


def test_the_list_filters_what_two_versions_answer_differently(
    reviewing: Client, misclassified: list[Prediction]
) -> None:
    old, strict = make_version(), candidate("strict", not_a_digit=1.1)
    recheck(strict)

    rows, page = shown(reviewing, f"changed={old.pk}-{strict.pk}")

    assert set(rows) == {row.pk for row in misclassified}
    assert "tested-1 → strict" in page
    assert "4 → not a digit (4)" in page


@pytest.mark.parametrize("value", ["x", "0", "1-", "-1", "99-98", "1-2-3", "²", "9" * 30])
def test_an_invalid_value_redirects_to_the_list(reviewing: Client, value: str) -> None:
    assert reviewing.get(LIST, {"changed": value}).headers["Location"] == f"{LIST}?e=1"


def test_what_would_change_can_be_exported(
    reviewing: Client, misclassified: list[Prediction]
) -> None:
    version = ModelVersion.objects.get(is_active=True)
    recheck(version)

    response = reviewing.get(f"{LIST}export/label-studio/?changed={version.pk}")

    content = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert content.count('"meta"') == 2


def test_the_filtered_list_costs_no_query_for_each_row(reviewing: Client) -> None:
    version = ModelVersion.objects.get(is_active=True)

    def queries() -> int:
        recheck(version)
        with CaptureQueriesContext(connection) as captured:
            assert shown(reviewing, f"changed={version.pk}")[0]
        return len(captured)

    make_prediction(8, shown=3)
    few = queries()
    for _ in range(20):
        make_prediction(8, shown=3)
    assert queries() == few
