"""The digits as people write them: several allographs each, after real pen digits and by hand.

Which styles exist and how often was looked up in the pen strokes of 24 writers (Alpaydin and
Alimoglu 1998); what those writers lack (slashed 0, European 1, two-circle 8 ...) was added.
The drawings stand in allographs.txt, each allograph with its weight: how often it is written
when none is asked for. Rare ones stay rare, but every one occurs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.synthesis.handwriting import Manner, Stroke, read_figures, write

_MANNERS = {
    "free": Manner(),
    "careful": Manner(lean=(-18.0, 26.0), turn=(-9.0, 9.0), tilt=(-20.0, 28.0), wobble=0.8),
    "upright": Manner(lean=(-14.0, 22.0), turn=(-8.0, 8.0), tilt=(-15.0, 24.0)),
    # Already slanted as drawn: with more it is a line across.
    "slanted": Manner(lean=(-4.0, 14.0), turn=(-6.0, 6.0), tilt=(-6.0, 14.0)),
    # A 0 made narrower still is a 1.
    "narrow": Manner(tilt=(-24.0, 30.0), widen=0.06),
    # A 1 whose flag comes to lie flat is a 7.
    "flagged": Manner(lean=(-14.0, 24.0), turn=(-12.0, 3.0), tilt=(-20.0, 15.0), sharp=0.6),
    # A long flag on a 1 that leans to the left is a roof.
    "long_flagged": Manner(lean=(-3.0, 22.0), turn=(-5.0, 3.0), tilt=(-5.0, 15.0), sharp=0.6),
    # With a wide flag and a wide hook a 1 is a 3.
    "hooked": Manner(
        lean=(-8.0, 18.0), turn=(-8.0, 0.0), tilt=(-14.0, 12.0), wobble=0.6, sharp=0.7
    ),
    # A closed 4 that leans to the left is an A.
    "standing": Manner(lean=(-2.0, 26.0), turn=(-5.0, 9.0), tilt=(-3.0, 28.0), wobble=0.8),
    # A one-stroke 4 without its corners is a 9.
    "angular": Manner(
        lean=(-10.0, 26.0), turn=(-9.0, 9.0), tilt=(-12.0, 28.0), wobble=0.8, sharp=0.7
    ),
    # A 7 that is narrow or turned to the left is a 1 with its flag.
    "seven": Manner(lean=(-6.0, 26.0), turn=(-5.0, 9.0), tilt=(-6.0, 28.0), widen=0.07, wobble=0.8),
}

# digit -> allograph -> (weight, figure)
_FIGURES = {
    int(digit): styles
    for digit, styles in read_figures(Path(__file__).with_suffix(".txt"), _MANNERS).items()
}

ALLOGRAPHS: dict[int, tuple[str, ...]] = {
    digit: tuple(styles) for digit, styles in _FIGURES.items()
}
_ODDS = {
    digit: np.cumsum([weight for weight, _ in styles.values()])
    / sum(weight for weight, _ in styles.values())
    for digit, styles in _FIGURES.items()
}
_EITHER_WAY = {(0, "closed"), (0, "open"), (0, "narrow"), (0, "round"), (8, "figure")}


def generate_digit(
    digit: int, rng: np.random.Generator, *, allograph: str | None = None
) -> list[Stroke]:
    """Pen strokes of one handwritten digit, each float64 (n, 2), n >= 2, x right and y down.

    The digit fills a box of longer side 1 about (.5, .5) and keeps its own aspect ratio.
    ``allograph`` asks for one of ``ALLOGRAPHS[digit]``; without it one is drawn by frequency.
    Raises ValueError for a digit or an allograph that does not exist.
    """
    if digit not in _FIGURES:
        raise ValueError(f"a digit is 0 to 9, not {digit!r}")
    if allograph is None:
        allograph = ALLOGRAPHS[digit][int(np.searchsorted(_ODDS[digit], rng.random()))]
    elif allograph not in _FIGURES[digit]:
        raise ValueError(f"{digit} has no allograph {allograph!r}: {ALLOGRAPHS[digit]}")
    strokes = write(_FIGURES[digit][allograph][1], rng)
    if (digit, allograph) in _EITHER_WAY and rng.random() < 0.25:
        strokes = [stroke[::-1].copy() for stroke in strokes]
    return strokes
