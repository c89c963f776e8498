"""The classifier: ten probabilities, a verdict, many threads, and bundles that are no use."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recognizer import imaging
from recognizer.inference import verification
from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import (
    BUNDLED,
    Answer,
    Bundle,
    BundleError,
    Classifier,
    Verdict,
    load_bundle,
)
from recognizer.tests.support.drawings import digit_png


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(BUNDLED)


@pytest.fixture(scope="module")
def classifier(bundle: Bundle) -> Classifier:
    return Classifier(bundle)


def seen(digit: int, seed: int = 0) -> imaging.Pixels:
    return imaging.model_input(imaging.read_drawing(digit_png(digit, seed=seed)))


@pytest.mark.parametrize("digit", range(10))
def test_each_digit_is_recognised(digit: int, classifier: Classifier) -> None:
    answers = [classifier.classify(seen(digit, seed)) for seed in range(10)]
    assert sum(answer.digit == digit for answer in answers) >= 9
    assert sum(answer.verdict is Verdict.DIGIT for answer in answers) >= 8
    for answer in answers:
        assert len(answer.probabilities) == 10
        assert sum(answer.probabilities) == pytest.approx(1)
        assert answer.confidence == max(answer.probabilities)
        assert np.linalg.norm(answer.embedding) == pytest.approx(1, abs=1e-3)


def test_a_tangle_is_rejected_with_a_guess(classifier: Classifier) -> None:
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(20):
        pixels = np.full((280, 280), 255, np.uint8)
        pixels[rng.integers(0, 280, 3000), rng.integers(0, 280, 3000)] = 0
        answer = classifier.classify(imaging.model_input(imaging.drawing_from_array(pixels)))
        refused += answer.verdict is not Verdict.DIGIT
        assert 0 <= answer.digit <= 9
    assert refused >= 18


def test_many_threads_get_the_answers_that_one_gets(classifier: Classifier) -> None:
    images = [seen(digit, seed) for digit in range(10) for seed in range(4)]
    alone = [classifier.classify(image) for image in images]

    def classify_all(_: int) -> list[Answer]:
        return [classifier.classify(image) for image in images]

    with ThreadPoolExecutor(16) as pool:
        for together in pool.map(classify_all, range(32)):
            assert together == alone


@pytest.mark.parametrize(
    "image",
    [np.zeros((28, 28)), np.zeros((28, 27), np.uint8), np.zeros((1, 28, 28), np.uint8)],
)
def test_another_shape_or_type_is_refused(image: imaging.Pixels, classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        classifier.classify(image)


def test_the_bundle_is_what_its_card_says_and_small(bundle: Bundle) -> None:
    bundle.load()
    assert len(bundle.serving) < 1_300_000
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 2_500_000
    assert bundle.card.sha256 == bundle.sha256
    assert {"temperature", "thresholds", "settings", "seed", "data", "versions", "metrics"} <= set(
        bundle.card.to_json()
    )


def test_changed_bytes_are_refused(bundle: Bundle) -> None:
    changed = bytearray(bundle.serving)
    changed[len(changed) // 2] ^= 1
    with pytest.raises(BundleError, match="do not match"):
        dataclasses.replace(bundle, serving=bytes(changed)).load()


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"temperature": 0, "thresholds": {"not_a_digit": 0.5, "uncertain": 0.5}},
        {"temperature": "hot", "thresholds": {"not_a_digit": 0.5, "uncertain": 0.5}},
        {"temperature": 1, "thresholds": []},
        {"temperature": 1, "thresholds": {"not_a_digit": 0.5}},
        [],
    ],
)
def test_a_card_without_its_calibration_is_refused(card: object, bundle: Bundle) -> None:
    with pytest.raises(BundleError):
        Classifier(dataclasses.replace(bundle, card=ModelCard.from_json(card)))


@pytest.mark.parametrize("missing", ["card.json", "model.tflite", "model.keras"])
def test_a_folder_without_all_files_is_refused(missing: str, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(BUNDLED, folder)
    (folder / missing).unlink()
    with pytest.raises(BundleError, match="no model bundle"):
        load_bundle(folder)
    (folder / missing).write_text("[]")
    if missing == "card.json":
        with pytest.raises(BundleError, match="no model bundle"):
            load_bundle(folder)


@pytest.mark.parametrize("damage", ["identifier", "root", "half", "other"])
def test_a_damaged_model_with_a_right_checksum_is_refused(damage: str, bundle: Bundle) -> None:
    serving = bundle.serving
    damaged = {
        "identifier": serving[:4] + b"XXXX" + serving[8:],
        "root": b"\xff\xff\xff\x7f" + serving[4:],
        "half": serving[: len(serving) // 2],
        "other": bytes(1000),
    }[damage]
    digest = hashlib.sha256(damaged).hexdigest()

    with pytest.raises(BundleError, match=bundle.name):
        verification.verify(dataclasses.replace(bundle, serving=damaged, sha256=digest))


def test_a_good_model_passes(bundle: Bundle) -> None:
    verification.verify(bundle)
