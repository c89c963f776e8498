"""Simulated handwriting: from control points to pen strokes.

A figure is defined by *drawings*: a few extreme versions of it with corresponding points. Each time
the figure is written, its points lie somewhere between them. A stroke is a string of points:

    "0,.2 .3,0 !.3,1"               points x,y (x right, y down, about 0..1); ``!`` marks a corner
    "@.5,.5,.4,.5,-90,-450,9"       nine points on an ellipse: centre, radii, first and last angle
                                    in degrees (0 right, 90 down)

Curves are cubic Hermite splines with chord-length Catmull-Rom tangents (Barry and Goldman 1988,
"A recursive evaluation algorithm for a class of Catmull-Rom splines"): the speed at a point depends
on the distance to its neighbours, so that unevenly spaced points do not cause loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Stroke: TypeAlias = NDArray[np.float64]

_SPAN_STEPS = 7
_T = np.arange(_SPAN_STEPS) / _SPAN_STEPS
_HERMITE = np.stack(
    [
        2 * _T**3 - 3 * _T**2 + 1,
        _T**3 - 2 * _T**2 + _T,
        -2 * _T**3 + 3 * _T**2,
        _T**3 - _T**2,
    ],
    axis=1,
)


@dataclass(frozen=True)
class Variation:
    """How much the writing of a figure varies. Angles in degrees, positive to the right.

    ``lean`` and ``turn`` are (lowest, highest) skew and rotation, ``tilt`` limits their sum;
    ``widen`` is the standard deviation of the width's logarithm; ``wobble`` scales every other
    deformation; ``sharp`` is the lowest sharpness of a corner (1: never rounded).
    """

    lean: tuple[float, float] = (-25.0, 35.0)
    turn: tuple[float, float] = (-12.0, 12.0)
    tilt: tuple[float, float] = (-28.0, 36.0)
    widen: float = 0.13
    wobble: float = 1.0
    sharp: float = 0.35


@dataclass(frozen=True)
class Figure:
    """A figure: ``drawings`` (e, m, 2), corner flags (m,), and where each stroke starts."""

    drawings: NDArray[np.float64]
    corners: NDArray[np.bool_]
    bounds: tuple[int, ...]
    variation: Variation = Variation()


def figure(*drawings: Sequence[str], variation: Variation | None = None) -> Figure:
    """Parse a figure from its drawings, each a sequence of strokes in the notation above.

    Raises ``ValueError`` if the drawings differ in the number of strokes, points or corners.
    """
    parsed = [[_parse(text) for text in drawing] for drawing in drawings]
    layouts = {
        tuple((len(points), tuple(corners)) for points, corners in drawing) for drawing in parsed
    }
    if len(layouts) != 1:
        raise ValueError(f"drawings of one figure differ in their points: {drawings}")
    sizes = [len(points) for points, _ in parsed[0]]
    return Figure(
        drawings=np.array([[p for points, _ in d for p in points] for d in parsed], np.float64),
        corners=np.array([c for _, corners in parsed[0] for c in corners], np.bool_),
        bounds=(0, *(int(n) for n in np.cumsum(sizes))),
        variation=variation or Variation(),
    )


def read_figures(
    path: Path, variations: Mapping[str, Variation]
) -> dict[str, dict[str, tuple[float, Figure]]]:
    """Read figures from a file: group -> name -> (weight, figure), in the order of the file.

    A heading ``[group name weight variation]`` is followed by drawings, one per line, with strokes
    separated by ``|``; ``#`` starts a comment. Raises ``ValueError`` if the drawings of a figure
    differ, ``KeyError`` for an unknown variation.
    """
    figures: dict[str, dict[str, tuple[float, Figure]]] = {}
    for heading, drawings in _sections(path.read_text(encoding="utf-8").splitlines()):
        group, name, weight, variation = heading.split()
        shape = figure(*(line.split("|") for line in drawings), variation=variations[variation])
        figures.setdefault(group, {})[name] = (float(weight), shape)
    return figures


def write(shape: Figure, rng: np.random.Generator) -> list[Stroke]:
    """Return a figure as strokes (n, 2), n >= 2; the longer side is 1, the centre (.5, .5)."""
    variation = shape.variation
    sloppy = variation.wobble * min(float(np.exp(0.45 * rng.standard_normal() - 0.1)), 1.9)
    points = _between(shape.drawings, rng)
    points = points + sloppy * 0.015 * _smooth(rng.standard_normal(points.shape))
    sharpness = rng.uniform(variation.sharp, 1.0)
    density = rng.uniform(14.0, 45.0)
    uneven = rng.uniform(-0.7, 0.7)
    strokes = []
    for first, last in zip(shape.bounds[:-1], shape.bounds[1:], strict=True):
        curve = spline(points[first:last], shape.corners[first:last], sharpness)
        curve = _ends(curve, sloppy, rng)
        if first:
            curve += sloppy * 0.016 * rng.standard_normal(2)
        strokes.append(resample(curve, density, uneven))
    return _settle(strokes, variation, sloppy, rng)


def spline(
    points: NDArray[np.float64], corners: NDArray[np.bool_], sharpness: float
) -> NDArray[np.float64]:
    """Return a smooth curve (k, 2) through ``points`` (m, 2), m >= 2, except at its corners."""
    chord = np.diff(points, axis=0)
    length = np.hypot(chord[:, 0], chord[:, 1])[:, None] + 1e-9
    slope = chord / length
    tangent = np.empty_like(points)
    if len(points) == 2:
        tangent[:] = slope[0]
    else:
        tangent[1:-1] = (slope[:-1] * length[1:] + slope[1:] * length[:-1]) / (
            length[1:] + length[:-1]
        )
        tangent[0] = 1.5 * slope[0] - 0.5 * tangent[1]
        tangent[-1] = 1.5 * slope[-1] - 0.5 * tangent[-2]
    sharp = (sharpness * corners)[:, None]
    leaving = tangent[:-1] + sharp[:-1] * (slope - tangent[:-1])
    arriving = tangent[1:] + sharp[1:] * (slope - tangent[1:])
    parts = np.stack([points[:-1], leaving * length, points[1:], arriving * length])
    spans = _HERMITE @ parts.reshape(4, -1)
    curve = spans.reshape(_SPAN_STEPS, -1, 2).transpose(1, 0, 2).reshape(-1, 2)
    return np.concatenate([curve, points[-1:]])


def resample(curve: NDArray[np.float64], density: float, uneven: float = 0.0) -> Stroke:
    """Return points along a curve as a device reports them: ``density`` per unit of length.

    ``uneven``, -1 to 1, sets where points are closer: positive at the ends, negative in the middle.
    """
    step = np.diff(curve, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    count = max(3, int(density * along[-1]) + 2)
    t = np.linspace(0.0, 1.0, count)
    t = (t - uneven * np.sin(2 * np.pi * t) / (2 * np.pi)) * along[-1]
    return np.stack([np.interp(t, along, curve[:, 0]), np.interp(t, along, curve[:, 1])], axis=1)


def unit_box(strokes: list[Stroke]) -> list[Stroke]:
    """Return strokes scaled to a longer side of 1 and centred at (.5, .5)."""
    everything = np.concatenate(strokes)
    low, high = everything.min(axis=0), everything.max(axis=0)
    side = float((high - low).max())
    scale = 1.0 / side if side > 1e-6 else 1.0
    return [(stroke - (low + high) / 2) * scale + 0.5 for stroke in strokes]


def _sections(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    sections: list[tuple[str, list[str]]] = []
    for line in (line.strip() for line in lines):
        if line.startswith("["):
            sections.append((line.strip("[]"), []))
        elif line and not line.startswith("#"):
            sections[-1][1].append(line)
    return sections


def _parse(text: str) -> tuple[list[tuple[float, float]], list[bool]]:
    points: list[tuple[float, float]] = []
    corners: list[bool] = []
    for token in text.split():
        if token.startswith("@"):
            x, y, rx, ry, begin, end, count = (float(part) for part in token[1:].split(","))
            angles = np.radians(np.linspace(begin, end, int(count)))
            points += [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]
            corners += [False] * int(count)
        else:
            px, py = token.lstrip("!").split(",")
            points.append((float(px), float(py)))
            corners.append(token.startswith("!"))
    return points, corners


def _between(drawings: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random mixture of the drawings, sometimes slightly beyond them."""
    count = len(drawings)
    if count == 1:
        return drawings.reshape(-1, 2)
    share = rng.exponential(size=count)
    share = 1.2 * share / share.sum() - 0.2 / count
    mixed: NDArray[np.float64] = (share @ drawings.reshape(count, -1)).reshape(-1, 2)
    return mixed


def _smooth(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate neighbours of noise (m, 2) in place, which multiplies its deviation by 1.5."""
    noise[1:] += 0.7 * noise[:-1]
    noise[1:] += 0.5 * noise[:-1]
    return noise


def _ends(curve: NDArray[np.float64], sloppy: float, rng: np.random.Generator) -> Stroke:
    """Lengthen or shorten both ends of a stroke, and sometimes add a hook."""
    chance = rng.random(2)
    amount = rng.standard_normal(4)
    for end in (0, 1):
        heading = curve[0] - curve[3]
        heading /= np.hypot(heading[0], heading[1]) + 1e-9
        late = float(np.clip(0.025 * sloppy * amount[end], -0.04, 0.09))
        if late > 0:
            curve = np.concatenate([curve[:1] + late * heading, curve])
        elif late < -0.012 and len(curve) > 12:
            curve = curve[2:]
        if chance[end] < 0.1:
            turn = (1.0 if amount[2 + end] > 0 else -1.0) * (1.9 + 0.25 * abs(amount[2 + end]))
            c, s = np.cos(turn), np.sin(turn)
            hook = np.array([c * heading[0] - s * heading[1], s * heading[0] + c * heading[1]])
            curve = np.concatenate([curve[:1] + (0.03 + 0.03 * chance[1 - end]) * hook, curve])
        curve = curve[::-1]
    return curve.copy()


def _settle(
    strokes: list[Stroke], variation: Variation, sloppy: float, rng: np.random.Generator
) -> list[Stroke]:
    """Apply warp, tremor, slant, rotation and width to all strokes, and fit the unit box."""
    points = np.concatenate(strokes)
    wave = rng.standard_normal((2, 2))
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    points = points + 0.022 * sloppy * np.sin(points @ (wave * 3.2) + phase) * rng.choice((-1, 1))
    tremor = 0.0013 * variation.wobble * float(np.exp(0.7 * rng.standard_normal()))
    points += min(tremor, 0.005) * _smooth(rng.standard_normal(points.shape))
    lean = float(np.clip(5.0 + 11.0 * rng.standard_normal(), *variation.lean))
    turn = float(np.clip(4.5 * rng.standard_normal(), *variation.turn))
    lean += float(np.clip(lean + turn, *variation.tilt)) - (lean + turn)
    wide = float(np.exp(np.clip(variation.widen * rng.standard_normal(), -0.32, 0.36)))
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    skewed = np.array([[wide, 0.0], [-np.tan(np.radians(lean)), 1.0]])
    points = points @ skewed @ np.array([[cos, sin], [-sin, cos]])
    cuts = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    return unit_box(np.split(points, cuts))
