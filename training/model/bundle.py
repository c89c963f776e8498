"""A trained network -> the bundle that is stored and served."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import platform
import tempfile
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import Bundle, BundleError, Classifier
from training.data.datasets import Data
from training.model import backend
from training.model.network import logits_of
from training.processes import workers

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "ai-edge-litert")


def to_keras_bytes(model: Any) -> bytes:
    """Return a network as a ``.keras`` archive, weights rounded to float16 and compressed.

    Serving rounds the weights too. Rounding lets deflate halve the archive, which Keras itself
    writes uncompressed.
    """
    import keras

    rounded = keras.models.clone_model(model)
    rounded.set_weights(
        [weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()]
    )
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        rounded.save(path)
        with (
            zipfile.ZipFile(path) as plain,
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as smaller,
        ):
            for member in plain.infolist():
                smaller.writestr(member.filename, plain.read(member))
    return packed.getvalue()


def from_keras_bytes(content: bytes) -> Any:
    """Return the network of a ``.keras`` archive, ready to train further.

    Raises ``BundleError`` if the bytes are not such an archive. Only our own registered models
    are loaded: Keras' safe mode stays on, so an archive can't run code.
    """
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, OSError, KeyError, TypeError) as error:
            raise BundleError(f"the Keras archive does not load: {error}") from error


def to_litert(model: Any) -> bytes:
    """Return a network as LiteRT bytes, weights stored as float16, computed in float32."""
    if backend.on_jax():
        with workers(1) as pool:
            return pool.submit(_to_litert_by_tensorflow, to_keras_bytes(model)).result()
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def _to_litert_by_tensorflow(archive: bytes) -> bytes:
    """Return ``to_litert`` in a process that has not imported Keras: it has one backend only."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    return to_litert(from_keras_bytes(archive))


def make_bundle(
    model: Any, *, name: str, card: ModelCard, check: Data, tolerance: float = 0.1
) -> Bundle:
    """Return a network as a bundle, after checking that Keras and LiteRT agree on real drawings.

    ``card`` has the temperature and thresholds. ``check`` is a few hundred model inputs: on each
    the digit must be the same, and no logit may differ by more than ``tolerance`` (float16 weights
    cost about 0.01). Raises ``BundleError`` if they do not agree.
    """
    serving = to_litert(model)
    sha256 = hashlib.sha256(serving).hexdigest()
    full = replace(
        card,
        name=name,
        sha256=sha256,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        versions=versions(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
        parameters=int(model.count_params()),
    )
    bundle = Bundle(name, serving, to_keras_bytes(model), full, sha256)
    classifier = Classifier(bundle)
    expected = logits_of(model, check.images)
    served = np.array([classifier.logits(image)[0] for image in check.images])
    worst = float(np.abs(expected - served).max())
    clear = np.sort(expected, 1)[:, -1] - np.sort(expected, 1)[:, -2] > 2 * tolerance
    if worst > tolerance or (expected.argmax(1) != served.argmax(1))[clear].any():
        raise BundleError(f"Keras and LiteRT disagree by up to {worst:.3f} on real drawings")
    return bundle


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write model.tflite, model.keras and card.json, each by a temporary name and a rename."""
    folder.mkdir(parents=True, exist_ok=True)
    card = json.dumps(bundle.card.to_json(), indent=1, ensure_ascii=False) + "\n"
    for name, content in (
        ("model.tflite", bundle.serving),
        ("model.keras", bundle.training),
        ("card.json", card.encode()),
    ):
        partial = folder / f".{name}.part"
        partial.write_bytes(content)
        partial.replace(folder / name)
