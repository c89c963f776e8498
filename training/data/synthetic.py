"""Training images that are drawn anew for every epoch.

Strokes of pens and generated ones on a canvas, characters and textures that are not digits, photos
of pages, and MNIST with clutter. All are processed by ``recognizer.imaging``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer import imaging
from recognizer.imaging.strokes import Strokes
from training.data.datasets import NOT_A_DIGIT, Data, Handwritten, PenDigit, model_input_of
from training.synthesis.allographs import generate_digit
from training.synthesis.altered_digits import crossed_out, side_by_side
from training.synthesis.clutter import clutter
from training.synthesis.nondigits import generate_nondigit
from training.synthesis.photos import KINDS, photograph
from training.synthesis.sampling import sampled
from training.synthesis.strokes import Placement, draw_at
from training.synthesis.textures import generate_texture

Pixels = NDArray[np.uint8]

BROAD = Placement(size=(0.25, 0.92), brush=(4, 26), anywhere=True)
"""Placement of training drawings: slightly more varied than what people draw."""

CLUTTERED = 0.1
"""Share of the drawings with clutter."""

_SMOTHERED = 110
"""Mean grey of a model input above which clutter hides the drawing, and is omitted."""

_PHOTO_KINDS = tuple(
    # At 320 px across, a digit under a tenth of the frame would be a few px high.
    replace(kind, size=(max(0.15, kind.size[0]), max(0.4, kind.size[1])))
    for kind in KINDS.values()
)
_NUMBERS = ("generated", "nondigits", "textures", "cluttered", "photos", "altered")
_PER_ITEM = ("pen", "unipen", "letters", "characters")
"""Amounts per item of the material of that name."""

_WEIGHTS = (0.5, 2.0)
"""Least and greatest weight of a UNIPEN digit in an epoch."""

_CANVASES = (112, 140, 180)  # px; imaging normalises the size, and small canvases are faster


@dataclass(frozen=True)
class Fresh:
    """The number of drawings of an epoch, by kind.

    ``pen``, ``unipen``, ``letters`` and ``characters`` are per pen digit, per UNIPEN digit, per
    UNIPEN letter or sign and per Omniglot character, the others are totals.
    ``cluttered`` are MNIST images with clutter. ``photos`` show pages with a digit, or one in five
    with something else. ``altered`` are pen digits in a row or crossed out, labelled "not a digit".
    """

    pen: int = 0
    unipen: int = 0
    letters: int = 0
    generated: int = 0
    nondigits: int = 0
    characters: int = 0
    textures: int = 0
    cluttered: int = 0
    photos: int = 0
    altered: int = 0

    def at_most(self, limit: int) -> Fresh:
        return Fresh(
            **{name: min(getattr(self, name), 1) for name in _PER_ITEM},
            **{name: min(getattr(self, name), limit) for name in _NUMBERS},
        )

    def count(self, material: Material) -> int:
        fixed = self.generated + self.nondigits + self.textures + self.photos
        fixed += self.altered if material.pen else 0
        own = sum(int(getattr(self, name)) * len(getattr(material, name)) for name in _PER_ITEM)
        return fixed + own + min(self.cluttered, len(material.mnist))


def _nothing(*shape: int) -> Pixels:
    return np.zeros(shape, np.uint8)


@dataclass(frozen=True)
class Material:
    """The handwriting that drawings are made from.

    ``pen`` digits; ``characters`` uint8 (n, h, w), dark on white, that are not digits; ``mnist``
    uint8 (n, 28, 28), white on black, without imaging; ``unipen`` digits; ``letters`` and signs of
    UNIPEN that do not look like a digit.
    """

    pen: Sequence[PenDigit] = ()
    characters: Pixels = field(default_factory=lambda: _nothing(0, 105, 105))
    mnist: Data = field(
        default_factory=lambda: Data("none", _nothing(0, 28, 28), np.zeros(0, np.uint8))
    )
    unipen: Sequence[Handwritten] = ()
    letters: Sequence[Handwritten] = ()

    def sample(self, amounts: Fresh, rng: np.random.Generator) -> Material:
        """Return the material of one epoch: MNIST is a random sample to add clutter to, and
        UNIPEN's digits are ``balanced``.
        """
        count = min(amounts.cluttered, len(self.mnist))
        mnist = self.mnist.take(rng.permutation(len(self.mnist))[:count])
        return replace(self, mnist=mnist, unipen=balanced(self.unipen, rng))


def draw_fresh(material: Material, amounts: Fresh, seed: int) -> Data:
    """Draw the images of an epoch, the same for a seed.

    All of ``material.mnist`` gets clutter: see ``Material.sample``.
    """
    rng = np.random.default_rng(seed)
    images: list[Pixels] = []
    labels: list[int] = []

    def add(pixels: Pixels, label: int, cluttered: bool = False) -> None:
        image = model_input_of(clutter(pixels, rng) if cluttered else pixels)
        if cluttered and image.mean() > _SMOTHERED:
            image = model_input_of(pixels)
        images.append(image)
        labels.append(label)

    def write(strokes: Strokes, label: int) -> None:
        pixels = draw_at(strokes, BROAD, rng, canvas=int(rng.choice(_CANVASES)))
        add(pixels, label, cluttered=rng.random() < CLUTTERED)

    for digit in material.pen:
        for _ in range(amounts.pen):
            write(vary(digit.strokes, rng), digit.label)
    for written, times in ((material.unipen, amounts.unipen), (material.letters, amounts.letters)):
        for character in written:
            for _ in range(times):
                write(vary(sampled(character.strokes, rng), rng), character.label)
    for count in range(amounts.generated):
        write(generate_digit(count % 10, rng), count % 10)
    for _ in range(amounts.nondigits):
        write(generate_nondigit(rng), NOT_A_DIGIT)
    for count in range(amounts.altered if material.pen else 0):
        write(_altered(material.pen, rng, row=count % 4 > 0), NOT_A_DIGIT)
    for picture in material.characters:
        for _ in range(amounts.characters):
            add(vary_picture(picture, rng), NOT_A_DIGIT)
    for _ in range(amounts.textures):
        # Imaging calls some textures blank paper, which never reaches a network.
        while not (image := model_input_of(generate_texture(rng))).any():
            pass
        images.append(image)
        labels.append(NOT_A_DIGIT)
    for count in range(amounts.photos):
        label = NOT_A_DIGIT if count % 5 == 0 else count % 10
        strokes = generate_nondigit(rng) if label == NOT_A_DIGIT else generate_digit(label, rng)
        kind = _PHOTO_KINDS[int(rng.integers(len(_PHOTO_KINDS)))]
        photo = photograph(strokes, rng, kind, width=320, height=240)
        add(np.asarray(Image.fromarray(photo).convert("L")), label)
    for image, label in zip(material.mnist.images, material.mnist.labels, strict=True):
        add(image, int(label), cluttered=True)
    shape = (len(images), imaging.INPUT_SIDE, imaging.INPUT_SIDE)
    return Data("fresh", np.array(images, np.uint8).reshape(shape), np.array(labels, np.uint8))


def balanced(written: Sequence[Handwritten], rng: np.random.Generator) -> list[Handwritten]:
    """Return as many drawings, in their order, among which writers have more equal shares.

    Where a writer has fewer drawings of a digit than the mean over all writers and digits, these
    are repeated in proportion, within ``_WEIGHTS``; where a writer has more, some are omitted,
    others in each epoch. So nobody's style is rare because few drawings of it were collected.
    """
    if not written:
        return []
    counts = Counter((one.writer, one.label) for one in written)
    mean = len(written) / len(counts)
    weights = np.array([mean / counts[one.writer, one.label] for one in written]).clip(*_WEIGHTS)
    # Systematic sampling: a drawing occurs as often as its weight says, rounded up or down.
    ends = np.cumsum(weights) * (len(written) / weights.sum())
    chosen = np.searchsorted(ends[:-1], np.arange(len(written)) + rng.random(), side="right")
    return [written[int(index)] for index in chosen]


def _altered(pen: Sequence[PenDigit], rng: np.random.Generator, *, row: bool) -> Strokes:
    """Return two to four digits in a row, mostly of one writer, or one crossed out."""
    count = int(rng.choice((2, 3, 4), p=(0.6, 0.3, 0.1))) if row else 1
    start = int(rng.integers(len(pen)))
    near = [pen[(start + int(step)) % len(pen)].strokes for step in rng.integers(0, 40, count)]
    return side_by_side(near, rng) if row else crossed_out(near[0], rng)


def vary(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return strokes slightly rotated, slanted and stretched, as another writer might draw them."""
    matrix = _random_style(rng)
    return [stroke @ matrix.T for stroke in strokes]


def vary_picture(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a drawing, uint8 (h, w) dark on white, transformed as ``vary`` transforms strokes."""
    matrix = np.linalg.inv(_random_style(rng))
    height, width = pixels.shape
    # Half as large again, so that no ink is rotated out of the image.
    size = (width * 3 // 2, height * 3 // 2)
    middle = np.array([width, height]) / 2 - matrix @ (np.array(size) / 2)
    coefficients = (*matrix[0], middle[0], *matrix[1], middle[1])
    return np.asarray(
        Image.fromarray(pixels).transform(
            size,
            Image.Transform.AFFINE,
            tuple(map(float, coefficients)),
            Image.Resampling.BILINEAR,
            fillcolor=255,
        )
    )


def _random_style(rng: np.random.Generator) -> NDArray[np.float64]:
    angle, slant = rng.normal(0, 0.1), rng.normal(0, 0.18)
    stretch = np.exp(rng.normal(0, 0.12))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(turn @ np.array([[stretch, slant], [0.0, 1.0]]))
