"""`export_drawings` on the command line: what it takes, what it refuses, what it says."""

from __future__ import annotations

import datetime
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recognizer.models import Prediction
from recognizer.tests.reviewing import NOT_A_DIGIT, make_prediction

pytestmark = pytest.mark.django_db


def run(*args: object) -> str:
    out = io.StringIO()
    call_command("export_drawings", *map(str, args), stdout=out)
    return out.getvalue()


def refusal(*args: object) -> str:
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert caught.value.returncode == 1
    return str(caught.value)


def exported(path: Path, *args: object) -> set[str]:
    """The ids that an npz export with these options holds."""
    run(path, *args)
    with np.load(path) as data:
        return {*data["ids"].tolist(), *data["ids_not_a_digit"].tolist()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"confirmed", "mistake", "refused", "accepted"}),
        (["--include-confirmed"], {"confirmed", "mistake", "refused", "accepted"}),
        (["--only-mistakes"], {"mistake", "accepted"}),
        (["--no-include-confirmed"], {"mistake", "refused", "accepted"}),
    ],
)
def test_it_exports_what_is_asked_for(
    tmp_path: Path, options: list[str], expected: set[str]
) -> None:
    rows = {
        "confirmed": make_prediction(3, label=3),
        "mistake": make_prediction(7, label=1),
        "refused": make_prediction(8, label=NOT_A_DIGIT, verdict="not_a_digit"),
        "accepted": make_prediction(8, label=NOT_A_DIGIT, verdict="digit"),
        "unlabelled": make_prediction(5, suggestion=6),
    }

    found = exported(tmp_path / "x.npz", *options)

    assert found == {str(rows[name].pk) for name in expected}


def test_since_counts_from_the_day_of_the_label(tmp_path: Path) -> None:
    def labelled(*when: int) -> Prediction:
        moment = timezone.make_aware(datetime.datetime(*when))  # type: ignore[arg-type]
        return make_prediction(3, label=3, labelled_at=moment)

    old, first, later = labelled(2026, 3, 30, 23), labelled(2026, 3, 31), labelled(2026, 4, 2)

    assert exported(tmp_path / "a.npz", "--since", "2026-03-31") == {str(first.pk), str(later.pk)}
    assert exported(tmp_path / "b.npz", "--since", "2026-04-01T12:00") == {str(later.pk)}
    assert exported(tmp_path / "c.npz", "--since", "2026-03-30T22:00:00Z") == {
        str(row.pk) for row in (old, first, later)
    }


@pytest.mark.parametrize(
    "date", ["yesterday", "2026-02-30", "31.3.2026", "", "2026", "2026-13-01T00:00", "0001-01-01x"]
)
def test_a_bad_date_is_refused(tmp_path: Path, date: str) -> None:
    make_prediction(3, label=3)

    assert "--since" in refusal(tmp_path / "x.npz", "--since", date)
    assert list(tmp_path.iterdir()) == []


def test_the_format_is_told_from_the_name_or_by_option(tmp_path: Path) -> None:
    make_prediction(3, label=3)

    assert "(npz)" in run(tmp_path / "a.NPZ")
    assert "(csv)" in run(tmp_path / "a.csv")
    assert "(png)" in run(tmp_path / "a")
    assert "(csv)" in run(tmp_path / "a.txt", "--format", "csv")
    assert "(png)" in run(tmp_path / "a.b", "--format", "png")
    assert "give --format" in refusal(tmp_path / "a.parquet")


def test_it_never_overwrites_without_force(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    (tmp_path / "x.npz").write_text("precious")

    assert "overwrite it with --force" in refusal(tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_text() == "precious"

    run(tmp_path / "x.npz", "--force")
    assert (tmp_path / "x.npz").read_bytes().startswith(b"PK")


def test_force_spares_a_folder_that_is_no_export(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("precious")
    (home / "manifest.csv").write_text("of something else")

    assert "not an earlier export" in refusal(home, "--format", "png", "--force")
    assert (home / "thesis.txt").read_text() == "precious"


def test_an_earlier_tree_is_not_overwritten_without_force(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    run(tmp_path / "tree")

    assert "--force" in refusal(tmp_path / "tree")


def test_what_can_not_be_written_is_refused_in_words(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    assert "does not exist" in refusal(tmp_path / "missing" / "x.npz")
    assert "is a folder" in refusal(tmp_path / "folder", "--format", "npz")
    assert "is a folder" in refusal(tmp_path / "folder", "--format", "npz", "--force")
    assert "is not a folder" in refusal(tmp_path / "file", "--format", "png", "--force")
    assert "does not exist" in refusal(tmp_path / "file" / "x.npz")
    assert "not a name" in refusal("/", "--format", "npz")
    assert "Can't write" in refusal(tmp_path / ("x" * 300 + ".npz"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such devices")
def test_force_spares_a_device(tmp_path: Path) -> None:
    make_prediction(3, label=3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert "not an ordinary file" in refusal(pipe, "--format", "npz", "--force")
    assert pipe.is_fifo()


def test_nothing_to_export_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    make_prediction(3)

    for name in ("x.npz", "x.csv", "x"):
        assert "Nothing to export" in refusal(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
