"""A client that a public generator makes from the schema works against the running site."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from recognizer.models import Prediction
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import data_url, digit_png, digit_strokes
from recognizer.tests.support.exporting import store

pytestmark = pytest.mark.django_db(transaction=True)

# The generator knows JSON and forms; other content is to be bytes.
CONFIGURATION = {
    "project_name_override": "generated",
    "package_name_override": "generated",
    "post_hooks": [],
    "content_type_overrides": {
        "image/png": "application/octet-stream",
        "application/x-ndjson": "application/octet-stream",
    },
}


@pytest.fixture
def generated(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the function that imports a module of a client made for this test."""
    (tmp_path / "schema.yaml").write_bytes(client.get("/api/schema/").content)
    (tmp_path / "configuration.json").write_text(json.dumps(CONFIGURATION))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")), "generate",
            "--path", "schema.yaml", "--config", "configuration.json", "--meta", "none",
            "--output-path", "generated", "--fail-on-warning",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "generated"]:
        monkeypatch.delitem(sys.modules, name)
    return lambda name: importlib.import_module(f"generated.{name}")


def test_it_works(generated: Any, live_server: LiveServer, make_user: Any) -> None:
    boss = make_user("boss", is_staff=True, is_superuser=True)
    key = make_token(boss, "predict", "read", "review", "export")
    models, types = generated("models"), generated("types")
    program = generated("client").AuthenticatedClient(base_url=live_server.url, token=key)

    def call(module: str, **sent: Any) -> Any:
        return generated(f"api.{module}").sync_detailed(client=program, **sent).parsed

    picture = models.DrawingJson(image=data_url(digit_png(3)))
    strokes = models.DrawingStrokes.from_dict(digit_strokes(7))
    file = types.File(payload=digit_png(5), file_name="five.png")

    with program:
        # Send drawings.
        drawn = call("predictions.predictions_create", body=picture, idempotency_key="k" * 16)
        assert (drawn.digit, str(drawn.verdict)) == (3, "digit")
        again = call("predictions.predictions_create", body=picture, idempotency_key="k" * 16)
        assert again.id == drawn.id
        reused = call("predictions.predictions_create", body=strokes, idempotency_key="k" * 16)
        assert reused.errors[0].code == "idempotency_key_reused"
        upload = models.DrawingUpload(image=file)
        assert call("predictions.predictions_create", body=upload).digit == 5
        assert call("predictions.preview_create", body=strokes).digit == 7
        batch = models.BatchJson(drawings=[picture, models.DrawingJson(image="x"), strokes])
        first, refused, last = call("predictions.predictions_batch", body=batch).results
        assert (first.digit, last.digit) == (3, 7)
        assert refused.errors[0].code == "invalid_base64"
        files = models.BatchUpload(image=[file, file])
        assert [
            each.digit for each in call("predictions.predictions_batch", body=files).results
        ] == [5, 5]

        # Look at them, correct them, delete them.
        assert call("predictions.predictions_retrieve", id=drawn.id).to_dict() == drawn.to_dict()
        page = call("predictions.predictions_list", page_size=2)
        assert len(page.results) == 2
        assert page.next_
        image = call("predictions.predictions_image_retrieve", id=drawn.id)
        assert image.payload.read().startswith(b"\x89PNG")
        corrected = call(
            "predictions.predictions_suggestion_create",
            id=drawn.id,
            body=models.DigitSuggestion(digit=8),
        )
        assert corrected.suggested_digit == 8
        memory = call(
            "personal_learning.memory_partial_update", body=models.MemorySwitch(enabled=False)
        )
        assert (memory.enabled, memory.count) == (False, 1)
        removed = call("predictions.predictions_destroy", id=last.id)
        assert (removed.deleted, removed.unlinked) == (1, 0)

        # Review, export, and the models.
        labelled = call(
            "predictions.predictions_partial_update", id=drawn.id, body=models.Label(label=3)
        )
        assert (labelled.label, labelled.previous) == (3, None)
        store(4, label=4)
        lines = call("review.labels_export").payload.read().splitlines()
        assert [json.loads(line)["label"] for line in lines] == ["3", "4"]
        active = call("models.model_retrieve")
        assert active.is_active
        assert [each.name for each in call("models.models_list").results] == [active.name]

    assert User.objects.get() == boss
    assert Prediction.objects.filter(user=boss).count() == 5
