"""A model bundle -> probabilities, calibrated confidence, verdict. LiteRT, no Django.

A bundle is a network in two forms, LiteRT for serving and Keras for further training, with a
card that says what it was trained on, what it measured, and which temperature and thresholds
turn its outputs into an answer.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging import INPUT_SIDE
from recognizer.inference import embeddings
from recognizer.inference.card import ModelCard

BUNDLED = Path(__file__).parent.parent / "bundled"
DIGITS = 10
NOT_A_DIGIT_CLASS = 10
"""The network's eleventh class, beside the ten digits."""


AT_ONCE = 2
"""Drawings that one process puts through the network at the same time: it takes 0.2 ms, a
twentieth of a request, and Python runs one thread at a time.
"""

_Loaded = tuple[Any, int, int, int]


class Verdict(str, Enum):
    """Whether a drawing is accepted as a digit, beside the most likely digit."""

    DIGIT = "digit"
    UNCERTAIN = "uncertain"
    NOT_A_DIGIT = "not_a_digit"


class BundleError(ValueError):
    """A bundle that can't be served: a file is missing, damaged, or of another kind."""


def margin(probabilities: Sequence[float]) -> float:
    """Return the difference of the two highest probabilities, 0-1."""
    second, first = sorted(probabilities)[-2:]
    return min(1.0, max(0.0, first - second))


@dataclass(frozen=True)
class Answer:
    """The model's answer to one drawing.

    ``probabilities`` are the ten digits' calibrated probabilities given that it is a digit (sum
    1), ``confidence`` is that of ``digit``, and ``digit_score`` (0-1) is how much the drawing
    looks like one digit at all. ``embedding`` is the last hidden vector, float32, length 1.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    verdict: Verdict
    digit_score: float
    embedding: NDArray[np.float32] = field(repr=False, compare=False)

    @property
    def margin(self) -> float:
        return margin(self.probabilities)


@dataclass(frozen=True)
class Bundle:
    """A model as it is stored: ``serving`` LiteRT bytes, ``training`` a Keras archive, its card."""

    name: str
    serving: bytes
    training: bytes
    card: ModelCard
    sha256: str

    def load(self) -> Classifier:
        """Check the serving bytes against their checksum and load them.

        Raises ``BundleError`` where they don't match or don't load.
        """
        # The checksum first: LiteRT may crash on bytes that are no model.
        if hashlib.sha256(self.serving).hexdigest() != self.sha256:
            raise BundleError(f"{self.name}: the model's bytes do not match their sha256")
        return Classifier(self)


@dataclass(frozen=True)
class Calibration:
    """Turns the network's eleven logits into an answer.

    ``temperature`` divides the digits' logits (Guo et al., "On calibration of modern neural
    networks", ICML 2017). A drawing whose digit score is under ``not_a_digit`` is refused; an
    accepted one whose confidence is under ``uncertain`` is uncertain.
    """

    temperature: float
    not_a_digit: float
    uncertain: float

    @classmethod
    def from_card(cls, card: ModelCard) -> Calibration:
        """Raises ``BundleError`` where the card lacks one of the numbers."""
        temperature, limits = card.temperature, card.thresholds
        if temperature is None or not temperature > 0:
            raise BundleError("the model card has no temperature above 0")
        if limits.not_a_digit is None or limits.uncertain is None:
            raise BundleError("the model card lacks a threshold: not_a_digit or uncertain")
        return cls(temperature, limits.not_a_digit, limits.uncertain)

    def answer(self, logits: NDArray[np.float32], embedding: NDArray[np.float32]) -> Answer:
        """Return the answer for one drawing's logits, float32 (11,)."""
        values = logits.astype(np.float64)
        scaled = values[:DIGITS] / self.temperature
        powers = np.exp(scaled - scaled.max())
        probabilities = powers / powers.sum()
        digit = int(probabilities.argmax())
        confidence = float(probabilities[digit])
        score = float(digit_scores(values[None])[0])
        if score < self.not_a_digit:
            verdict = Verdict.NOT_A_DIGIT
        elif confidence < self.uncertain:
            verdict = Verdict.UNCERTAIN
        else:
            verdict = Verdict.DIGIT
        return Answer(
            digit, confidence, tuple(map(float, probabilities)), verdict, score, embedding
        )


def digit_scores(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the probability that each row is a digit: (n, 11) logits to (n,) in 0-1.

    That is one minus the softmax of the eleventh class: the digits' free energy (Liu et al.,
    "Energy-based out-of-distribution detection", NeurIPS 2020) against "not a digit".
    """
    values = logits.astype(np.float64)
    top = values[:, :DIGITS].max(1, keepdims=True)
    energy = top[:, 0] + np.log(np.exp(values[:, :DIGITS] - top).sum(1))
    margin = np.clip(energy - values[:, NOT_A_DIGIT_CLASS], -60, 60)
    return np.asarray(1 / (1 + np.exp(-margin)))


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle from a folder: model.tflite, model.keras and card.json.

    Raises ``BundleError`` where a file is missing or the card can't be read.
    """
    try:
        card = ModelCard.from_json(json.loads((folder / "card.json").read_text(encoding="utf-8")))
        serving = (folder / "model.tflite").read_bytes()
        training = (folder / "model.keras").read_bytes()
    except (OSError, ValueError) as error:
        raise BundleError(f"no model bundle in {folder}: {error}") from error
    if card.name is None or card.sha256 is None:
        raise BundleError(f"no model bundle in {folder}: card.json lacks its name or its sha256")
    return Bundle(card.name, serving, training, card, card.sha256)


class Classifier:
    """A loaded model. Safe to share between threads: no two use an interpreter at the same time.

    One LiteRT interpreter used by two threads gives wrong answers without an error. Making one
    takes under a millisecond, but each takes 4 MB: there are at most `AT_ONCE`.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Load a bundle; raises ``BundleError`` where its bytes or its card can't be used."""
        self.name = bundle.name
        self.sha256 = bundle.sha256
        self.calibration = Calibration.from_card(bundle.card)
        self._content = bundle.serving
        self._idle: list[_Loaded] = []
        self._turns = threading.Semaphore(AT_ONCE)
        self.logits(np.zeros((INPUT_SIDE, INPUT_SIDE), np.uint8))

    def classify(self, image: NDArray[np.uint8]) -> Answer:
        """Return the answer for one model input, uint8 (28, 28), white ink on black."""
        return self.calibration.answer(*self.logits(image))

    def classify_many(self, images: Sequence[NDArray[np.uint8]]) -> list[Answer]:
        """Return the answers for several model inputs, in their order.

        One after the other: with all in one tensor LiteRT takes as long for each (0.18 ms), and
        6 ms more to make room for them.
        """
        return [self.classify(image) for image in images]

    def logits(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return one model input's raw outputs: logits (11,) and embedding (d,), float32."""
        if image.shape != (INPUT_SIDE, INPUT_SIDE) or image.dtype != np.uint8:
            raise ValueError(f"expected uint8 (28, 28), got {image.dtype} {image.shape}")
        with self._interpreter() as (interpreter, source, logits, embedding):
            interpreter.set_tensor(source, (image.astype(np.float32) / 255)[None, :, :, None])
            interpreter.invoke()
            return interpreter.get_tensor(logits)[0], interpreter.get_tensor(embedding)[0]

    @contextmanager
    def _interpreter(self) -> Iterator[_Loaded]:
        with self._turns:
            # Adding to a list and taking from it are atomic.
            try:
                loaded = self._idle.pop()
            except IndexError:
                loaded = _load(self.name, self._content)
            yield loaded
            # Not after an error: nobody knows what state it is in then.
            self._idle.append(loaded)


def _load(name: str, content: bytes) -> _Loaded:
    """Return an interpreter and the indexes of its input, logits and embedding tensors."""
    # Imported here: 0.2 s that `manage.py migrate` and the like need not pay.
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        (source,) = interpreter.get_input_details()
        outputs = {int(detail["shape"][-1]): detail for detail in interpreter.get_output_details()}
        logits = outputs.pop(DIGITS + 1)
        ((length, embedding),) = outputs.items()
    except Exception as error:
        # LiteRT raises ValueError or RuntimeError; the others mean that it is not our network.
        raise BundleError(f"{name}: the model does not load: {error}") from error
    if list(source["shape"]) != [1, INPUT_SIDE, INPUT_SIDE, 1]:
        raise BundleError(f"{name}: the model's input is {list(source['shape'])}, not 28x28")
    if not embeddings.MIN_LENGTH <= length <= embeddings.MAX_LENGTH:
        raise BundleError(
            f"{name}: the model's embedding has {length} numbers, not "
            f"{embeddings.MIN_LENGTH} to {embeddings.MAX_LENGTH}"
        )
    return interpreter, source["index"], logits["index"], embedding["index"]
