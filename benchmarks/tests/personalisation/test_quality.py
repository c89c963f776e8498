"""The benchmark of personal learning simulates visitors. Its figures are not tested here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.personalisation import cost, held_out_networks, quality, simulation
from benchmarks.personalisation.simulation import Sheet, Visitor
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data import downloads
from training.data.datasets import HELD_OUT_WRITERS, Data, PenDigit
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import PLACEMENTS
from training.tests.small_data import write_small_data

NO_OTHERS = Data("none", np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def mirrored() -> Sheet:
    """Forty mirrored digits of one writer: sevens and fives alternate."""
    pen = [
        PenDigit(generate_digit(digit, np.random.default_rng(0)), digit, writer=1, index=index)
        for index, digit in enumerate([7, 5] * 20)
    ]
    classifier = Classifier(load_bundle(BUNDLED))
    (sheet,) = simulation.write(
        classifier, pen[::-1], [1], PLACEMENTS["centred"], NO_OTHERS, mirrored=True
    )
    return sheet


def test_a_sheet_is_in_the_original_order(mirrored: Sheet) -> None:
    assert mirrored.labels.tolist() == [7, 5] * 20


def test_corrections_fix_the_second_half(mirrored: Sheet) -> None:
    half = simulation.second_half(mirrored, simulation.play(mirrored))

    assert (half.n, half.misclassified, half.worsened) == (20, (20, 0), 0)
    assert half.recurring == half.misclassified
    before, after = half.calibration_errors
    assert after < before


def test_without_corrections_the_network_decides(mirrored: Sheet) -> None:
    played = simulation.play(mirrored, Visitor(ignored=1.0))

    assert played.given == mirrored.answers
    assert simulation.second_half(mirrored, played).misclassified == (20, 20)


def test_one_correction_is_enough_for_similar_drawings(mirrored: Sheet) -> None:
    effects = simulation.single_corrections([mirrored])

    assert effects.corrections == 40
    assert effects.fixed > 300
    assert effects.broken == 0


@pytest.mark.usefixtures("small_data")
def test_all_of_it_runs_on_small_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, networks = tmp_path / "report.json", tmp_path / "networks"
    options = ["--networks", str(networks), "--limit", "12"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "MOST_CORRECTIONS", 4)
        patch.setattr(cost, "ROUNDS", 3)
        quality.main([*options, "--json", str(path)])

    report = json.loads(path.read_text())["figures"]
    assert report["costs"]["queries"] == 1
    assert report["costs"]["remembered"] == 4
    assert len(report["networks"]) == 4
    for figures in report["networks"].values():
        assert set(figures) == {*quality.VISITORS, "single corrections"}
    served = report["networks"]["fast recipe, MNIST only"]["corrects mistakes"]
    assert set(served) == {str(writer) for writer in quality.OTHER_WRITERS}
    printed = capsys.readouterr().out
    assert "Training the network pen 1-16" in printed
    assert "goal: 1 ms" in printed
    card = load_bundle(networks / "pen-1-16").card
    assert card.to_json()["writers"] == list(range(1, 17))

    # Networks are not trained again, and settings can be compared.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "NEAR", {"weight": (5.0,)})
        quality.main([*options, "--choose"])
    printed = capsys.readouterr().out
    assert "Training the network pen 13-22" in printed
    assert "pen 1-16 ..." not in printed
    assert "weight 5.0" in printed


def test_no_network_is_trained_on_held_out_writers() -> None:
    for network in held_out_networks.NETWORKS.values():
        assert not network.writers & {*HELD_OUT_WRITERS, 23, 24}
    assert not held_out_networks.NETWORKS["pen 1-16"].writers & set(quality.OTHER_WRITERS)


def test_missing_data_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    unreachable = downloads.Source("http://127.0.0.1:9/none", downloads.PEN.sha256, "none.zip")
    monkeypatch.setattr(downloads, "PEN", unreachable)

    with pytest.raises(SystemExit):
        quality.main(["--bundled"])
