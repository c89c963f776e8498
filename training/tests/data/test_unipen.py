"""UNIPEN's packs: who is held out, what is trained on, what looks like a digit."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recognizer.imaging.strokes import Stroke, Strokes
from training.data import downloads, evaluation_sets, training_data, unipen
from training.data.datasets import NOT_A_DIGIT, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.labelled import Labelled
from training.data.unipen import Drawing, Role
from training.synthesis.allographs import generate_digit
from training.tests.small_data import write_small_data

RING = np.stack([np.cos(np.linspace(0, 6.2, 30)), np.sin(np.linspace(0, 6.2, 30))], 1)
L = np.array([[0, 0], [0, 1], [0.6, 1.0]])
STICK = np.array([[0, 0], [0.02, 0.5], [0, 1.0]])


def moved(stroke: Stroke, right: float, down: float = 0.0) -> Stroke:
    return np.asarray(stroke + np.array([right, down]))


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> unipen.Packs:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    return unipen.load()


@pytest.mark.parametrize(
    ("writer", "role"),
    [
        ("gmd-01", Role.TEST),
        ("gmd-05", Role.TEST),
        ("syn-02", Role.TEST),
        ("syn-17", Role.TEST),
        ("syn-05", Role.VALIDATION),
        ("syn-15", Role.VALIDATION),
        ("syn-10", Role.TRAINING),
        ("val-01", Role.TRAINING),
    ],
)
def test_a_writer_has_one_role_for_digits_and_letters(writer: str, role: Role) -> None:
    assert Drawing([RING], "0", writer).role is role
    assert Drawing([RING], "A", writer).role is role


def test_held_out_writers_and_sites_are_not_trained_on(packs: unipen.Packs) -> None:
    trained = packs.trainable_digits() + packs.trainable_letters()
    assert {drawing.writer for drawing in trained} == {"aga-01"}
    assert Counter(drawing.label for drawing in trained)[NOT_A_DIGIT] == 3
    held_out = unipen.held_out(packs)
    assert {name: len(drawings) for name, drawings in held_out.items()} == {
        "UNIPEN writers": 10,
        "UNIPEN site": 10,
        "UNIPEN letters writers": 3,
        "UNIPEN letters site": 3,
    }
    assert {drawing.site for drawing in held_out["UNIPEN site"]} == {"gmd"}


def test_signs_without_all_their_strokes_are_not_trained_on_but_measured() -> None:
    hook, dot = L[::-1], np.array([[0.0, 1.2], [0.02, 1.2]])
    writers = ("ibm-01", "ibm-02")
    signs = [Drawing(strokes, "?", name) for strokes in ([hook, dot], [hook]) for name in writers]
    packs = unipen.Packs([], signs)
    assert packs.trainable_letters() == signs[:1]
    assert unipen.held_out(packs)["UNIPEN letters writers"] == [signs[1], signs[3]]


def test_the_strokes_of_a_pack_have_y_down(packs: unipen.Packs) -> None:
    six, nine = (
        next(drawing for drawing in packs.digits if drawing.label == digit) for digit in (6, 9)
    )
    # The ink of a 6 is below its middle, that of a 9 above.
    middles = [np.concatenate(one.strokes)[:, 1] for one in (six, nine)]
    means = [(y.mean() - y.min()) / np.ptp(y) for y in middles]
    assert means[0] > 0.5 > means[1]


def test_every_letter_and_sign_is_a_lookalike_or_is_not() -> None:
    names = [chr(code) for code in range(33, 127) if not chr(code).isdigit()]
    assert set(unipen.LOOKALIKES) < set(names)
    assert set("oOlIzZsSbqgB|/()") <= set(unipen.LOOKALIKES)


def test_a_lookalike_is_not_a_nondigit() -> None:
    letters = [Drawing([L], "A", "aga-01"), Drawing([RING], "o", "aga-01")]
    assert unipen.nondigits(letters) == letters[:1]


def test_a_letter_of_which_one_stick_is_left_is_a_one() -> None:
    assert unipen.nondigits([Drawing([STICK], "H", "aga-01")]) == []
    assert len(unipen.nondigits([Drawing([STICK, moved(STICK, 0.8)], "H", "aga-01")])) == 1


@pytest.mark.parametrize(
    ("character", "strokes", "unreadable"),
    [
        ("0", [RING], False),
        ("0", [RING, moved(RING, 2.5)], True),
        ("0", [RING, L * 1.5], False),
        ("1", [STICK], False),
        ("1", [STICK[:, ::-1]], True),
        ("4", [L], True),
        ("4", [L, moved(STICK, 0.4, 0.4)], False),
        ("4", [L, moved(STICK, 1.2)], False),
        ("7", [STICK], True),
        ("7", [L[::-1]], False),
    ],
)
def test_a_digit_that_was_cut_wrongly_is_unreadable(
    character: str, strokes: Strokes, unreadable: bool
) -> None:
    assert unipen.is_unreadable(Drawing(strokes, character, "aga-01")) is unreadable


def test_unreadable_digits_leave_the_training_but_not_the_test() -> None:
    half = [Drawing([L], "4", writer) for writer in ("aga-01", "aga-02", "gmd-01")]
    packs = unipen.Packs(half, [])
    assert packs.trainable_digits() == []
    assert sum(map(len, unipen.held_out(packs).values())) == 2


@pytest.mark.parametrize(
    "content",
    [b"no json\n", b'{"writer": "aga-01"}\n',
     b'{"writer": "aga-01", "label": "1", "strokes": []}\n', b""],
)  # fmt: skip
def test_a_damaged_pack_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "unipen-digits.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataDamaged, match=r"unipen-digits\.jsonl\.gz"):
        unipen.read(path)
    path.write_bytes(content)
    with pytest.raises(DataDamaged, match=r"unipen-digits\.jsonl\.gz"):
        unipen.read(path)


def test_without_packs_and_archive_it_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path)
    nowhere = downloads.Source("http://127.0.0.1:9/unipen.tgz", "", "unipen.tgz", pinned=True)
    monkeypatch.setattr(downloads, "UNIPEN", nowhere)
    with pytest.raises(DataUnavailable, match=r"127\.0\.0\.1"):
        unipen.load()


def test_a_run_without_unipen_does_not_train_on_it(packs: unipen.Packs) -> None:
    def no_labels() -> Labelled:
        raise AssertionError("labels are not among the sources")

    data = training_data.collect(wanted={"generated"}, mnist_path=None, labelled=no_labels)
    assert data.unipen is not None
    assert not data.material().unipen
    assert not data.material().letters
    assert "unipen" not in data.sources()


def test_every_source_weighs_the_same_in_the_validation_set(
    packs: unipen.Packs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_sets, "EACH", 25)
    rng = np.random.default_rng(1)
    pen = [PenDigit(generate_digit(n % 10, rng), n % 10, writer=23) for n in range(7)]
    data = training_data.Collected(pen=pen, unipen=packs)
    found = evaluation_sets.validation(data)
    assert len(found) == 50
    counts = Counter(found.labels[25:].tolist())
    assert set(counts.values()) == {3, 4}
    assert Counter(found.labels[:25].tolist()) >= Counter(range(10)) + Counter(range(10))
    # Each time in another place.
    assert len({image.tobytes() for image in found.images}) > 40
    assert len(evaluation_sets.gate_sets(data)["UNIPEN validation"]) == 10


@pytest.mark.skipif("DIGIT_DATA_DIR" not in os.environ, reason="DIGIT_DATA_DIR is not set")
def test_a_fifth_of_the_writers_of_the_public_data_and_one_site_are_held_out() -> None:
    packs = unipen.load()
    writers = {
        site: {drawing.writer for drawing in packs.digits if drawing.site == site}
        for site in {drawing.site for drawing in packs.digits}
    }
    held_out = {
        site: {name for name in names if Drawing([RING], "0", name).role is Role.TEST}
        for site, names in writers.items()
    }
    assert len(packs.digits) == 12_867
    assert len(packs.others) == 12_256
    assert held_out.pop("gmd") == writers.pop("gmd")
    assert all(0.2 <= len(held_out[site]) / len(names) <= 0.5 for site, names in writers.items())
    assert len(packs.trainable_digits()) == 7535
    assert len(packs.trainable_letters()) == 3775
