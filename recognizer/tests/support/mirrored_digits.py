"""A hand that writes every digit the wrong way round: what no network was taught."""

from __future__ import annotations

import functools

import numpy as np

from recognizer import imaging
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place, render


@functools.lru_cache(maxsize=128)
def mirrored_png(digit: int, time: int = 0) -> bytes:
    """Return the PNG of a digit written mirrored, black on white, 280 px.

    It is one hand: the next ``time`` the digit leans and stretches a little otherwise.
    """
    rng = np.random.default_rng(time)
    angle, slant, stretch = rng.normal(0, 0.06), rng.normal(0, 0.08), np.exp(rng.normal(0, 0.08))
    hand = np.array([[np.cos(angle), slant - np.sin(angle)], [np.sin(angle), stretch]])
    strokes = generate_digit(digit, np.random.default_rng(0))
    turned = [stroke * [-1, 1] @ hand.T for stroke in strokes]
    return imaging.encode_png(render(place(turned, canvas=280, size=0.6), canvas=280, brush=20))
