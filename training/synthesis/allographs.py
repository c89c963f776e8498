"""Handwritten digits, with several allographs (ways to write it) of each.

Allographs and their frequencies come from the pen strokes of 24 writers (Alpaydin and Alimoglu
1998); some that those writers do not use (slashed 0, European 1, two-circle 8 ...) were added.
allographs.txt has the drawings and the weight of each allograph, its relative frequency.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.synthesis.handwriting import Stroke, Variation, read_figures, write

_VARIATIONS = {
    "free": Variation(),
    "careful": Variation(lean=(-18.0, 26.0), turn=(-9.0, 9.0), tilt=(-20.0, 28.0), wobble=0.8),
    "upright": Variation(lean=(-14.0, 22.0), turn=(-8.0, 8.0), tilt=(-15.0, 24.0)),
    # Already slanted as drawn; slanted further it would be a horizontal line.
    "slanted": Variation(lean=(-4.0, 14.0), turn=(-6.0, 6.0), tilt=(-6.0, 14.0)),
    # A narrower 0 would be a 1.
    "narrow": Variation(tilt=(-24.0, 30.0), widen=0.06),
    # A 1 with a horizontal flag would be a 7.
    "flagged": Variation(lean=(-14.0, 24.0), turn=(-12.0, 3.0), tilt=(-20.0, 15.0), sharp=0.6),
    # A 1 with a long flag that leans to the left would look like a roof.
    "long_flagged": Variation(lean=(-3.0, 22.0), turn=(-5.0, 3.0), tilt=(-5.0, 15.0), sharp=0.6),
    # A 1 whose flag starts as high as its stem, or whose stem slants, would be a 7.
    "drooping": Variation(
        lean=(-10.0, 9.0), turn=(-8.0, 2.0), tilt=(-11.0, 8.0), widen=0.1, wobble=0.9, sharp=0.4
    ),
    # A 1 with a wide flag and a wide hook would be a 3.
    "hooked": Variation(
        lean=(-8.0, 18.0), turn=(-8.0, 0.0), tilt=(-14.0, 12.0), wobble=0.6, sharp=0.7
    ),
    # A closed 4 that leans to the left would be an A.
    "standing": Variation(lean=(-2.0, 26.0), turn=(-5.0, 9.0), tilt=(-3.0, 28.0), wobble=0.8),
    # A one-stroke 4 without corners would be a 9.
    "angular": Variation(
        lean=(-10.0, 26.0), turn=(-9.0, 9.0), tilt=(-12.0, 28.0), wobble=0.8, sharp=0.7
    ),
    # A narrow 7, or one rotated to the left, would be a 1 with a flag.
    "seven": Variation(
        lean=(-6.0, 26.0), turn=(-5.0, 9.0), tilt=(-6.0, 28.0), widen=0.07, wobble=0.8
    ),
}

# digit -> allograph -> (weight, figure)
_FIGURES = {
    int(digit): styles
    for digit, styles in read_figures(Path(__file__).with_suffix(".txt"), _VARIATIONS).items()
}

ALLOGRAPHS: dict[int, tuple[str, ...]] = {
    digit: tuple(styles) for digit, styles in _FIGURES.items()
}
_ODDS = {
    digit: np.cumsum([weight for weight, _ in styles.values()])
    / sum(weight for weight, _ in styles.values())
    for digit, styles in _FIGURES.items()
}
_REVERSIBLE = {(0, "closed"), (0, "open"), (0, "narrow"), (0, "round"), (8, "figure")}


def generate_digit(
    digit: int, rng: np.random.Generator, *, allograph: str | None = None
) -> list[Stroke]:
    """Return pen strokes of a handwritten digit, each float64 (n, 2), n >= 2, x right and y down.

    The longer side of the digit is 1, and its centre (.5, .5). ``allograph`` is one of
    ``ALLOGRAPHS[digit]``, by default a random one, weighted by frequency. Raises ``ValueError`` for
    an unknown digit or allograph.
    """
    if digit not in _FIGURES:
        raise ValueError(f"a digit is 0 to 9, not {digit!r}")
    if allograph is None:
        allograph = ALLOGRAPHS[digit][int(np.searchsorted(_ODDS[digit], rng.random()))]
    elif allograph not in _FIGURES[digit]:
        raise ValueError(f"{digit} has no allograph {allograph!r}: {ALLOGRAPHS[digit]}")
    strokes = write(_FIGURES[digit][allograph][1], rng)
    if (digit, allograph) in _REVERSIBLE and rng.random() < 0.25:
        strokes = [stroke[::-1].copy() for stroke in strokes]
    return strokes
