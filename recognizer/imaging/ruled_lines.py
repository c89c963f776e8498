"""The lines of ruled and squared paper: found across a photo, and removed.

A line is found by a discrete Radon transform in N^2 log N steps (Brady, "A fast discrete
approximation algorithm for the Radon transform", SIAM J. Computing 27(1), 1998), followed where
it bends (phones are tilted, pages are not flat), and measured: how dark it is
at its middle and up to 3 px beside it. Where ink crosses it nothing is removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_STRONGEST = 40  # px: as many as the smallest readable digit has at least
_STEEPEST = 0.36  # slope of ruled lines: fifteen degrees of rotation, and some perspective
_ACROSS = 0.7  # share of a ruled line's length that must be dark
_MANY = 4  # lines across the frame: no digit has that many, however dark they are
_ALONE = 0.5  # of the strongest ink: a single line is lighter
_LINE_REACH = 3  # px either side of a ruled line's middle that it may cover
_FADED = 0.6  # of a line's darkness that is left there: more, and it is a stroke in a tight crop


@dataclass(frozen=True)
class _Line:
    """A ruled line: its rows at each column of the frame, and how dark it is around them."""

    rows: Floats
    profile: Floats


def ruling(dark: Floats) -> tuple[Floats, int]:
    """Return how much ruled lines darken each px, (h, w), 0 where there is none; and how many
    lines there are.
    """
    layer = np.zeros_like(dark)
    strongest = strongest_of(dark)
    count = 0
    for turned, shown in ((dark, layer), (dark.T, layer.T)):
        found = _lines(turned, strongest)
        _draw(found, shown)
        count += _distinct(found)
    # Where ink crosses a line, there is more than the line: nothing is removed there.
    ink = np.clip((dark - 1.25 * layer) / np.maximum(0.5 * layer, 0.01), 0, 1)
    taken: Floats = np.where(layer > 0, dark * (1 - ink), 0)
    return taken, count


def _distinct(lines: list[_Line]) -> int:
    """Count lines; one that bends may have been found several times."""
    middles = np.sort([float(line.rows[line.rows.size // 2]) for line in lines])
    return int(bool(lines)) + int((np.diff(middles) > 2 * _LINE_REACH).sum())


def _lines(dark: Floats, strongest: float) -> list[_Line]:
    """Find the lines that run from left to right across the whole frame."""
    width = dark.shape[1]
    level = max(0.1 * strongest, 2 * noise(dark))
    mask = dark > level
    thick = mask.copy()
    thick[1:] |= mask[:-1]
    thick[:-1] |= mask[1:]
    shares, start = _radon(thick)
    found: list[_Line] = []
    columns = np.arange(width, dtype=np.float32)
    slopes = np.arange(shares.shape[0])
    for _ in range(150):
        best = int(shares.argmax())
        row, slope = best % shares.shape[1], best // shares.shape[1]
        if shares[slope, row] < _ACROSS:
            break
        # Ignore this line, and those that differ from it by less than three px at either end.
        for other in slopes[max(0, slope - 8) : slope + 9]:
            low = max(0, row - 4 - max(0, int(other) - int(slope)))
            high = row + 5 + max(0, int(slope) - int(other))
            shares[other, low:high] = 0
        bend = slope - shares.shape[0] // 2
        rows = start + row + columns * np.float32(bend / (_power(width) - 1))
        line = _trace(dark, rows)
        if line is not None:
            found.append(line)
    darkness = np.array([line.profile.max() for line in found])
    limit = 0.75 * strongest
    if len(found) < 2:
        # No other line is parallel to it: it may be a stroke across a tight crop.
        limit = _ALONE * strongest
    if len(found) >= _MANY:
        # On a page without ink the lines themselves are the strongest.
        limit = max(limit, 1.6 * float(np.median(darkness)))
    return [line for line, own in zip(found, darkness, strict=True) if own < limit]


def _power(width: int) -> int:
    return 1 << (width - 1).bit_length()


def _radon(mask: Mask) -> tuple[Floats, int]:
    """Return the share of ink along each straight line across a mask, left to right.

    Element (m + s, r) stands for the line that enters at row ``r + start`` and leaves s rows
    further down (of a width rounded up to a power of two); m is the steepest s. Lines of which
    less than a third lies inside the frame have a share of 0. Returns shares and ``start``.
    """
    width = mask.shape[1]
    down, lengths, pad = _sums(mask)
    up, _, _ = _sums(mask[::-1])
    # A line that falls by s from row r in the picture rises by s in its mirror image.
    mirrored = up[:, ::-1]
    sums = np.concatenate((mirrored[:0:-1], down))
    counts = np.concatenate((lengths[:0:-1, ::-1], lengths))
    shares: Floats = np.where(counts >= width / 3, sums / np.maximum(counts, 1), 0)
    return shares.astype(np.float32), -pad


def _sums(mask: Mask) -> tuple[Floats, Floats, int]:
    """Sum a mask along all lines that fall by 0 to m rows: sums and lengths (m + 1, rows)."""
    height, width = mask.shape
    side = _power(width)
    pad = int(_STEEPEST * side) + 1
    rows = height + 2 * pad
    sums = np.zeros((side, 1, rows), np.int16)
    sums[:width, 0, pad : pad + height] = mask.T
    lengths = np.zeros((side, 1, rows), np.int16)
    lengths[:width, 0, pad : pad + height] = 1
    both = np.stack((sums, lengths))
    span = 1
    while span < side:
        span *= 2
        steepest = min(int(_STEEPEST * span) + 1, span - 1)
        left, right = both[:, 0::2], both[:, 1::2]
        merged = np.zeros((2, side // span, steepest + 1, rows), np.int16)
        for slope in range(steepest + 1):
            half, shift = slope // 2, (slope + 1) // 2
            half = min(half, left.shape[2] - 1)
            merged[:, :, slope] = left[:, :, half]
            merged[:, :, slope, : rows - shift] += right[:, :, half, shift:]
        both = merged
    return both[0, 0].astype(np.float32), both[1, 0].astype(np.float32), pad


def _trace(dark: Floats, rows: Floats) -> _Line | None:
    """Follow a line that was found roughly: fit its bend, and measure its profile."""
    height, width = dark.shape
    reach = _LINE_REACH
    inside = np.flatnonzero((rows >= reach) & (rows <= height - 1 - reach))
    if len(inside) < max(32, width // 4):
        return None
    offsets = np.arange(-reach, reach + 1)
    for _ in range(2):
        near = np.rint(rows).astype(np.int64)
        window = dark[np.clip(near[inside] + offsets[:, None], 0, height - 1), inside]
        window = np.minimum(np.maximum(window, 0), 2 * max(float(np.median(window.max(0))), 1e-3))
        parts = len(inside) // 32
        used = parts * 32
        middles = inside[:used].reshape(parts, 32).mean(1)
        weight = np.median(window[:, :used].reshape(-1, parts, 32), axis=2)
        total = weight.sum(0)
        if not total.any():
            return None
        middles = middles / width
        shift = (offsets @ weight) / np.maximum(total, 1e-6)
        exact = (near - rows)[inside[:used]].reshape(parts, 32).mean(1)
        degree = min(2, parts // 4)
        bend = np.polyfit(middles, shift + exact, degree, w=np.sqrt(total + 0.01 * total.max()))
        rows = rows + np.clip(np.polyval(bend, np.arange(width) / width), -reach, reach).astype(
            np.float32
        )
    near = np.rint(rows).astype(np.int64)
    samples = np.clip(near + offsets[:, None], 0, height - 1)
    window = dark[samples[:, inside], inside]
    profile = np.maximum(np.median(window, axis=1), 0).astype(np.float32)
    strongest = float(profile.max())
    if max(profile[0], profile[-1]) > _FADED * strongest:
        return None
    along = window[reach - 1 : reach + 2].max(0)
    end = max(4, len(along) // 16)
    if min(float(np.median(along[:end])), float(np.median(along[-end:]))) < 0.3 * strongest:
        return None
    return _Line(rows, profile)


def _draw(lines: list[_Line], layer: Floats) -> None:
    """Lay lines over a layer of darkness (h, w), which they darken further."""
    height, width = layer.shape
    columns = np.arange(width)
    for line in lines:
        near = np.rint(line.rows).astype(np.int64)
        for offset, dark in enumerate(line.profile):
            at = near + offset - _LINE_REACH
            seen = (at >= 0) & (at < height)
            covered = layer[at[seen], columns[seen]]
            layer[at[seen], columns[seen]] = 1 - (1 - covered) * (1 - dark)


def strongest_of(dark: Floats) -> float:
    """Return the darkness that the darkest 40 px reach."""
    flat = dark.ravel()
    if flat.size <= _STRONGEST:
        return float(flat.max())
    return float(np.partition(flat, -_STRONGEST)[-_STRONGEST])


def noise(dark: Floats) -> float:
    """Return the standard deviation of the paper's noise, from the median deviation."""
    sample = dark[::2, ::2]
    return 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
