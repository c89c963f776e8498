"""A network learns a strange hand from few labels, keeps what it knew, and is judged fairly."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Bundle, Classifier, load_bundle
from recognizer.labelling import labels as labelling_labels
from recognizer.predictions import recognition, selectors
from recognizer.tests.support.drawings import DrawDigit
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, Format
from training import pipeline
from training.data import downloads, training_data
from training.data.datasets import NOT_A_DIGIT, Data, see
from training.data.synthetic import Fresh
from training.data.training_data import Labelled
from training.evaluation import metrics
from training.model import calibration
from training.model.config import FINE_TUNE
from training.model.train import History
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import PLACEMENTS, draw_at

QUICK = replace(
    FINE_TUNE,
    epochs=1,
    steps=90,
    passes=6,
    batch=96,
    learning_rate=4e-4,
    mnist=0,
    pen=0,
    fresh=Fresh(generated=500, nondigits=1000),
)
NARROW = np.array([0.28, 1.0])


class Quiet:
    """Listens and says nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.epochs: list[int] = []
        self.steps: list[tuple[int, int, int]] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def downloaded(self, name: str, done: int, total: int) -> None:
        raise AssertionError("nothing is downloaded here")

    def planned(self, epochs: int) -> None:
        self.epochs.append(epochs)

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        self.steps.append((epoch, step, steps))

    def epoch_done(self, epoch: int, history: History) -> None:
        assert len(history.validation_accuracy) == epoch + 1


def narrow(count: int, seed: int) -> Data:
    """Digits by a hand that writes them a third as wide as others do."""
    rng = np.random.default_rng(seed)
    images, labels = [], []
    for number in range(count):
        strokes = [stroke * NARROW for stroke in generate_digit(number % 10, rng)]
        images.append(see(draw_at(strokes, PLACEMENTS["centred"], rng)))
        labels.append(number % 10)
    return Data("narrow", np.stack(images), np.array(labels, np.uint8))


def labelled(count: int, seed: int = 1) -> Labelled:
    ids = [str(uuid.UUID(int=number + seed * 10_000)) for number in range(count)]
    return Labelled(narrow(count, seed), ids)


@pytest.fixture(scope="module")
def bundled() -> Bundle:
    return load_bundle(BUNDLED)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has no data set and can't get any."""
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")


def teach(
    bundled: Bundle, labels: Labelled, listener: Any = None, **changes: Any
) -> tuple[pipeline.Result, Any]:
    order = pipeline.Order(
        sources=frozenset({"generated", "labelled"}),
        recipe=replace(QUICK, **changes),
        start_from=bundled,
        name="taught",
    )
    listener = listener or Quiet()
    result = pipeline.train(order, labelled=lambda: labels, active=bundled, listener=listener)
    return result, listener


def mistakes(bundle: Bundle, data: Data) -> int:
    return int((~metrics.run(Classifier(bundle), data).answered).sum())


@pytest.mark.usefixtures("no_data")
def test_it_learns_a_strange_hand_and_forgets_nothing(bundled: Bundle) -> None:
    strange = narrow(150, seed=77)
    before = mistakes(bundled, strange)
    assert before > 40, "the hand is read well already"

    result, heard = teach(bundled, labelled(100))

    assert mistakes(result.bundle, strange) < 0.5 * before
    decision = result.decision
    assert decision.activate, decision.reason
    assert "Better on the" in decision.reason
    rows = {row.bench: row for row in decision.rows}
    assert not any(row.is_worse for row in rows.values())
    for bench in ("generated", "non-digits", "digits accepted"):
        assert rows[bench].n >= 2000
        assert rows[bench].lost - rows[bench].won <= 8
    # Without MNIST here, what the bundled network was measured on stays what counts.
    assert "mnist validation" in result.bundle.card["benches"]
    assert heard.epochs == [1]
    assert heard.steps == [(0, step, 90) for step in range(1, 91)]


@pytest.mark.usefixtures("no_data")
def test_many_labels_are_given_more_steps_but_not_without_end(bundled: Bundle) -> None:
    # Of 20 labelled drawings some 16 are trained on, and 19 seen in a step.
    def steps(**changes: int) -> int:
        return len(teach(bundled, labelled(20), steps=2, least_passes=1, **changes)[1].steps)

    assert steps(passes=1) == 2
    assert 5 < steps(passes=10) <= 11
    assert steps(passes=10, most_steps=5) == 5


@pytest.mark.usefixtures("no_data")
def test_what_is_held_out_judges_and_is_never_trained_on(bundled: Bundle) -> None:
    labels = labelled(60)
    judges = np.array([training_data.is_held_out(name) for name in labels.ids])
    assert 0 < judges.sum() < 30
    result, _ = teach(bundled, labels, steps=3)
    wrong = np.where(judges, (labels.data.labels + 1) % 10, labels.data.labels).astype(np.uint8)
    other, _ = teach(bundled, replace(labels, data=replace(labels.data, labels=wrong)), steps=3)

    # Whatever the labels of that fifth say, the network is the same to the byte.
    assert result.bundle.sha256 == other.bundle.sha256
    learnt = result.bundle.card["data"]["labelled"]
    assert (learnt["n"], learnt["held_out"]) == ((~judges).sum(), judges.sum())
    rows, others = ({row.bench: row for row in each.decision.rows} for each in (result, other))
    assert rows["labelled"].n == judges.sum()
    assert others["labelled"].candidate < rows["labelled"].candidate


@pytest.mark.usefixtures("no_data")
def test_without_a_drawing_held_out_nothing_is_activated(bundled: Bundle) -> None:
    labels = labelled(12)
    kept = [i for i, name in enumerate(labels.ids) if not training_data.is_held_out(name)]
    few = Labelled(labels.data.take(np.array(kept)), [labels.ids[i] for i in kept])
    result, _ = teach(bundled, few, steps=2, learning_rate=1e-6)
    assert not result.decision.activate
    assert "label a few more" in result.decision.reason


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("when", ["planned", "stepped", "epoch_done"])
def test_a_listener_can_stop_the_run(when: str, bundled: Bundle) -> None:
    def stop(*arguments: object) -> None:
        raise pipeline.Cancelled

    listener = Quiet()
    setattr(listener, when, stop)
    with pytest.raises(pipeline.Cancelled):
        teach(bundled, labelled(20), listener, steps=2)


@pytest.mark.usefixtures("no_data")
def test_a_new_network_is_needed_where_there_is_none_to_start_from(bundled: Bundle) -> None:
    order = pipeline.Order(sources=frozenset({"labelled"}), recipe=QUICK)
    with pytest.raises(pipeline.NothingToTrainOn, match="no network to start from"):
        pipeline.train(order, labelled=lambda: labelled(20), active=bundled, listener=Quiet())


def test_thresholds_part_off_as_much_as_before(bundled: Bundle) -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, 4000).astype(np.uint8)
    old = rng.normal(0, 1, (4000, 11))
    old[np.arange(4000), labels] += rng.normal(9, 3, 4000)
    before = calibration.calibrate(old, labels)
    # Twice as sure of itself, and less sure that these are digits.
    new = old * 2
    new[:, 10] += 4
    after = calibration.carry_over(before, old, new, labels)
    assert after.temperature == pytest.approx(2 * before.temperature, rel=0.02)
    for logits, chosen in ((old, before), (new, after)):
        outcome = metrics.Outcome(
            narrow(1, 1).take(np.zeros(4000, int)), logits.astype(np.float32), chosen
        )
        outcome = replace(outcome, data=replace(outcome.data, labels=labels))
        assert outcome.measures().refused == pytest.approx(0.01, abs=0.002)
    same = calibration.carry_over(before, old, old, labels)
    assert same.temperature == before.temperature
    assert same.not_a_digit == pytest.approx(before.not_a_digit, rel=0.01)


@pytest.mark.django_db
@pytest.mark.parametrize("format", [FORMATS["npz"], FORMATS["png"], FORMATS["parquet"]])
def test_an_exported_file_gives_what_the_database_gives(
    format: Format, draw_digit: DrawDigit, reviewer: User, tmp_path: Path
) -> None:
    for number in range(12):
        drawing = recognition.recognise(
            data=draw_digit(number % 10, seed=number), source="api", user=reviewer, visitor=None
        )
        label = NOT_A_DIGIT if number > 9 else number
        labelling_labels.label_predictions(predictions=[drawing.pk], label=label, by=reviewer)
    path = tmp_path / f"labels{'.npz' if format is FORMATS['npz'] else ''}"
    exporting.export_drawings(drawings=selectors.labelled_drawings(), path=path, format=format)

    stored, read = training_data.read_labelled_database(), training_data.read_labelled_file(path)

    assert stored.ids == read.ids
    assert sorted(stored.data.labels.tolist()) == [*range(10), 10, 10]
    assert (stored.data.labels == read.data.labels).all()
    assert (stored.data.images == read.data.images).all()
    assert stored.data.sha256 == read.data.sha256
    for one, other in zip(stored.split(), read.split(), strict=True):
        assert (one.images == other.images).all()


def test_a_file_without_ids_is_parted_by_its_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    canvases = np.stack(
        [draw_at(generate_digit(n % 10, rng), PLACEMENTS["wild"], rng) for n in range(40)]
    )
    np.savez(tmp_path / "a.npz", x_train=canvases, y_train=np.arange(40) % 10)
    np.savez(tmp_path / "b.npz", x_train=canvases[::-1], y_train=np.arange(40)[::-1] % 10)
    one, other = (training_data.read_labelled_file(tmp_path / name) for name in ("a.npz", "b.npz"))
    assert one.ids == other.ids
    assert len(one.split()[1]) > 0
    assert (one.split()[1].images == other.split()[1].images).all()
    assert one.data.images.shape[1:] == (imaging.INPUT_SIDE, imaging.INPUT_SIDE)
