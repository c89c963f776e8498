"""From a photo of paper to ink on clean paper: uneven light, shadows, noise and ruling removed.

A drawing made on a screen is left alone: its paper is of one grey, which no photo's is
(``is_photo``). A photo goes through four steps, each on the stored picture of at most 512 px:

1. *Light.* A morphological closing with a square wider than any stroke is what the paper would
   look like without ink: it fills what is dark and narrow, and does not change gradients
   and the edge of a shadow, dark on one side only (the "black top-hat"; Serra, "Image Analysis and
   Mathematical Morphology", 1982). The picture is divided by it.
2. *Ruling.* Lines right across the frame and lighter than the ink are removed (``ruled_lines``).
3. *Ink.* What remains is compared with the strongest ink nearby, after the idea of Sauvola
   and Pietikäinen ("Adaptive document image binarization", Pattern Recognition 33(2), 2000),
   and kept where it is connected with strong ink (hysteresis; Canny 1986).
4. *Specks.* Pieces too small to be part of the writing are dropped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognizer.imaging.borders import inside_bands
from recognizer.imaging.decoding import BlankDrawing, Pixels
from recognizer.imaging.ink import grown
from recognizer.imaging.ruled_lines import noise, ruling, strongest_of
from recognizer.imaging.specks import pieces

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

_MIN_SIDE = 64  # a photo of a digit smaller than that shows hardly any paper
_PAPER_SPREAD = 12  # grey levels around the commonest one that still are paper
_ONE_GREY = (
    0.4  # share of the paper that has one grey: 0.54 to 1 in drawings, 0.1 to 0.25 in photos
)
_MIN_MIXED_SIDE = 256  # px: in a smaller JPEG, the fringes of strokes have many greys too
_MIN_REST = 0.35  # of the picture
_ONE_GREY_OF_REST = 0.28
_ONE_GREY_OF_TABLE = 0.9  # share of an evenly dark table that has one grey
_LEAST_REST = 0.1  # of the picture, beside a table
_WIDEST = 0.12  # of the frame's longer side: wider than most strokes
_WIDEST_OF_ALL = 0.4  # of the frame's longer side: wider than a felt pen's in a tight crop
_SHADOW = 0.4  # of the light around it: no shadow on paper is darker
_COARSE = 128  # px
# the ground's reach, of the frame's longer side, and how many times as strong light ink is
_AROUND_AND_CLEARLY = (0.25, 1.8), (0.05, 2.5)
_COARSE_STROKES = 192  # px
_NARROW = 0.04  # of the frame's longer side: as narrow as thin strokes are
_STRONG = 0.35  # of the strongest
_CLEARLY_INK = 24  # grey levels
_FURTHER = 1.7  # times the area of the box around what is dark
_LEAST_BOX = 0.04  # of the frame: a smaller box is no digit that a shadow crosses
_LEAST_LIGHT = np.float32(32)  # grey levels
_INK_TO_LINES = 1.1  # ink is darker than ruled lines
_CUT = 0.5  # of what the frame cuts
_BESIDE = 0.15  # of the largest piece: how far another stroke of the digit may be
_PART = 0.3  # of the largest piece: smaller, and it is the rest of other writing
_FAINTEST = 0.06  # ink darkens the paper at least by this share


def is_photo(grey: Pixels) -> bool:
    """Whether grey uint8 (h, w) is a photo, not a drawing made on a screen.

    On a screen the paper has one grey, in a photo it has many. Where a photo is overexposed, or
    evenly dark in a shadow, part of it has one grey too; then the rest decides. Small
    images are never photos. Looks at some 4,000 px, which takes 30 microseconds.
    """
    if min(grey.shape) < _MIN_SIDE:
        return False
    step = max(1, max(grey.shape) // 64)
    counts = np.bincount(grey[::step, ::step].ravel(), minlength=256)
    total = int(counts.sum())
    share = _take_commonest(counts)
    if share < _ONE_GREY:
        return True
    if max(grey.shape) < _MIN_MIXED_SIDE or counts.sum() < _LEAST_REST * total:
        return False
    if counts.sum() >= _MIN_REST * total and _take_commonest(counts) < _ONE_GREY_OF_REST:
        return True
    if share > _ONE_GREY_OF_TABLE:
        return False
    paper = grey[inside_bands(grey)]
    return paper.size < grey.size and is_photo(paper)


def _take_commonest(counts: Counts) -> float:
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
    inside = inside_bands(grey)
    part = grey[inside]
    if _ink_is_light(part):
        part = 255 - part
    dark = _darkness(part)
    dark = _without_ruling(dark)
    flat = np.full(grey.shape, 255, np.uint8)
    flat[inside] = np.rint(255 * (1 - _ink(dark)))
    return flat


def _without_ruling(dark: Floats) -> Floats:
    """Return darkness, (h, w), without ruled lines. Raises ``BlankDrawing`` if no ink is left."""
    lines, count = ruling(dark)
    rest: Floats = np.maximum(dark - lines, 0)
    if count > 1 and strongest_of(rest) < _INK_TO_LINES * strongest_of(lines):
        # Parts of the lines that bend too much, or are hardly in the frame.
        raise BlankDrawing
    return rest


def _ink_is_light(grey: Pixels) -> bool:
    """Whether a photo, (h, w), shows light ink: on a chalkboard, a dark screen, an inverted scan.

    Ink is rare and strong, so it deviates more from the ground, which is what lies around each px
    on the average, than anything does to the other side. Of thick strokes a wide ground shows more,
    of thin ones a narrow one. The edges of shadows deviate as much to either side; where neither is
    clearly stronger, it counts how far the strokes extend.
    """
    factor = max(1, max(grey.shape) // _COARSE)
    small = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).reduce(factor))
    for share, clearly in _AROUND_AND_CLEARLY:
        reach = max(1, min(round(share * max(small.shape)), min(small.shape) - 1))
        # Reflected, a dark line along the border stays a line.
        padded = Image.fromarray(np.pad(small, reach, "reflect"))
        ground = np.asarray(padded.filter(ImageFilter.BoxBlur(reach)), np.float32)
        deviation = small - ground[reach:-reach, reach:-reach]
        if float(deviation.max()) > clearly * max(1.0, -float(deviation.min())):
            return True
    return _light_extends_further(grey)


def _light_extends_further(grey: Pixels) -> bool:
    """Whether what is narrow and light lies around what is narrow and dark in a photo, (h, w).

    Between the strokes the paper is narrow too, but only there: it lies within the box around
    the ink. The edge of a shadow is narrow on neither side.
    """
    smooth = Image.fromarray(np.ascontiguousarray(grey)).reduce(
        max(1, max(grey.shape) // _COARSE_STROKES)
    )
    small = np.asarray(smooth.filter(ImageFilter.BoxBlur(1)))
    narrow = [
        _paper(side, max(3, round(_NARROW * max(small.shape)))) - side
        for side in (small, 255 - small)
    ]
    strongest = max(strongest_of(depth) for depth in narrow)
    if strongest < _CLEARLY_INK:
        return False
    dark, light = (_box_area(depth > _STRONG * strongest) for depth in narrow)
    return light > _FURTHER * max(_LEAST_BOX * small.size, dark)


def _box_area(mask: Mask) -> int:
    """Return the area of the box around a mask's px."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1) if rows.size else 0


# --- light --------------------------------------------------------------------------------------


def _darkness(grey: Pixels) -> Floats:
    """Return the share of the light that each px lacks beside its paper: (h, w), 0 on paper."""
    # The closing keeps the lightest of a neighbourhood: without smoothing, that is its noise.
    smooth = np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(1)))
    side = max(grey.shape)
    light = _paper(smooth, round(_WIDEST * side))
    # Where that is still much darker than what lies around it, a wide stroke is left: a shadow
    # keeps more of the light.
    if light.min() < _SHADOW * smooth.max():
        wide = _paper(smooth, round(_WIDEST_OF_ALL * side))
        light = np.where(light < _SHADOW * wide, wide, light)
    # Where there is next to no light, a step of one grey level must not count as ink.
    dark: Floats = (light - grey) / np.maximum(light, _LEAST_LIGHT)
    return dark - np.float32(np.median(dark[::2, ::2]))


def _paper(smooth: Pixels, widest: int) -> Floats:
    """Return a photo, (h, w), without what is dark and narrower than ``widest`` px: a closing."""
    # Outside the frame all is dark, and a square may reach there: where the edge of a shadow
    # leaves the frame, the wedge between them is as much paper as the rest.
    padded = np.pad(smooth, 2 * (widest - 1))
    # Two px more in the second step, for the smoothing has widened the edges of shadows.
    paper = _running(_running(padded, widest, np.maximum), widest + 2, np.minimum)
    edge, (height, width) = widest - 2, smooth.shape
    return paper[edge : edge + height, edge : edge + width].astype(np.float32)


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


# --- ink ----------------------------------------------------------------------------------------


def _ink(dark: Floats) -> Floats:
    """Return ink of 0 to 1, float32 (h, w): exactly 0 on paper and on specks."""
    strongest = strongest_of(dark)
    if strongest < max(_FAINTEST, 5 * noise(dark)):
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
    ink: Floats = np.where(grown(kept), np.clip(relative / 0.9, 0, 1), 0)
    return ink


def _written(mask: Mask, strong: Mask) -> Mask:
    """Keep the connected pieces of a mask that hold strong ink and are no specks."""
    found = pieces(mask)
    rows, starts, stops, piece = found.rows, found.starts, found.stops, found.piece
    if not len(piece):
        raise BlankDrawing
    count = int(piece.max()) + 1
    strong_before = np.pad(np.cumsum(strong.ravel()), (1, 0))
    row_start = rows * mask.shape[1]
    strong_area = strong_before[row_start + stops] - strong_before[row_start + starts]
    sure = np.bincount(piece, strong_area) > 0
    extent = np.zeros(count, np.int64)
    cut = np.zeros(count, np.bool_)
    boxes: list[tuple[Counts, Counts]] = []
    for first, last, side in ((rows, rows + 1, mask.shape[0]), (starts, stops, mask.shape[1])):
        low, high = np.full(count, side), np.zeros(count, np.int64)
        np.minimum.at(low, piece, first)
        np.maximum.at(high, piece, last)
        extent = np.maximum(extent, high - low)
        cut |= (low <= 1) | (high >= side - 1)
        boxes.append((low, high))
    # What the frame cuts is the edge of the page, a ruled line or other writing, unless it is the
    # largest there is, for then the picture is cropped tightly, or a stroke beside that.
    whole = np.where(sure & ~cut, extent, 0)
    largest = int(whole.argmax())
    if whole[largest] >= _CUT * extent[sure & cut].max(initial=0):
        near = _BESIDE * whole[largest]
        beside = np.ones(count, np.bool_)
        for begin, end in boxes:
            beside &= (begin < end[largest] + near) & (end > begin[largest] - near)
        sure &= ~cut | (beside & (extent <= whole[largest]) & (extent > _PART * whole[largest]))
    area = np.where(sure, found.area, 0)
    longest = int(extent[sure].max(initial=0))
    if longest < max(mask.shape) / 48:
        raise BlankDrawing
    keep = sure & (area >= 0.04 * area.max()) & (extent >= 0.12 * longest)
    return found.erase(mask, ~keep)
