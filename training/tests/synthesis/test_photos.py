"""Simulated photographs show what was requested."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from training.synthesis.allographs import generate_digit
from training.synthesis.photos import KINDS, Conditions, as_jpeg, photograph

EVEN = Conditions(darkest=1.0, tilt=0.0, size=(0.4, 0.4), noise=(0, 0))


def test_a_photograph_has_the_requested_size_and_is_reproducible() -> None:
    strokes = generate_digit(4, np.random.default_rng(0))
    one, other = (
        photograph(strokes, np.random.default_rng(3), KINDS["everything"], width=200, height=150)
        for _ in range(2)
    )
    assert one.shape == (150, 200, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(4))
def test_the_digit_has_the_requested_height_and_is_inside_the_frame(seed: int) -> None:
    strokes = generate_digit(8, np.random.default_rng(seed))
    grey = photograph(strokes, np.random.default_rng(seed), EVEN, width=400, height=300).mean(2)
    rows = np.flatnonzero((grey < 140).any(1))
    assert rows[0] > 0
    assert rows[-1] < 299
    assert 110 <= rows[-1] - rows[0] <= 145


def test_the_light_has_the_requested_gradient() -> None:
    for darkest in (0.9, 0.44):
        conditions = Conditions(darkest=darkest, tilt=0, noise=(0, 0))
        picture = photograph([], np.random.default_rng(5), conditions, width=300, height=200)
        green = picture[:, :, 1].astype(float)
        assert green.min() / green.max() == pytest.approx(darkest, abs=0.05)


def test_ruled_paper_has_lines_one_way_and_squared_paper_both_ways() -> None:
    found = {}
    for ruling in ("none", "ruled", "squared"):
        conditions = Conditions(1.0, ruling=ruling, tilt=0, size=(0.3, 0.3), noise=(0, 0))
        grey = photograph([], np.random.default_rng(6), conditions, width=400, height=300).mean(2)
        down, across = (np.abs(np.diff(grey.mean(axis))).max() for axis in (1, 0))
        found[ruling] = (bool(down > 2), bool(across > 2))
    assert found == {"none": (False, False), "ruled": (True, False), "squared": (True, True)}


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_is_rotated_as_its_exif_data_says(orientation: int) -> None:
    picture = photograph(
        generate_digit(7, np.random.default_rng(1)), np.random.default_rng(1), width=160, height=120
    )
    with Image.open(io.BytesIO(as_jpeg(picture, 90, orientation=orientation))) as image:
        assert image.size == ((160, 120) if orientation in (1, 3) else (120, 160))
        turned = np.asarray(ImageOps.exif_transpose(image))
    assert np.abs(turned.astype(int) - picture).mean() < 4
