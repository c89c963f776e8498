"""A training that is killed goes on, and gives the network that it would have given."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognizer.imaging import PenStrokes
from recognizer.models import ModelVersion
from recognizer.tests.support.drawings import digit_strokes
from training.data import downloads
from training.data.labelled import Labelled, LabelledData, drawn_anew
from training.model.checkpoint import Checkpoint
from training.model.new_network import no_labels
from training.tests.small_data import write_small_data

pytestmark = pytest.mark.django_db

TRY = ("--recipe", "fast", "--limit", "40", "--set", "epochs=4", "--set", "width=4")
PATIENCE = 300


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = write_small_data(tmp_path / "data")
    monkeypatch.setenv("DIGIT_DATA_DIR", str(folder))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    return folder


def start(folder: Path, project_root: Path) -> subprocess.Popen[bytes]:
    """Train a network in another process, which uses neither Django nor a database."""
    command = [sys.executable, "-m", "training.model.new_network", str(folder), *TRY]
    return subprocess.Popen(command, cwd=project_root, env=os.environ.copy())


def wait_until_kept(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the first epoch of a training is kept."""
    deadline = time.monotonic() + PATIENCE
    while not (folder / "checkpoint" / "state.npz").exists():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def epochs_kept(folder: Path) -> int:
    with np.load(folder / "checkpoint" / "state.npz") as state:
        return int(json.loads(str(state["about"]))["epochs"])


def resume(folder: Path, name: str) -> str:
    out = StringIO()
    call_command(
        "train_model", "--resume", str(folder), "--name", name, "--activate", "never", stdout=out
    )
    return out.getvalue()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like this here")
def test_a_killed_training_goes_on_and_gives_the_same_network(
    data: Path, tmp_path: Path, project_root: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole, project_root).wait(PATIENCE) == 0
    assert epochs_kept(whole) == 4
    process = start(killed, project_root)
    wait_until_kept(process, killed)
    process.kill()
    process.wait()
    done = epochs_kept(killed)
    assert 0 < done < 4

    with pytest.raises(CommandError, match="holds an interrupted training"):
        call_command("train_model", "--report", str(killed), "--from-scratch")
    said = resume(killed, "killed")

    assert f"epoch {done}:" not in said
    assert f"epoch {done + 1}:" in said
    assert "waiting for drawings" in said
    # Trained elsewhere to the end, a network only becomes a model version.
    assert "epoch 4:" not in resume(whole, "whole")
    one, two = (ModelVersion.objects.get(name=name) for name in ("whole", "killed"))
    assert one.sha256 == two.sha256
    assert one.card["history"] == two.card["history"]
    assert one.card["metrics"] == two.card["metrics"]
    assert (killed / "report.json").exists()
    assert not (killed / "checkpoint").exists()


@pytest.mark.parametrize("content", ["{}", "[]", "no json"])
def test_damaged_options_are_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "options.json").write_text(content)
    with pytest.raises(CommandError, match="options"):
        resume(tmp_path, "damaged")


def test_labels_are_kept_with_their_strokes(tmp_path: Path) -> None:
    drawn = PenStrokes.from_json(digit_strokes(3, times=True))
    images, labels = np.ones((3, 28, 28), np.uint8), np.array([3, 4, 3], np.uint8)
    strokes = [drawn, None, drawn.with_brush(0.1)]
    sent = Labelled(
        LabelledData("labelled", images, labels, "hash", strokes),
        ["a", "b", "c"],
        np.array([False, True, False]),
    )

    Checkpoint(tmp_path / "checkpoint").remembering(lambda: sent)()
    kept = Checkpoint(tmp_path / "checkpoint").remembering(no_labels)()

    assert isinstance(kept.data, LabelledData)
    assert [one and one.to_json() for one in kept.data.strokes] == [
        one and one.to_json() for one in strokes
    ]
    one, other = (
        drawn_anew(data, np.random.default_rng(1)).images for data in (sent.data, kept.data)
    )
    assert (one == other).all()
