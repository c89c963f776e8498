"""A handwriting style that mirrors every digit: no network was trained on it."""

from __future__ import annotations

import functools

import numpy as np

from recognizer import imaging
from recognizer.imaging.strokes import render
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place


@functools.lru_cache(maxsize=128)
def mirrored_png(digit: int, time: int = 0) -> bytes:
    """Return the PNG of a digit written mirrored, black on white, 280 px.

    The slant and the width of a digit differ a little for each ``time``.
    """
    rng = np.random.default_rng(time)
    angle, slant, stretch = rng.normal(0, 0.06), rng.normal(0, 0.08), np.exp(rng.normal(0, 0.08))
    style = np.array([[np.cos(angle), slant - np.sin(angle)], [np.sin(angle), stretch]])
    strokes = generate_digit(digit, np.random.default_rng(0))
    turned = [stroke * [-1, 1] @ style.T for stroke in strokes]
    return imaging.encode_png(render(place(turned, canvas=280, size=0.6), canvas=280, brush=20))
