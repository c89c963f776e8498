"""`manage.py train_model` from outside, on a few drawings."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from recognizer.labelling import labels
from recognizer.models import Activation, Cause, ModelVersion, Owner, Prediction
from recognizer.predictions import recognition, selectors
from recognizer.tests.support.drawings import DrawDigit
from recognizer.versions import loading, registry
from training.data import downloads
from training.data.labelled import is_held_out

pytestmark = pytest.mark.django_db


def train(tmp_path: Path, *arguments: str, **options: Any) -> str:
    out = StringIO()
    report = str(tmp_path / "report")
    call_command("train_model", "--report", report, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def labelled(draw_digit: DrawDigit, reviewer: User) -> int:
    """Forty drawings labelled by a reviewer, four of them as "not a digit"."""
    for number in range(40):
        drawing = recognition.recognise(
            data=draw_digit(number % 10, seed=number), source="api", owner=Owner(user=reviewer)
        )
        label = 10 if number % 10 == 9 else number % 10
        labels.label_predictions(predictions=[drawing.pk], label=label, by=reviewer)
    return 40


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without data sets and internet access."""
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    for name in ("MNIST", "PEN", "OMNIGLOT"):
        source = getattr(downloads, name)
        unreachable = downloads.Source("http://127.0.0.1:9/none", source.sha256, source.filename)
        monkeypatch.setattr(downloads, name, unreachable)


def test_without_internet_it_trains_on_strokes_and_labels(
    labelled: int, no_data: None, tmp_path: Path
) -> None:
    before = selectors.active_model()

    said = train(
        tmp_path, "--from-scratch", "--limit", "60", "--epochs", "1", "--seed", "3",
        "--name", "tried",
    )  # fmt: skip

    assert "Not available: MNIST" in said
    assert "Not available: pen strokes" in said
    assert "Not available: Omniglot" in said
    assert "labelled drawings" in said
    assert selectors.active_model() == before
    tried = ModelVersion.objects.get(name="tried")
    loading.bundle_of(tried, with_training=True).load()
    assert tried.card["settings"]["epochs"] == 1
    assert tried.card["seed"] == 3
    learnt = tried.card["data"]["labelled"]
    assert learnt["n"] < learnt["n"] + learnt["held_out"] == labelled
    assert not tried.card["gate"]["activate"]
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["model"]["name"] == "tried"
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".json", ".png"}

    # Fine-tuned, as there are labels, and activated whatever the gate says.
    registry.activate_model(name="tried")
    said = train(
        tmp_path, "--limit", "20", "--epochs", "1", "--activate", "always", "--name", "further",
        "--bundle", str(tmp_path / "bundle"),
    )  # fmt: skip
    assert "Fine-tuning tried." in said
    further = selectors.active_model()
    assert further.name == "further"
    assert Activation.objects.all()[0].cause == Cause.COMMAND
    assert further.parent == tried
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == {
        "model.tflite", "model.keras", "card.json",
    }  # fmt: skip

    # Again from the same network, so that what fine-tuning forgets does not add up.
    few = ("--limit", "20", "--epochs", "1", "--activate", "never")
    assert "Fine-tuning tried." in train(tmp_path, *few, "--name", "anew")
    assert ModelVersion.objects.get(name="anew").parent == tried
    # Unless another version is named.
    said = train(tmp_path, *few, "--start-from", "further", "--name", "upon-it")
    assert "Fine-tuning further." in said
    upon_it = ModelVersion.objects.get(name="upon-it")
    assert upon_it.parent == further
    assert upon_it.card["parent"] == "further"
    ModelVersion.objects.filter(name="further").update(training=b"")
    with pytest.raises(CommandError, match="further has no network to start from"):
        train(tmp_path, *few, "--start-from", "further")


def test_labels_that_look_wrong_are_left_out_if_the_user_says_so(
    labelled: int, no_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "y"

    monkeypatch.setattr("builtins.input", answer)
    # The fixture labels every 9 as "not a digit": so similar drawings have the same label, and
    # only the network contradicts it. One label of the others is wrong.
    learned = (
        row
        for row in Prediction.objects.filter(label__lt=9)
        if not is_held_out(str(row.pk), row.created_at)
    )
    row = next(learned)
    assert row.label is not None
    labels.label_predictions(predictions=[row.pk], label=(row.label + 4) % 9, by=None)
    said = train(
        tmp_path, "--limit", "20", "--epochs", "1", "--activate", "never", "--name", "without",
        "--suspects", "ask",
    )  # fmt: skip

    assert "labelled not a digit" in said
    assert "the training keeps the others" in said
    (question,) = asked
    learnt = ModelVersion.objects.get(name="without").card["data"]["labelled"]
    left_out = labelled - learnt["n"] - learnt["held_out"]
    assert left_out > 0
    assert f"The training leaves {left_out} out." in said
    assert f"these {left_out} labels" in question or "this label" in question


def test_the_same_seed_makes_the_same_network(no_data: None, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(
            tmp_path, "--data", "generated", "--fast", "--limit", "64", "--epochs", "1",
            "--seed", "5", "--name", name, "--activate", "never",
        )  # fmt: skip
    one, two = (ModelVersion.objects.get(name=name) for name in ("one", "two"))
    assert one.card["history"] == two.card["history"]
    assert one.card["metrics"] == two.card["metrics"]
    assert one.card["settings"]["name"] == "fast"
    assert one.sha256 == two.sha256


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "mnist,emnist"], "unknown: emnist"),
        (["--data", ","], "choose from"),
        (["--epochs", "0"], "whole number above 0"),
        (["--epochs", "two"], "whole number above 0"),
        (["--fine-tune", "--from-scratch"], "not allowed with"),
        (["--fast", "--recipe", "shipped"], "not allowed with"),
        (["--fine-tune", "--fast"], "has a recipe of its own"),
        (["--fine-tune"], "no labelled drawings to learn from"),
        (["--fine-tune", "--data", "generated"], "no labelled drawings to learn from"),
        (["--start-from", "nobody"], "no model version called nobody"),
        (["--start-from", "nobody", "--fast"], "--start-from has a recipe of its own"),
        (["--start-from", "nobody", "--fine-tune"], "not allowed with"),
        (["--recipe", "secret"], "invalid choice"),
        (["--activate", "perhaps"], "invalid choice"),
        (["--mnist", "nowhere.npz"], "no such file: nowhere.npz"),
        (["--set", "colour=red"], "colour is no setting"),
        (["--set", "augmentation.colour=red"], "colour is no setting of Augmentation"),
        (["--set", "batch=many"], "batch=many: not a int"),
        (["--set", "norm_logits=perhaps"], "norm_logits=perhaps: not a bool"),
        (["--resume", "nowhere"], "nowhere/checkpoint holds no interrupted training"),
        (["--resume", "nowhere", "--from-scratch"], "omit --from-scratch"),
        (["--labelled", "nowhere.npz", "--data", "labelled"], "no such file: nowhere.npz"),
    ],
)
def test_bad_options_are_rejected(arguments: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=says):
        train(tmp_path, *arguments)
    assert not ModelVersion.objects.filter(is_bundled=False).exists()


IMAGES = np.zeros((5, 28, 28), np.uint8)
LABELS = np.arange(5, dtype=np.uint8)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x_train": IMAGES[:, :20], "y_train": LABELS}, r"shape \(5, 20, 28\)"),
        ({"x_train": IMAGES.astype(float), "y_train": LABELS}, "float64, expected uint8"),
        ({"x_train": IMAGES, "y_train": LABELS + 6}, "from 0 to 9"),
        ({"x_train": IMAGES, "y_train": LABELS[:3]}, "labels for 5 images"),
        ({"x_train": IMAGES, "y_train": LABELS / 2}, "from 0 to 9"),
        ({"images": IMAGES}, "neither x_train"),
        ({"x_train": np.array([None]), "y_train": LABELS}, "not a readable npz"),
    ],
)
def test_an_npz_without_digits_is_rejected(
    arrays: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "given.npz"
    np.savez(path, **arrays)
    with pytest.raises(CommandError, match=says):
        train(tmp_path, "--mnist", str(path), "--data", "mnist")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (
            {"x_train": IMAGES, "y_train": LABELS + 7},
            r"x_train\[4\] can't be used: its label is 11",
        ),
        ({"x_train": IMAGES, "y_train": LABELS[:3]}, "for 5 images"),
        ({"images": IMAGES}, "neither x_train"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "holds no labelled drawing"),
    ],
)
def test_an_npz_without_labelled_drawings_is_rejected(
    arrays: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "given.npz"
    np.savez(path, **arrays)
    with pytest.raises(CommandError, match=says):
        train(tmp_path, "--labelled", str(path), "--data", "labelled", "--from-scratch")


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no zip", b"hello"])
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--mnist", "not a readable npz"),
        ("--labelled", "none of the supported formats|not a zip|damaged"),
    ],
)
def test_a_corrupt_npz_is_rejected(content: bytes, option: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "given.npz"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=says):
        train(tmp_path, option, str(path), "--data", option[2:], "--from-scratch")


def test_a_single_array_instead_of_an_npz_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "given.npy"
    np.save(path, IMAGES)
    with pytest.raises(CommandError, match="holds one array, not an npz"):
        train(tmp_path, "--mnist", str(path), "--data", "mnist", "--from-scratch")


def test_a_taken_name_and_an_unwritable_report_are_rejected_at_once(
    tmp_path: Path,
) -> None:
    with pytest.raises(CommandError, match="already"):
        train(tmp_path, "--name", selectors.active_model().name)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="Can't write"):
        call_command("train_model", "--report", str(tmp_path / "file" / "report"))


def test_it_says_if_there_is_nothing_to_train_on(no_data: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing to train on"):
        train(tmp_path, "--data", "mnist,labelled")


def test_ctrl_c_loses_nothing(
    no_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(ModelVersion.objects.values_list("name", "is_active"))

    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.management.commands.train_model.Screen.stepped", interrupt)
    with pytest.raises(CommandError, match="Interrupted") as caught:
        train(tmp_path, "--data", "generated", "--limit", "60", "--epochs", "1")
    assert caught.value.returncode == 130
    assert list(ModelVersion.objects.values_list("name", "is_active")) == before
    assert not Prediction.objects.exists()
