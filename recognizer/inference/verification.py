"""A model is tried in a process of its own before it is used: damaged bytes can crash LiteRT.

`python -m recognizer.inference.verification` reads a bundle from its standard input.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from recognizer.imaging import INPUT_SIDE
from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import Bundle, BundleError

_ROOT = Path(__file__).parents[2]
_PATIENCE = 60  # seconds; it takes a fraction of one
_REFUSED = 3
"""The exit status for a bundle that does not load, as opposed to a crash."""


def verify(bundle: Bundle) -> None:
    """Load a bundle and classify some drawings in another process, which takes about 0.3 s.

    Raises BundleError if that fails, crashes or does not end.
    """
    head = {"name": bundle.name, "sha256": bundle.sha256, "card": bundle.card.to_json()}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "recognizer.inference.verification"],
            input=json.dumps(head).encode() + b"\n" + bundle.serving,
            capture_output=True,
            cwd=_ROOT,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{bundle.name}: the model does not answer") from error
    if done.returncode == _REFUSED:
        raise BundleError(done.stdout.decode(errors="replace").strip())
    if done.returncode != 0:
        raise BundleError(f"{bundle.name}: the model crashes ({_status(done.returncode)})")


def _status(returncode: int) -> str:
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"exit status {returncode}"


def main() -> int:
    head = json.loads(sys.stdin.buffer.readline())
    card = ModelCard.from_json(head["card"])
    serving = sys.stdin.buffer.read()
    try:
        classifier = Bundle(head["name"], serving, b"", card, head["sha256"]).load()
        noise = np.random.default_rng(0).integers(0, 256, (3, INPUT_SIDE, INPUT_SIDE), np.uint8)
        for image in (*noise, np.full_like(noise[0], 255)):
            logits, embedding = classifier.logits(image)
            if not (np.isfinite(logits).all() and np.isfinite(embedding).all()):
                raise BundleError(f"{head['name']}: the model's outputs are not numbers")
    except BundleError as error:
        print(error)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
