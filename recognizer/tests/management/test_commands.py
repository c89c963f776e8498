"""`recognize`, `list_models`, `activate_model` and `ensure_admin`."""

from __future__ import annotations

import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from recognizer import imaging
from recognizer.inference import classifier
from recognizer.management.commands import recognize
from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.reviewing import drawing, make_version
from recognizer.versions import registry

pytestmark = pytest.mark.django_db


def run(*args: object) -> tuple[str, str, str | None]:
    """Standard output, standard error and the refusal of a command, if it refused."""
    out, err = io.StringIO(), io.StringIO()
    refusal = None
    try:
        call_command(*map(str, args), stdout=out, stderr=err)
    except CommandError as error:
        refusal = str(error)
    return out.getvalue(), err.getvalue(), refusal


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A three and a seven, drawn with a pen."""
    for digit in (3, 7):
        (tmp_path / f"{digit}.png").write_bytes(drawing(digit, canvas=280))
    return [tmp_path / "3.png", tmp_path / "7.png"]


# recognize ------------------------------------------------------------------------------------


def test_it_recognises_image_files_and_stores_nothing(files: list[Path]) -> None:
    out, err, refusal = run("recognize", *files)

    assert re.search(r"3\.png: (maybe )?3, (over )?\d", out)
    assert re.search(r"7\.png: (maybe )?7, (over )?\d", out)
    assert (err, refusal) == ("", None)
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("verdict", "shares", "words"),
    [
        ("digit", {7: 0.9999}, "7, over 99.9\u00a0% sure"),
        ("digit", {7: 0.97, 1: 0.03}, "7, 97.0\u00a0% sure"),
        ("uncertain", {4: 0.6, 9: 0.4}, "maybe 4, 60.0\u00a0% sure; it could also be 9"),
        ("uncertain", {4: 0.94, 9: 0.06}, "maybe 4, 94.0\u00a0% sure"),
        ("not_a_digit", {8: 0.9999}, "not a single digit (closest 8)"),
    ],
)
def test_the_verdict_is_shown(verdict: str, shares: dict[int, float], words: str) -> None:
    digit = max(shares, key=lambda each: shares[each])
    result = {
        "file": "a.png",
        "digit": digit,
        "confidence": shares[digit],
        "probabilities": [shares.get(each, 0.0) for each in range(10)],
        "verdict": verdict,
    }

    assert recognize.in_words(result) == f"a.png: {words}"


def test_a_tangle_is_not_a_digit(tmp_path: Path) -> None:
    pixels = np.full((280, 280), 255, np.uint8)
    rng = np.random.default_rng(1)
    pixels[rng.integers(0, 280, 3000), rng.integers(0, 280, 3000)] = 0
    path = tmp_path / "tangle.png"
    path.write_bytes(imaging.encode_png(pixels))

    out, _err, refusal = run("recognize", path)

    assert re.search(r"tangle\.png: not a single digit \(closest \d\)$", out.strip())
    assert refusal is None


def test_json_is_one_list(files: list[Path]) -> None:
    out, _err, refusal = run("recognize", *files, "--json")

    three, seven = json.loads(out)
    assert refusal is None
    assert (three["file"], three["digit"], seven["digit"]) == (str(files[0]), 3, 7)
    assert set(three) == {
        "file",
        "digit",
        "confidence",
        "probabilities",
        "verdict",
        "model_version",
    }
    assert math.isclose(sum(three["probabilities"]), 1, abs_tol=1e-6)


def test_it_continues_after_bad_files_and_reports_each(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.png").write_bytes(drawing(3)[:200])
    bad = [tmp_path / name for name in ("text.png", "empty.png", "cut.png", "missing.png", "")]

    out, err, refusal = run("recognize", *bad, *files)

    assert len(out.splitlines()) == 2
    for path in bad:
        assert f"{path}: " in err
    assert refusal == "5 of 7 files could not be recognised."


def test_json_contains_errors_in_order(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")

    out, _err, refusal = run(
        "recognize", tmp_path / "text.png", files[0], tmp_path / "missing.png", "--json"
    )

    text, three, missing = json.loads(out)
    assert text["error"]["code"] == "not_an_image"
    assert three["digit"] == 3
    assert missing["error"]["code"] == "unreadable_file"
    assert refusal == "2 of 3 files could not be recognised."


def test_a_file_of_any_size_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2**33)

    _out, err, refusal = run("recognize", tmp_path / "huge.png")

    assert "too large" in err
    assert refusal is not None


def test_without_an_active_model_it_is_refused(files: list[Path]) -> None:
    ModelVersion.objects.update(is_active=False)

    assert "No model version is active" in str(run("recognize", files[0])[2])


def test_a_refusal_is_exit_code_1_and_no_traceback(project_root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "recognize", "/missing.png"],
        cwd=project_root,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "/missing.png: No such file or directory." in done.stderr
    assert "Traceback" not in done.stderr


# list_models and activate_model ---------------------------------------------------------------


def register(name: str) -> ModelVersion:
    bundle = classifier.load_bundle(classifier.BUNDLED)
    return registry.register_model(
        bundle=classifier.Bundle(name, bundle.serving, b"", bundle.card, bundle.sha256)
    )


def test_the_models_are_listed_with_a_star_on_the_active_one() -> None:
    active = ModelVersion.objects.get(is_active=True)
    make_version("a-child", parent=active)

    lines = run("list_models")[0].splitlines()

    assert lines[0].split() == ["name", "created", "size", "parent"]
    assert [line.split()[1] for line in lines if line.startswith("*")] == [active.name]
    assert any("a-child" in line and active.name in line for line in lines)


def test_an_empty_list_says_what_to_do() -> None:
    ModelVersion.objects.all().delete()

    assert "python manage.py migrate" in run("list_models")[0]


def test_a_version_is_activated_and_used(files: list[Path]) -> None:
    register("another")

    assert run("activate_model", "another")[0].strip() == "another activated."
    assert json.loads(run("recognize", files[0], "--json")[0])[0]["model_version"] == "another"


def test_an_unknown_version_is_refused_and_the_active_one_unchanged() -> None:
    before = ModelVersion.objects.get(is_active=True)

    refusal = run("activate_model", "no-such")[2]

    assert refusal is not None
    assert "no-such" in refusal
    assert ModelVersion.objects.get(is_active=True) == before


def test_a_version_that_does_not_load_is_refused() -> None:
    make_version("broken")

    assert "can't be activated" in str(run("activate_model", "broken")[2])


# ensure_admin ---------------------------------------------------------------------------------


def password_in(printed: str) -> str:
    found = re.search(r"password  (\S+)", printed)
    assert found
    return found[1]


def test_the_first_admin_is_created_and_can_log_in(client: Client) -> None:
    printed = run("ensure_admin")[0]

    assert client.login(username="admin", password=password_in(printed))
    assert client.get("/admin/").status_code == 200
    assert "changepassword admin" in printed
    assert len(password_in(printed)) >= 16


def test_it_creates_no_second_admin() -> None:
    User.objects.create_superuser("boss")

    assert run("ensure_admin") == ("An admin already exists.\n", "", None)
    assert User.objects.count() == 1


def test_an_existing_account_called_admin_gets_no_permissions(client: Client) -> None:
    User.objects.create_user("admin", password="theirs")

    printed = run("ensure_admin")[0]

    assert not User.objects.get(username="admin").is_superuser
    assert client.login(username="admin", password="theirs")
    assert client.login(username="admin-2", password=password_in(printed))


def test_passwords_are_random() -> None:
    first = password_in(run("ensure_admin")[0])
    User.objects.all().delete()

    assert password_in(run("ensure_admin")[0]) != first
