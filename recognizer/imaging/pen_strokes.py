"""A drawing sent as pen strokes: checked, packed for storage, and drawn as the page draws it.

As JSON it is ``{"strokes": [[[x, y, time, pressure], ...], ...], "width": w, "size": [w, h]}``.
``x`` goes to the right and ``y`` down, both in the unit of ``size``, the canvas. ``time`` is in
milliseconds, and ``pressure`` from 0 to 1; both may be missing. ``width`` is that of the brush at
a pressure of 0.5, or a list with one for each stroke. ``erasers`` lists the indexes of the strokes
that erase what was drawn before them.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognizer.imaging.drawing import STORED_SIDE, Drawing
from recognizer.imaging.errors import MIN_CONTRAST, BlankDrawing, ImageError, gettext_noop
from recognizer.imaging.grey import Pixels
from recognizer.imaging.strokes import paint

UNITS = 2048
"""Coordinates are rounded to this fraction of the canvas' longer side: a quarter of a px drawn."""

MAX_STROKES = 64
MAX_POINTS = 10_000
MAX_SIDE = 4096
MAX_PACKED = 256 * 1024
"""Bytes; 10,000 random points with times and pressures need half of it."""

PLAIN_PRESSURE = 0.5
"""Of a mouse, and of a point that is sent without pressure."""

_DEFAULT_WIDTH = 1 / 14  # of the longer side: the brush of 20 px on 280 px
_WIDEST = 1 / 4  # of the longer side
_MOST_ELONGATED = 8  # longer side to shorter side
_DAY = 24 * 3600 * 1000  # in ms

# As in static/recognizer/draw/canvas/paint.js: the width at no pressure, and how it grows.
_LEAST_WIDTH = 0.4
_PRESSURE_RANGE = 1.2

_FINER = 3  # times the size that is stored
_MOST_CURVE_POINTS = MAX_POINTS


class StrokesError(ImageError):
    """The strokes can't be used; ``field`` names the part that is wrong."""

    code = "invalid_strokes"
    field: ClassVar[str] = "strokes"
    text = gettext_noop(
        "Send the strokes as a list of strokes, each a list of points: [x, y], [x, y, time] or "
        "[x, y, time, pressure]."
    )


class EmptyStrokes(StrokesError):
    code = "empty_strokes"
    text = gettext_noop("A drawing needs at least one stroke, and each stroke at least one point.")


class TooManyStrokes(StrokesError):
    code = "too_many_strokes"
    text = gettext_noop("Send at most {strokes} strokes and {points} points, or send a picture.")
    limits: ClassVar[Mapping[str, int]] = {"strokes": MAX_STROKES, "points": MAX_POINTS}


class BadPoint(StrokesError):
    code = "invalid_point"
    text = gettext_noop(
        "In a point [x, y, time, pressure], x and y must be numbers, the time milliseconds or "
        "null, and the pressure from 0 to 1 or null."
    )


class OutsideCanvas(StrokesError):
    code = "outside_canvas"
    text = gettext_noop(
        "A point is too far outside the canvas. Points are in the unit of the size; a pen may "
        "leave the canvas by its longer side at most."
    )


class BadTimes(StrokesError):
    code = "invalid_times"
    text = gettext_noop("Times are in milliseconds, and a drawing may take a day at most.")


class BlankStrokes(StrokesError):
    code = BlankDrawing.code
    text = BlankDrawing.text


class BadWidth(StrokesError):
    code = "invalid_width"
    field = "width"
    text = gettext_noop(
        "The width of the brush must be a number above 0 and at most a quarter of the canvas' "
        "longer side, or a list with one for each stroke."
    )


class BadSize(StrokesError):
    code = "invalid_size"
    field = "size"
    text = gettext_noop(
        "The size of the canvas must be [width, height], both from 1 to {side}, and one at most "
        "{times} times the other."
    )
    limits: ClassVar[Mapping[str, int]] = {"side": MAX_SIDE, "times": _MOST_ELONGATED}


class BadErasers(StrokesError):
    code = "invalid_erasers"
    field = "erasers"
    text = gettext_noop("The erasers must be a list of indexes of strokes, counted from 0.")


@dataclass(frozen=True)
class DrawnStroke:
    """One stroke, black on white, uint8 (h, w), and where it is in the drawing, in px.

    ``index`` is its place among the strokes, ``width`` that of its brush in px.
    """

    index: int
    pixels: Pixels
    left: int
    top: int
    width: float


@dataclass(frozen=True)
class PenStrokes:
    """A drawing as strokes, in units: the canvas' longer side has ``UNITS`` of them.

    A stroke is float64 (n, 4): x, y, time in ms since the first point (NaN where it was not sent)
    and pressure. ``widths`` has the brush of each stroke; ``erasers`` the indexes of those that
    erase.
    """

    strokes: tuple[NDArray[np.float64], ...]
    widths: tuple[int, ...]
    size: tuple[int, int]
    erasers: frozenset[int] = frozenset()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PenStrokes:
        """Check strokes that come from outside; raises a ``StrokesError`` for what is wrong."""
        width, height = _size(values.get("size"))
        longer = max(width, height)
        unit = UNITS / longer
        sent = _strokes(values.get("strokes"))
        widths = _widths(values.get("width"), longer, len(sent))
        strokes = [np.array([_point(point) for point in stroke], np.float64) for stroke in sent]
        for stroke in strokes:
            x, y = stroke[:, 0], stroke[:, 1]
            farthest = max(-x.min(), -y.min(), (x - width).max(), (y - height).max())
            if farthest > longer:
                raise OutsideCanvas
            stroke[:, :2] = np.rint(stroke[:, :2] * unit)
        _count_from_the_first(strokes)
        return cls(
            strokes=tuple(strokes),
            widths=tuple(max(1, round(each * unit)) for each in widths),
            size=(max(1, round(width * unit)), max(1, round(height * unit))),
            erasers=_erasers(values.get("erasers"), len(sent)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes, in units."""
        same = len(set(self.widths)) == 1
        found: dict[str, Any] = {
            "strokes": [[_sent(*point) for point in stroke.tolist()] for stroke in self.strokes],
            "width": self.widths[0] if same else list(self.widths),
            "size": list(self.size),
        }
        if self.erasers:
            found["erasers"] = sorted(self.erasers)
        return found

    def pack(self) -> bytes:
        """Return the strokes as they are stored: compressed JSON, at most ``MAX_PACKED`` bytes."""
        return zlib.compress(json.dumps(self.to_json(), separators=(",", ":")).encode(), 9)

    @classmethod
    def unpack(cls, packed: bytes) -> PenStrokes:
        """Return what ``pack`` packed; raises ``StrokesError`` for other bytes."""
        reader = zlib.decompressobj()
        try:
            # Bounded, whatever the bytes say.
            text = reader.decompress(packed, 4 * MAX_PACKED)
            values = json.loads(text)
        except (zlib.error, ValueError, RecursionError) as error:
            raise StrokesError from error
        if not isinstance(values, dict):
            raise StrokesError
        return cls.from_json(values)

    def with_brush(self, width: float) -> PenStrokes:
        """Return the strokes with another brush; ``width`` is a fraction of the longer side."""
        return replace(self, widths=(max(1, round(width * UNITS)),) * len(self.strokes))

    def drawing(self) -> Drawing:
        """Draw the strokes as the page does; raises ``BlankStrokes`` if nothing shows.

        With the brush of ``strokes.render``, but reduced from three times the size: the nearer this
        is to what a browser draws, the fewer answers differ.
        """
        height, width = self.shape
        pixels = np.full((height, width), 255, np.uint8)
        box = self._inked(width, height)
        if box is not None:
            left, top, right, bottom = box
            pixels[top:bottom, left:right] = self._draw(box)
        if int(pixels.max()) - int(pixels.min()) < MIN_CONTRAST:
            raise BlankStrokes
        return Drawing(pixels)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of `drawing`, in px."""
        width, height = (max(1, round(side * STORED_SIDE / UNITS)) for side in self.size)
        return height, width

    def each_stroke(self) -> Iterator[DrawnStroke]:
        """Draw each stroke alone, as in `drawing`, without those outside the canvas and erasers."""
        height, width = self.shape
        for index, (stroke, brush) in enumerate(zip(self.strokes, self.widths, strict=True)):
            alone = replace(self, strokes=(stroke,), widths=(brush,), erasers=frozenset())
            box = None if index in self.erasers else alone._inked(width, height)
            if box is not None:
                in_px = brush * STORED_SIDE / UNITS
                yield DrawnStroke(index, alone._draw(box), box[0], box[1], in_px)

    def _inked(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """Return the part of the drawing that ink may be on, in px; None if there is none."""
        points = np.concatenate(self.strokes)[:, :2] * (STORED_SIDE / UNITS)
        radius = max(self.widths) * (STORED_SIDE / UNITS) * (_LEAST_WIDTH + _PRESSURE_RANGE) / 2
        left, top = np.maximum(np.floor(points.min(0) - radius - 1), 0).astype(int).tolist()
        right, bottom = np.ceil(points.max(0) + radius + 1).astype(int).tolist()
        right, bottom = min(right, width), min(bottom, height)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _draw(self, box: tuple[int, int, int, int]) -> Pixels:
        """Draw the part of the drawing within a box."""
        left, top, right, bottom = box
        scale = _FINER * STORED_SIDE / UNITS
        image = Image.new("L", (_FINER * (right - left), _FINER * (bottom - top)), 255)
        draw = ImageDraw.Draw(image)
        most = max(1, _MOST_CURVE_POINTS // sum(map(len, self.strokes)))
        # Pillow's coordinates are those of the pixels' centres, a canvas' those of their edges, and
        # its lines are half a px wider.
        origin = _FINER * np.array([left, top]) + 0.5
        for index, (stroke, brush) in enumerate(zip(self.strokes, self.widths, strict=True)):
            points = (stroke[:, :2] * scale - origin).tolist()
            for line, pressure in _smooth(points, stroke[:, 3].tolist(), most):
                width = brush * scale * (_LEAST_WIDTH + _PRESSURE_RANGE * pressure) - 0.5
                paint(draw, line, width, 255 if index in self.erasers else 0)
        return np.asarray(image.reduce(_FINER))


def _is_number(value: object) -> bool:
    """Whether a value is a number, finite and of a size that any canvas or clock has."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and -1e15 < value < 1e15  # type: ignore[operator]


def _size(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        raise BadSize
    shorter, longer = sorted(map(float, value))
    if not 1 <= shorter <= longer <= MAX_SIDE or longer > _MOST_ELONGATED * shorter:
        raise BadSize
    return float(value[0]), float(value[1])


def _strokes(value: Any) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(stroke, list) for stroke in value):
        raise StrokesError
    if not value or not all(value):
        raise EmptyStrokes
    if len(value) > MAX_STROKES or sum(map(len, value)) > MAX_POINTS:
        raise TooManyStrokes
    return value


def _widths(value: Any, longer: float, strokes: int) -> list[float]:
    if value is None:
        value = longer * _DEFAULT_WIDTH
    widths = value if isinstance(value, list) else [value] * strokes
    if len(widths) != strokes or not all(map(_is_number, widths)):
        raise BadWidth
    if not all(0 < width <= longer * _WIDEST for width in widths):
        raise BadWidth
    return widths


def _erasers(value: Any, strokes: int) -> frozenset[int]:
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > strokes:
        raise BadErasers
    if not all(type(index) is int and 0 <= index < strokes for index in value):
        raise BadErasers
    return frozenset(value)


def _point(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list):
        raise StrokesError
    if not 2 <= len(value) <= 4:
        raise BadPoint
    x, y, time, pressure = [*value, None, None][:4]
    time = math.nan if time is None else time
    pressure = PLAIN_PRESSURE if pressure is None else pressure
    if not (_is_number(x) and _is_number(y) and _is_number(pressure) and 0 <= pressure <= 1):
        raise BadPoint
    if not (_is_number(time) or time is math.nan):
        raise BadPoint
    return x, y, time, round(pressure, 3)


def _count_from_the_first(strokes: list[NDArray[np.float64]]) -> None:
    """Let times count from the first point that has one, in place; raises ``BadTimes``."""
    times = np.concatenate([stroke[:, 2] for stroke in strokes])
    known = times[~np.isnan(times)]
    if not known.size:
        return
    if np.abs(known - known[0]).max() > _DAY:
        raise BadTimes
    for stroke in strokes:
        stroke[:, 2] = np.rint(stroke[:, 2] - known[0])


def _sent(x: float, y: float, time: float, pressure: float) -> list[Any]:
    """Return a point as it is sent, without what is missing or plain at its end."""
    at = None if math.isnan(time) else int(time)
    if pressure != PLAIN_PRESSURE:
        return [int(x), int(y), at, pressure]
    return [int(x), int(y)] if at is None else [int(x), int(y), at]


def _smooth(
    points: list[list[float]], pressures: list[float], most: int
) -> Iterator[tuple[list[tuple[float, float]], float]]:
    """Yield the lines of one pressure that a stroke consists of, as ``paintLine`` of the page.

    They are quadratic curves through the midpoints, with the points themselves as control points,
    of ``most`` points each at most.
    """
    (x, y), pressure = points[0], pressures[0]
    line = [(x, y)]
    last = len(points) - 1
    for index in range(1, last + 1):
        control_x, control_y = points[index]
        if index == last:
            end_x, end_y, end_pressure = control_x, control_y, pressures[index]
        else:
            after_x, after_y = points[index + 1]
            end_x, end_y = (control_x + after_x) / 2, (control_y + after_y) / 2
            end_pressure = (pressures[index] + pressures[index + 1]) / 2
        if end_pressure != pressure:
            if len(line) > 1:
                yield line, pressure
            line, pressure = [(x, y)], end_pressure
        # So many pieces are nowhere more than half a px off.
        bend = math.hypot(x - 2 * control_x + end_x, y - 2 * control_y + end_y)
        pieces = 1 if index == last else max(1, min(most, math.ceil(math.sqrt(bend / 2))))
        for piece in range(1, pieces):
            t = piece / pieces
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            line.append((a * x + b * control_x + c * end_x, a * y + b * control_y + c * end_y))
        line.append((end_x, end_y))
        x, y = end_x, end_y
    yield line, pressure
