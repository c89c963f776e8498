"""The command `export_drawings`: options, errors and output."""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recognizer.models import Prediction
from recognizer.tests.support.exporting import export_to, needs_pyarrow
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_prediction, make_version

pytestmark = pytest.mark.django_db


def refusal(*args: object) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("export_drawings", *map(str, args))
    assert caught.value.returncode == 1
    return str(caught.value)


def exported(path: Path, *options: object) -> set[str]:
    """The ids that an npz export with these options holds."""
    export_to(path, *options)
    with np.load(path) as data:
        return {*data["ids"].tolist(), *data["ids_not_a_digit"].tolist()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"confirmed", "mistake", "refused", "accepted"}),
        (["--include-confirmed"], {"confirmed", "mistake", "refused", "accepted"}),
        (["--only-mistakes"], {"mistake", "accepted"}),
        (["--no-include-confirmed"], {"mistake", "refused", "accepted"}),
        (["--label", "3"], {"confirmed"}),
        (["--label", "1", "--label", "not_a_digit"], {"mistake", "refused", "accepted"}),
        (["--only-mistakes", "--label", "1"], {"mistake"}),
        (["--model", "tested-2"], {"accepted"}),
        (["--only-audited"], {"refused"}),
    ],
)
def test_options_select_drawings(tmp_path: Path, options: list[str], expected: set[str]) -> None:
    other = make_version("tested-2")
    rows = {
        "confirmed": make_prediction(3, label=3),
        "mistake": make_prediction(7, label=1),
        "refused": make_prediction(
            8,
            label=NOT_A_DIGIT,
            verdict="not_a_digit",
            audit_key=0.5,
            audited_at=timezone.now(),
        ),
        "accepted": make_prediction(8, label=NOT_A_DIGIT, verdict="digit", model_version=other),
        "unlabelled": make_prediction(5, suggestion=6),
    }

    found = exported(tmp_path / "x.npz", *options)

    assert found == {str(rows[name].pk) for name in expected}


def labelled(*when: int) -> Prediction:
    moment = timezone.make_aware(datetime.datetime(*when))  # type: ignore[arg-type]
    return make_prediction(3, label=3, labelled_at=moment)


def test_since_is_the_first_date_of_a_label(tmp_path: Path) -> None:
    old, first, later = labelled(2026, 3, 30, 23), labelled(2026, 3, 31), labelled(2026, 4, 2)

    assert exported(tmp_path / "a.npz", "--since", "2026-03-31") == {str(first.pk), str(later.pk)}
    assert exported(tmp_path / "b.npz", "--since", "2026-04-01T12:00") == {str(later.pk)}
    assert exported(tmp_path / "c.npz", "--since", "2026-03-30T22:00:00Z") == {
        str(row.pk) for row in (old, first, later)
    }


def test_until_includes_the_whole_day(tmp_path: Path) -> None:
    first, late, later = labelled(2026, 3, 30), labelled(2026, 3, 31, 23, 59), labelled(2026, 4, 1)

    assert exported(tmp_path / "a.npz", "--until", "2026-03-31") == {str(first.pk), str(late.pk)}
    assert exported(tmp_path / "b.npz", "--until", "2026-03-31T12:00") == {str(first.pk)}
    assert exported(tmp_path / "c.npz", "--since", "2026-03-31", "--until", "2026-04-01") == {
        str(late.pk),
        str(later.pk),
    }


@pytest.mark.parametrize(
    "date", ["yesterday", "2026-02-30", "31.3.2026", "", "2026", "2026-13-01T00:00", "0001-01-01x"]
)
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_bad_date_is_refused(tmp_path: Path, option: str, date: str) -> None:
    make_prediction(3, label=3)

    assert option in refusal(tmp_path / "x.npz", option, date)
    assert list(tmp_path.iterdir()) == []


def test_the_day_after_the_last_one_is_refused(tmp_path: Path) -> None:
    assert "out of range" in refusal(tmp_path / "x.npz", "--until", "9999-12-31")


def test_the_format_is_inferred_from_the_name_or_set_by_option(tmp_path: Path) -> None:
    make_prediction(3, label=3)

    assert "(npz)" in export_to(tmp_path / "a.NPZ")
    assert "(csv)" in export_to(tmp_path / "a.csv")
    assert "(png)" in export_to(tmp_path / "a")
    assert "(png)" in export_to(tmp_path / "a.zip")
    assert "(label-studio)" in export_to(tmp_path / "a.json")
    assert "(csv)" in export_to(tmp_path / "a.txt", "--format", "csv")
    assert "(png)" in export_to(tmp_path / "a.b", "--format", "png")
    assert "set --format" in refusal(tmp_path / "a.gz")


@needs_pyarrow
def test_parquet_is_inferred_from_the_name_too(tmp_path: Path) -> None:
    make_prediction(3, label=3)

    assert "(parquet)" in export_to(tmp_path / "a.parquet")


def test_only_label_studio_can_have_unlabelled_drawings(tmp_path: Path) -> None:
    row = make_prediction(3)

    for name in ("x.npz", "x.csv", "x"):
        assert "without a label" in refusal(tmp_path / name, "--include-unlabelled")
    printed = export_to(tmp_path / "x.json", "--include-unlabelled")

    assert "1 without a label" in printed
    (task,) = json.loads((tmp_path / "x.json").read_bytes())
    assert task["meta"]["id"] == str(row.pk)


def test_unlabelled_drawings_are_selected_by_the_date_they_were_drawn(tmp_path: Path) -> None:
    def drawn(day: int) -> Prediction:
        moment = timezone.make_aware(datetime.datetime(2026, 3, day))
        return make_prediction(3, created_at=moment)

    drawn(1), drawn(20)
    wanted = drawn(10)

    export_to(
        tmp_path / "x.json",
        *("--include-unlabelled", "--since", "2026-03-05", "--until", "2026-03-15"),
    )

    (task,) = json.loads((tmp_path / "x.json").read_bytes())
    assert task["meta"]["id"] == str(wanted.pk)


def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    make_prediction(3, label=3)

    assert "no model version nobody" in refusal(tmp_path / "x.npz", "--model", "nobody")


def test_progress_is_shown_on_request_but_never_in_a_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_prediction(3, label=3)

    export_to(tmp_path / "a.npz")
    assert capfd.readouterr().err == ""

    export_to(tmp_path / "b.npz", "--verbosity", "2")
    assert "1/1" in capfd.readouterr().err


def test_it_never_overwrites_without_force(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    (tmp_path / "x.npz").write_text("precious")

    assert "overwrite it with --force" in refusal(tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_text() == "precious"

    export_to(tmp_path / "x.npz", "--force")
    assert (tmp_path / "x.npz").read_bytes().startswith(b"PK")


def test_it_never_overwrites_a_file_with_the_manifests_name(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    (tmp_path / "x.csv.manifest.json").write_text("precious")

    assert "x.csv.manifest.json already exists" in refusal(tmp_path / "x.csv")
    assert (tmp_path / "x.csv.manifest.json").read_text() == "precious"


@pytest.mark.parametrize("format", ["png", "idx"])
def test_force_does_not_overwrite_a_folder_that_is_not_an_export(
    tmp_path: Path, format: str
) -> None:
    make_prediction(3, label=3)
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("precious")
    (home / "manifest.json").write_text("of something else")

    assert "not an earlier export" in refusal(home, "--format", format, "--force")
    assert (home / "thesis.txt").read_text() == "precious"


def test_an_earlier_export_is_not_overwritten_without_force(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    export_to(tmp_path / "tree")

    assert "--force" in refusal(tmp_path / "tree")


def test_an_impossible_path_is_refused_with_a_message(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    assert "does not exist" in refusal(tmp_path / "missing" / "x.npz")
    assert "is a folder" in refusal(tmp_path / "folder", "--format", "npz")
    assert "is a folder" in refusal(tmp_path / "folder", "--format", "npz", "--force")
    assert "is not a folder" in refusal(tmp_path / "file", "--format", "png", "--force")
    assert "does not exist" in refusal(tmp_path / "file" / "x.npz")
    assert "not a file name" in refusal("/", "--format", "npz")
    assert "Can't write" in refusal(tmp_path / ("x" * 300 + ".npz"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such devices")
def test_force_does_not_overwrite_a_device(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert "not a regular file" in refusal(pipe, "--format", "npz", "--force")
    assert pipe.is_fifo()


def test_an_empty_export_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    make_prediction(3)

    for name in ("x.npz", "x.csv", "x", "x.json"):
        assert "Nothing to export" in refusal(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_export_does_not_contain_the_audit_sample(tmp_path: Path) -> None:
    """Another site must not mistake the drawings for its own random sample."""
    make_prediction(3, label=3, audit_key=0.1, audited_at=timezone.now())

    export_to(tmp_path / "x.json")

    assert "audit" not in (tmp_path / "x.json").read_text()
