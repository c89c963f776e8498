"""Invented characters, like those of an unknown alphabet, that do not look like digits.

Inspired by Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic
program induction", Science 350, 2015. A character consists of a few strokes, each a common part
(line, hook, bowl, loop, legs, ...), that are related: one starts where another ends, branches off
it, crosses it, repeats or mirrors it, or stands apart. Other characters connect the nodes of a
small grid, as runes and Hangul do. ``handwriting`` turns them into pen strokes.

Characters that look like a digit are discarded: see ``lookalike_filter``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.synthesis.handwriting import Figure, Stroke, Variation, write
from training.synthesis.lookalike_filter import resembles_a_digit

_VARIATION = Variation(lean=(-14.0, 24.0), turn=(-12.0, 12.0), tilt=(-18.0, 26.0), widen=0.15)
Points = NDArray[np.float64]
_Part = tuple[Points, NDArray[np.bool_]]
"""Control points (m, 2) of a stroke and which of them are corners (m,)."""


def generate_glyph(rng: np.random.Generator) -> list[Stroke]:
    """Return pen strokes of an invented character, each float64 (n, 2), n >= 2, x right, y down.

    Its longer side is 1, and its centre (.5, .5).
    """
    while True:
        parts = _on_a_grid(rng) if rng.random() < 0.5 else _composed(rng)
        strokes = _written(parts, rng)
        if not resembles_a_digit(strokes):
            return strokes


def _written(parts: list[_Part], rng: np.random.Generator) -> list[Stroke]:
    points = np.concatenate([points for points, _ in parts])
    points /= max(float(np.ptp(points, axis=0).max()), 1e-6)
    shape = Figure(
        drawings=points[None],
        corners=np.concatenate([corners for _, corners in parts]),
        bounds=(0, *(int(n) for n in np.cumsum([len(points) for points, _ in parts]))),
        variation=_VARIATION,
    )
    return write(shape, rng)


# --- characters on a grid -----------------------------------------------------------------------


def _on_a_grid(rng: np.random.Generator) -> list[_Part]:
    """Return one to four strokes between the nodes of a grid of 2-3 by 2-4 nodes."""
    columns, rows = int(rng.integers(2, 4)), int(rng.integers(2, 4 + (rng.random() < 0.3)))
    x = np.linspace(0, rng.uniform(0.45, 1.05), columns)
    y = np.linspace(0, 1, rows)
    curved = rng.random() < 0.35
    used: list[tuple[int, int]] = []
    parts: list[_Part] = []
    for _ in range(int(rng.choice((1, 2, 3, 4), p=(0.25, 0.4, 0.25, 0.1)))):
        if used and rng.random() < 0.85:
            node = used[int(rng.integers(len(used)))]
        else:
            node = (int(rng.integers(columns)), int(rng.integers(rows)))
        path = [node]
        for _ in range(int(rng.choice((1, 2, 3, 4), p=(0.45, 0.3, 0.15, 0.1)))):
            node = _next(node, path, columns, rows, rng)
            path.append(node)
        used += path
        points = np.array([(x[i], y[j]) for i, j in path])
        parts.append(_bowed(points, curved, rng))
    return parts


def _next(
    node: tuple[int, int],
    path: list[tuple[int, int]],
    columns: int,
    rows: int,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Return a node other than the last two, more often in the same row or column."""
    while True:
        i, j = int(rng.integers(columns)), int(rng.integers(rows))
        if (i, j) in path[-2:]:
            continue
        if i == node[0] or j == node[1] or rng.random() < 0.45:
            return i, j


def _bowed(points: Points, curved: bool, rng: np.random.Generator) -> _Part:
    """Return a stroke along ``points``, with curved edges or rounded corners."""
    middles = (points[1:] + points[:-1]) / 2
    if curved:
        edge = np.diff(points, axis=0)
        across = np.stack([-edge[:, 1], edge[:, 0]], axis=1)
        bow = rng.uniform(0.15, 0.45, len(edge)) * rng.choice((-1, 0, 1), len(edge))
        middles = middles + across * bow[:, None]
    path = np.empty((2 * len(points) - 1, 2))
    path[::2], path[1::2] = points, middles
    corners = np.zeros(len(path), np.bool_)
    corners[2:-1:2] = rng.random() < (0.4 if curved else 0.85)
    return path, corners


# --- characters composed of parts ---------------------------------------------------------------


def _composed(rng: np.random.Generator) -> list[_Part]:
    """Return a part and up to four more, each related to an earlier one."""
    first = _part(rng, 1.0)
    parts = [first]
    for _ in range(int(rng.choice((0, 1, 2, 3, 4), p=(0.12, 0.4, 0.3, 0.12, 0.06)))):
        base = parts[int(rng.integers(len(parts)))]
        parts += _RELATIONS[int(np.searchsorted(_RELATION_ODDS, rng.random()))](base, rng)
    if rng.random() < 0.12:
        parts = [*parts, *_mirrored(parts, rng)]
    return parts


def _part(rng: np.random.Generator, size: float) -> _Part:
    make = _PARTS[int(np.searchsorted(_PART_ODDS, rng.random()))]
    points, corners = make(rng)
    angle = rng.choice((0.0, 90.0, 180.0, 270.0)) + rng.normal(0, 9)
    if rng.random() < 0.25:
        angle = rng.uniform(0, 360)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return size * points @ np.array([[c, s], [-s, c]]), corners


def _line(rng: np.random.Generator) -> _Part:
    return np.array([[0, 0], [0.5, rng.normal(0, 0.02)], [1, 0]]), np.zeros(3, np.bool_)


def _arc(rng: np.random.Generator) -> _Part:
    sweep = np.radians(rng.uniform(70, 270))
    angles = np.linspace(-sweep / 2, sweep / 2, 6)
    flat = rng.uniform(0.3, 0.7)
    points = np.stack([0.5 * np.sin(angles), -flat * np.cos(angles)], axis=1)
    return points, np.zeros(6, np.bool_)


def _hook(rng: np.random.Generator) -> _Part:
    """A line with a bent or curled end."""
    bend = rng.uniform(0.12, 0.4) * rng.choice((-1, 1))
    back = rng.uniform(-0.15, 0.3)
    if rng.random() < 0.5:
        points = np.array([[0, 0], [0.5, 0], [1, 0], [1 - back / 2, bend / 2], [1 - back, bend]])
        return points, np.array([0, 0, 1, 0, 0], np.bool_)
    points = np.array([[0, 0], [0.4, 0], [0.8, 0], [1, bend / 2], [0.9 - back, bend]])
    return points, np.zeros(5, np.bool_)


def _bend(rng: np.random.Generator) -> _Part:
    """Two legs that meet in a corner or a curve."""
    angle = np.radians(rng.uniform(35, 145)) * rng.choice((-1, 1))
    leg = rng.uniform(0.35, 1.0)
    end = leg * np.array([np.cos(angle), np.sin(angle)])
    points = np.array([[0.8, 0], [0.4, 0], [0, 0], end / 2, end])
    return points, np.array([0, 0, rng.random() < 0.7, 0, 0], np.bool_)


def _legs(rng: np.random.Generator) -> _Part:
    """Three or four legs, pointed like W or round like m."""
    count = int(rng.integers(4, 7))
    points = np.stack([np.linspace(0, 1, count), np.zeros(count)], axis=1)
    points[1::2, 1] = rng.uniform(0.25, 0.9)
    points += rng.normal(0, 0.04, points.shape)
    corners = np.zeros(count, np.bool_)
    corners[1:-1] = rng.random() < 0.6
    return points, corners


def _loop(rng: np.random.Generator) -> _Part:
    begin = rng.uniform(0, 2 * np.pi)
    angles = begin + np.linspace(0, rng.choice((-1, 1)) * np.radians(rng.uniform(335, 400)), 8)
    radius = rng.uniform(0.15, 0.3)
    wide = rng.uniform(0.8, 1.3)
    points = radius * np.stack([wide * np.cos(angles), np.sin(angles)], axis=1)
    return points, np.zeros(8, np.bool_)


def _box(rng: np.random.Generator) -> _Part:
    """A closed figure with three or four corners."""
    w, h = rng.uniform(0.35, 0.8, 2)
    if rng.random() < 0.6:
        ends = np.array([[0, 0], [w, 0], [w, h], [0, h], [0, 0]])
    else:
        ends = np.array([[0, h], [w * rng.random(), 0], [w, h], [0, h]])
    path = np.empty((2 * len(ends) - 1, 2))
    path[::2], path[1::2] = ends, (ends[1:] + ends[:-1]) / 2
    corners = np.zeros(len(path), np.bool_)
    corners[::2] = True
    return path, corners


def _free(rng: np.random.Generator) -> _Part:
    """A smooth curve through a few points."""
    count = int(rng.integers(3, 6))
    points = np.cumsum(rng.normal(0, 0.4, (count, 2)), axis=0)
    return points, rng.random(count) < 0.3


def _mark(rng: np.random.Generator) -> _Part:
    length = rng.uniform(0.02, 0.2)
    return length * np.array([[0.0, 0.0], [0.5, 0.04], [1.0, 0.0]]), np.zeros(3, np.bool_)


def _at_the_end(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """A stroke that starts at an end of the other."""
    points, corners = _part(rng, rng.uniform(0.35, 1.0))
    end = base[0][-1 if rng.random() < 0.6 else 0]
    return [(points - points[0] + end, corners)]


def _along(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """A stroke that starts in the middle of the other, or somewhere along it."""
    points, corners = _part(rng, rng.uniform(0.3, 0.8))
    return [(points - points[0] + _place_on(base, rng), corners)]


def _across(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """A stroke whose middle crosses the other: a bar through a stem."""
    points, corners = _part(rng, rng.uniform(0.4, 1.0))
    return [(points - points[len(points) // 2] + _place_on(base, rng), corners)]


def _bowl(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """An arc between two points of the other stroke: P, D, B."""
    start, end = base[0][0], base[0][-1]
    first = rng.choice((0.0, 0.0, 0.3, 0.5))
    last = first + rng.choice((0.3, 0.5, 0.7))
    chord = end - start
    across = np.array([-chord[1], chord[0]]) * rng.choice((-1, 1)) * rng.uniform(0.3, 0.7)
    t = np.linspace(0, 1, 5)
    points = start + chord * (first + (last - first) * t)[:, None]
    points = points + across * np.sin(np.pi * t)[:, None] ** 0.7
    return [(points, np.zeros(5, np.bool_))]


def _again(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """One or two copies of the other stroke next to it: the arms of E, the bars of Ш."""
    points, corners = base
    angle = rng.choice((0.0, 0.5, 0.5, 1.0)) * np.pi + rng.normal(0, 0.1)
    step = rng.uniform(0.22, 0.5) * np.array([np.cos(angle), np.sin(angle)])
    size = rng.choice((1.0, 1.0, 0.7))
    return [
        ((points - points[0]) * size + points[0] + step * k, corners)
        for k in range(1, 2 + int(rng.random() < 0.3))
    ]


def _mirrored(parts: list[_Part], rng: np.random.Generator) -> list[_Part]:
    """The parts mirrored in a vertical line to their right, touching or apart."""
    right = max(float(points[:, 0].max()) for points, _ in parts)
    axis = right + rng.choice((0.0, 0.0, 0.15))
    return [(points * (-1.0, 1.0) + (2 * axis, 0.0), corners) for points, corners in parts]


def _reflected(base: _Part, rng: np.random.Generator) -> list[_Part]:
    return _mirrored([base], rng)


def _apart(base: _Part, rng: np.random.Generator) -> list[_Part]:
    """A mark or a small stroke above, below or next to the other: a diacritic."""
    if rng.random() < 0.6:
        points, corners = _mark(rng)
    else:
        points, corners = _part(rng, rng.uniform(0.2, 0.6))
    low, high = base[0].min(0), base[0].max(0)
    side = np.array(((0, -1), (0, -1), (0, 1), (1, 0), (-1, 0))[int(rng.integers(5))])
    gap = (high - low) / 2 + np.ptp(points, axis=0) / 2 + rng.uniform(0.1, 0.3)
    centre = (low + high) / 2 + side * gap + rng.normal(0, 0.05, 2)
    return [(points - (points.min(0) + points.max(0)) / 2 + centre, corners)]


def _place_on(base: _Part, rng: np.random.Generator) -> Points:
    """Return a point on a stroke, in half of all cases its middle."""
    points = base[0]
    t = (0.5 if rng.random() < 0.5 else rng.uniform(0.1, 0.9)) * (len(points) - 1)
    first = int(t)
    return np.asarray(points[first] + (t - first) * (points[first + 1] - points[first]))


_PARTS: tuple[Callable[[np.random.Generator], _Part], ...] = (
    *(_line, _arc, _hook, _bend, _legs, _loop, _box, _free),
)
_PART_ODDS = np.cumsum((0.34, 0.16, 0.12, 0.14, 0.07, 0.06, 0.05, 0.06))
_RELATIONS: tuple[Callable[[_Part, np.random.Generator], list[_Part]], ...] = (
    *(_at_the_end, _along, _across, _bowl, _again, _reflected, _apart),
)
_RELATION_ODDS = np.cumsum((0.26, 0.24, 0.16, 0.1, 0.1, 0.04, 0.1))
