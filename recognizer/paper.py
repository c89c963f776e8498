"""From a photo of paper to ink on clean paper: uneven light, shadows, noise and ruling taken away.

A drawing made on a screen never comes here: its paper is of one grey, which no photo's is
(``is_photo``). A photo goes through four steps, each on the stored picture of at most 512 px:

1. *Light.* A morphological closing with a square wider than any stroke is what the paper would
   look like without ink: it fills what is dark and narrow, and leaves as they are gradients and
   the edge of a shadow, dark on one side only (the "black top-hat"; Serra, "Image Analysis and
   Mathematical Morphology", 1982). The picture divided by it is what the page reflects.
2. *Ruling.* Lines right across the frame and lighter than the ink are found by a discrete Radon
   transform in N^2 log N steps (Brady, "A fast discrete approximation algorithm for the Radon
   transform", SIAM J. Computing 27(1), 1998) and taken away, but not where ink crosses them.
3. *Ink.* What remains is measured against the strongest ink near by, after the idea of Sauvola
   and Pietikäinen ("Adaptive document image binarization", Pattern Recognition 33(2), 2000),
   and kept where it holds together with strong ink (hysteresis; Canny 1986).
4. *Specks.* Pieces too small to be part of the writing are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognizer.decoding import BlankDrawing, Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

_MIN_SIDE = 64  # a photo of a digit smaller than that shows no paper to speak of
_PAPER_SPREAD = 12  # grey levels around the commonest one that still are paper
_ONE_GREY = (
    0.4  # share of the paper with exactly the commonest grey: drawings 0.54-1, photos 0.1-0.25
)
_MIN_MIXED_SIDE = 256  # px: in a smaller JPEG, the fringes of strokes have many greys too
_MIN_REST = 0.35  # of the picture
_ONE_GREY_OF_REST = 0.2
_WIDEST = 0.12  # of the frame's longer side: wider than any stroke
_LEAST_LIGHT = np.float32(32)  # grey levels
_FAINTEST = 0.06  # ink darkens the paper at least by this share
_STRONGEST = 40  # px: as many as the smallest readable digit has at least
_STEEPEST = 0.36  # slope of ruled lines: fifteen degrees of rotation, and some perspective
_ACROSS = 0.7  # share of a ruled line's length that must be dark
_MANY = 4  # lines right across the frame: no digit has so many, however dark they are
_LINE_REACH = 3  # px either side of a ruled line's middle that it may cover


def is_photo(grey: Pixels) -> bool:
    """Tell a photo from a drawing made on a screen, both grey uint8 (h, w).

    On a screen the paper has one grey, in a photo it has many. Where a photo is overexposed, or
    evenly dark in a shadow, part of it has one grey too; then it is the rest that tells. Small
    images are never photos. Looks at some 4,000 px, which takes 30 microseconds.
    """
    if min(grey.shape) < _MIN_SIDE:
        return False
    step = max(1, max(grey.shape) // 64)
    counts = np.bincount(grey[::step, ::step].ravel(), minlength=256)
    total = int(counts.sum())
    if _take_commonest(counts) < _ONE_GREY:
        return True
    if max(grey.shape) < _MIN_MIXED_SIDE or counts.sum() < _MIN_REST * total:
        return False
    return _take_commonest(counts) < _ONE_GREY_OF_REST


def _take_commonest(counts: Indices) -> float:
    """Take the commonest grey and its neighbours out of a histogram; return its share of them."""
    commonest = int(counts.argmax())
    near = slice(max(0, commonest - _PAPER_SPREAD), commonest + _PAPER_SPREAD + 1)
    share = float(counts[commonest] / counts[near].sum())
    counts[near] = 0
    return share


def flatten(grey: Pixels) -> Pixels:
    """Return a photo's ink on white paper: grey uint8 (h, w) to the same, paper exactly 255.

    Raises ``BlankDrawing`` where the paper shows no ink.
    """
    dark = _darkness(grey, round(_WIDEST * max(grey.shape)))
    dark = np.maximum(dark - _ruling(dark), 0)
    return np.rint(255 * (1 - _ink(dark))).astype(np.uint8)


# --- light --------------------------------------------------------------------------------------


def _darkness(grey: Pixels, widest: int) -> Floats:
    """Return the share of the light that each px lacks beside its paper: (h, w), 0 on paper.

    ``widest`` is the side, in px, of the square that covers any stroke.
    """
    # The closing keeps the lightest of a neighbourhood: without smoothing, that is its noise.
    smooth = np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(1)))
    # Outside the frame all is dark, and a square may reach there: where the edge of a shadow
    # leaves the frame, the wedge between them is as much paper as the rest.
    padded = np.pad(smooth, 2 * (widest - 1))
    # Two px more in the second step, for the smoothing has widened the edges of shadows.
    paper = _running(_running(padded, widest, np.maximum), widest + 2, np.minimum)
    edge = widest - 2
    light = paper[edge : edge + grey.shape[0], edge : edge + grey.shape[1]].astype(np.float32)
    # Where there is next to no light, a step of one grey level must not pass for ink.
    dark: Floats = (light - grey) / np.maximum(light, _LEAST_LIGHT)
    return dark - np.float32(np.median(dark[::2, ::2]))


def _running(image: Pixels, side: int, extreme: np.ufunc) -> Pixels:
    """Return the extreme of each square of ``side`` px, (h, w) to (h - side + 1, w - side + 1).

    Separable, and windows double in width with each step: the work grows with log(side).
    """
    for _ in range(2):
        width = 1
        while width < side:
            step = min(width, side - width)
            image = extreme(image[:-step], image[step:])
            width += step
        image = np.ascontiguousarray(image.T)
    return image


# --- ruling -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """A ruled line: its rows at each column of the frame, and how dark it is around them."""

    rows: Floats
    profile: Floats


def _ruling(dark: Floats) -> Floats:
    """Return how much ruled lines darken each px: (h, w), 0 where there is none."""
    layer = np.zeros_like(dark)
    strongest = _strongest(dark)
    for turned, shown in ((dark, layer), (dark.T, layer.T)):
        found = _lines(turned, strongest)
        _draw(found, shown)
    # Where ink crosses a line, there is more than the line: nothing is taken away there.
    ink = np.clip((dark - 1.25 * layer) / np.maximum(0.5 * layer, 0.01), 0, 1)
    taken: Floats = np.where(layer > 0, dark * (1 - ink), 0)
    return taken


def _strongest(dark: Floats) -> float:
    """Return the darkness that the darkest 40 px reach."""
    flat = dark.ravel()
    if flat.size <= _STRONGEST:
        return float(flat.max())
    return float(np.partition(flat, -_STRONGEST)[-_STRONGEST])


def _lines(dark: Floats, strongest: float) -> list[_Line]:
    """Find the lines that run from left to right across the whole frame."""
    width = dark.shape[1]
    level = max(0.1 * strongest, 2 * _noise(dark))
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
        # Forget this line, and those that differ from it by less than three px at either end.
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
    height, width = mask.shape
    down, lengths, pad = _sums(mask)
    up, _, _ = _sums(mask[::-1])
    # A line that falls by s from row r in the picture rises by s in its mirror image.
    rows = down.shape[1]
    mirrored = np.zeros_like(up)
    for slope in range(1, len(up)):
        mirrored[slope] = up[slope, ::-1]
    sums = np.concatenate((mirrored[:0:-1], down))
    counts = np.concatenate((lengths[:0:-1, ::-1], lengths))
    assert rows == height + 2 * pad
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
        pieces = len(inside) // 32
        used = pieces * 32
        middles = inside[:used].reshape(pieces, 32).mean(1)
        weight = np.median(window[:, :used].reshape(-1, pieces, 32), axis=2)
        total = weight.sum(0)
        if not total.any():
            return None
        middles = middles / width
        shift = (offsets @ weight) / np.maximum(total, 1e-6)
        exact = (near - rows)[inside[:used]].reshape(pieces, 32).mean(1)
        degree = min(2, pieces // 4)
        bend = np.polyfit(middles, shift + exact, degree, w=np.sqrt(total + 0.01 * total.max()))
        rows = rows + np.clip(np.polyval(bend, np.arange(width) / width), -reach, reach).astype(
            np.float32
        )
    near = np.rint(rows).astype(np.int64)
    samples = np.clip(near + offsets[:, None], 0, height - 1)
    window = dark[samples[:, inside], inside]
    profile = np.maximum(np.median(window, axis=1), 0).astype(np.float32)
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


# --- ink ----------------------------------------------------------------------------------------


def _noise(dark: Floats) -> float:
    """Return the standard deviation of the paper's noise, from the median deviation."""
    sample = dark[::2, ::2]
    return 1.4826 * float(np.median(np.abs(sample - np.median(sample))))


def _ink(dark: Floats) -> Floats:
    """Return ink of 0 to 1, float32 (h, w): exactly 0 on paper and on specks."""
    strongest = _strongest(dark)
    if strongest < max(_FAINTEST, 5 * _noise(dark)):
        raise BlankDrawing
    side = max(dark.shape) // 16 | 1
    levels = np.rint(np.clip(dark, 0, 1) * 255).astype(np.uint8)
    local = np.asarray(
        Image.fromarray(_running(np.pad(levels, side // 2), side, np.maximum)).filter(
            ImageFilter.BoxBlur(side // 2)
        ),
        np.float32,
    )
    relative = dark / np.maximum(local / 255, 0.5 * strongest)
    kept = _written(relative > 0.35, dark > 0.5 * strongest)
    ink: Floats = np.where(_grown(kept), np.clip(relative / 0.9, 0, 1), 0)
    return ink


def _grown(mask: Mask) -> Mask:
    """Return a mask with its neighbours: the smoothed edge of the ink."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


def _written(mask: Mask, strong: Mask) -> Mask:
    """Keep the connected pieces of a mask that hold strong ink and are no specks."""
    rows, columns, piece = components(mask)
    if not len(piece):
        raise BlankDrawing
    count = int(piece.max()) + 1
    area = np.bincount(piece, minlength=count)
    sure = np.bincount(piece, weights=strong[rows, columns], minlength=count) > 0
    extent = np.zeros(count, np.int64)
    cut = np.zeros(count, np.bool_)
    for axis, side in ((rows, mask.shape[0]), (columns, mask.shape[1])):
        low = np.full(count, np.iinfo(np.int64).max)
        high = np.zeros(count, np.int64)
        np.minimum.at(low, piece, axis)
        np.maximum.at(high, piece, axis)
        extent = np.maximum(extent, high - low + 1)
        cut |= (low <= 1) | (high >= side - 2)
    # What the frame cuts is the edge of the page or a ruled line, if there is anything else.
    if (sure & ~cut & (extent >= max(mask.shape) / 32)).any():
        sure &= ~cut
    area = np.where(sure, area, 0)
    largest = int(extent[sure].max(initial=0))
    if largest < max(mask.shape) / 48:
        raise BlankDrawing
    keep = sure & (area >= 0.04 * area.max()) & (extent >= 0.12 * largest)
    kept = np.zeros_like(mask)
    kept[rows, columns] = keep[piece]
    return kept


def components(mask: Mask) -> tuple[Indices, Indices, Indices]:
    """Return rows, columns and piece number (from 0) of each true cell, eight neighbours joined.

    Every cell takes the least number around it, then the number that one has taken, until
    nothing changes (hooking and pointer jumping; Shiloach and Vishkin, "An O(log n) parallel
    connectivity algorithm", J. Algorithms 3(1), 1982).
    """
    rows, columns = np.nonzero(mask)
    number = np.full((mask.shape[0] + 1, mask.shape[1] + 2), -1, np.int64)
    number[rows, columns + 1] = np.arange(len(rows))
    here, there = [], []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = number[rows + down, columns + 1 + right]
        joined = np.flatnonzero(other >= 0)
        here.append(joined)
        there.append(other[joined])
    one, two = np.concatenate(here), np.concatenate(there)
    root = np.arange(len(rows))
    while True:
        least = np.minimum(root[one], root[two])
        before = root.copy()
        np.minimum.at(root, before[one], least)
        np.minimum.at(root, before[two], least)
        root = root[root]
        if np.array_equal(root, before):
            break
    return rows, columns, np.unique(root, return_inverse=True)[1]
