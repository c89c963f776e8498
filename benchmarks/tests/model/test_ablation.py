"""The ablation table, on data sets of a few kilobytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.model import ablation
from recognizer.inference.classifier import Classifier, load_bundle
from training.data import downloads
from training.model import config
from training.tests.small_data import write_small_data

QUICK = ("--recipe", "fast", "--epochs", "1", "--limit", "12")


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("small_data")
def test_a_row_is_trained_measured_kept_and_not_trained_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, kept = tmp_path / "reports" / "rows.json", tmp_path / "kept"
    only = ("--only", "no augmentation", "--json", str(path))
    ablation.main([*QUICK, *only, "--keep", str(kept)])
    assert "no augmentation: done" in capsys.readouterr().out
    row = json.loads(path.read_text())["figures"]["no augmentation"]
    assert set(ablation.COLUMNS) < set(row)
    assert all(0 <= row[column]["share"] <= 1 for column in ablation.COLUMNS)
    assert row["MNIST"]["n"] == 20
    assert row["corrupted"]["n"] == 15 * 12
    assert row["Balinese"]["n"] == 2
    Classifier(load_bundle(kept / "no-augmentation"))

    ablation.main([*QUICK, *only])
    again = capsys.readouterr().out
    assert "done" not in again
    assert "no augmentation" in again
    with pytest.raises(SystemExit, match="other settings"):
        ablation.main([*QUICK, "--epochs", "2", *only])


def test_every_row_but_the_first_leaves_something_out() -> None:
    full = config.SHIPPED
    for name, part in ablation.PARTS.items():
        changed = part.change(full)
        if name == "full":
            assert changed == full
            assert not part.without
        else:
            assert (changed != full) != bool(part.without), name
    assert not any(asdict(ablation.PARTS["no augmentation"].change(full).augmentation).values())


@pytest.mark.usefixtures("small_data")
def test_the_held_out_alphabet_is_not_trained_on() -> None:
    sets = ablation.validation_sets(corrupted=2, each=1)
    data = ablation.training_data(ablation.PARTS["full"], sets.mnist, None)
    # Two alphabets with two characters each, look-alikes left out.
    assert len(data.material.characters) == 4
    without = ablation.training_data(ablation.PARTS["no Omniglot"], sets.mnist, None)
    assert len(without.material.characters) == 0
    assert len(without.material.pen) > 0
    assert ablation.training_data(ablation.PARTS["no MNIST"], sets.mnist, None).fixed is None


def test_an_unknown_row_is_rejected() -> None:
    with pytest.raises(SystemExit, match=r"Unknown: no luck\. Rows are full, no affine"):
        ablation.main(["--only", "full, no luck"])
