"""The command `import_drawings`: options, errors and output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.exporting import (
    export_to,
    import_from,
    refused_import,
    store,
    store_some,
)
from recognizer.transfer.formats import FORMATS, Format
from recognizer.versions import active as active_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def exported(tmp_path: Path, reviewer: User) -> Path:
    """An npz file of five drawings that are no longer in the database."""
    store_some(by=reviewer)
    export_to(tmp_path / "labels.npz")
    Prediction.objects.all().delete()
    return tmp_path / "labels.npz"


def test_it_reports_stored_and_skipped_drawings(exported: Path) -> None:
    first = import_from(exported).splitlines()
    second = import_from(exported).splitlines()

    assert first == [f"Imported 5 drawings from {exported}: 4 digits, 1 not a digit."]
    assert second == [
        f"Imported 0 drawings from {exported}: 0 digits, 0 not a digit.",
        "Skipped 5: already stored.",
    ]


def test_the_format_is_inferred_from_the_content_not_the_name(exported: Path) -> None:
    exported.rename(exported.with_name("labels.csv"))

    assert "Imported 5 drawings" in import_from(exported.with_name("labels.csv"))


def test_a_wrong_format_is_refused(exported: Path) -> None:
    for format in FORMATS.values():
        if format not in (FORMATS["npz"], FORMATS["parquet"]) or (
            format is FORMATS["parquet"] and FORMATS["parquet"].is_available()
        ):
            said = refused_import(exported, "--format", format.name)
            assert "Nothing was imported." in said


def test_an_unknown_account_is_refused(exported: Path) -> None:
    assert "There is no account nobody" in refused_import(exported, "--by", "nobody")


def test_missing_and_unknown_files_are_refused_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("Three one four one five.\n")

    assert "No such file or directory" in refused_import(tmp_path / "missing.npz")
    assert "name too long" in refused_import(tmp_path / ("x" * 300))
    assert "no images in folders 0 to 9" in refused_import(tmp_path / "empty")
    assert "none of the supported formats" in refused_import(tmp_path / "words.txt")


def test_a_file_without_drawings_is_refused(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "x.npz", x_train=np.zeros((0, 28, 28), np.uint8), y_train=np.zeros(0, np.uint8)
    )
    (tmp_path / "x.json").write_text("[]")

    for name in ("x.npz", "x.json"):
        assert "has no drawings" in refused_import(tmp_path / name)


def test_one_array_is_refused_with_advice(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))

    assert "np.savez" in refused_import(tmp_path / "x.npy")


def test_parquet_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Format, "is_available", lambda format: not format.package)
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")

    assert "pip install pyarrow" in refused_import(tmp_path / "x.parquet")


def test_without_an_active_model_it_is_refused(exported: Path) -> None:
    ModelVersion.objects.update(is_active=False)
    active_version.forget()

    assert "No model version is active" in refused_import(exported)


def test_progress_is_shown_on_request_but_never_in_a_log(
    exported: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import_from(exported, "--verbosity", "2")
    shown = capfd.readouterr().err
    assert "Reading: 100%" in shown
    assert "Storing: 100%" in shown

    import_from(exported)
    assert "Reading" not in capfd.readouterr().err


def test_bad_drawings_go_to_the_error_stream(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "x.png").write_bytes(b"no image")

    with pytest.raises(CommandError, match="1 of 1 drawings can't be used"):
        call_command("import_drawings", str(tmp_path))

    shown = capfd.readouterr()
    assert "3/x.png: This is not an image." in shown.err
    assert shown.out == ""


def test_many_are_stored_in_batches(tmp_path: Path) -> None:
    """More than one batch, in the order of the file."""
    store(3, label=3)
    rng = np.random.default_rng(5)
    seen = np.zeros((450, 28, 28), np.uint8)
    seen[:, 4:24, 12:16] = rng.integers(120, 256, (450, 20, 4))
    np.savez(tmp_path / "x.npz", x_train=seen, y_train=np.arange(450) % 10)

    # All look like a 1.
    assert "Imported 450 drawings" in import_from(tmp_path / "x.npz", "--as-is")

    rows = Prediction.objects.filter(source="import").order_by("created_at")
    assert [row.label for row in rows] == [number % 10 for number in range(450)]
    assert len({row.pixels_sha256 for row in rows}) == 450
