"""Scribbles, dots and lines that do not look like a digit, not even a 1.

Every function returns strokes float64 (n, 2), x right, y down, of any size and position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.synthesis.handwriting import Stroke, resample, spline


def _curve(
    points: NDArray[np.float64], rng: np.random.Generator, sharpness: float | None = None
) -> Stroke:
    sharp = rng.uniform(0, 1) if sharpness is None else sharpness
    curve = spline(points, np.ones(len(points), np.bool_), sharp)
    return resample(curve, rng.uniform(14, 40))


def zigzag(rng: np.random.Generator) -> list[Stroke]:
    count = int(rng.integers(7, 16))
    points = np.stack([np.linspace(0, rng.uniform(0.5, 1.6), count), np.zeros(count)], axis=1)
    points[1::2, 1] = 1.0
    points += rng.normal(0, 0.09, points.shape)
    turn = rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return [_curve(points @ np.array([[c, s], [-s, c]]), rng)]


def tangle(rng: np.random.Generator) -> list[Stroke]:
    turns = rng.uniform(3, 8)
    t = np.linspace(0, 2 * np.pi * turns, int(8 * turns))
    drift = np.cumsum(rng.normal(0, 0.09, (len(t), 2)), axis=0)
    radius = rng.uniform(0.25, 0.6) * (1 + 0.35 * np.sin(t * rng.uniform(0.1, 0.6)))
    loops = np.stack([np.cos(t), np.sin(t) * rng.uniform(0.5, 1.2)], axis=1) * radius[:, None]
    loops[:, 0] += np.linspace(0, rng.uniform(0, 2.2), len(t))
    return [_curve(loops + drift, rng, 0.0)]


def spiral(rng: np.random.Generator) -> list[Stroke]:
    turns = rng.uniform(2.3, 5)
    t = np.linspace(0, 1, int(10 * turns))
    angle = 2 * np.pi * turns * t + rng.uniform(0, 2 * np.pi)
    radius = 0.04 + t ** rng.uniform(0.8, 1.1)
    points = np.stack([np.cos(angle), np.sin(angle) * rng.uniform(0.75, 1.2)], axis=1)
    points = points * radius[:, None] + rng.normal(0, 0.015, (len(t), 2))
    return [_curve(points, rng, 0.0)]


def hatching(rng: np.random.Generator) -> list[Stroke]:
    count = int(rng.integers(4, 10))
    angles = [rng.uniform(0, np.pi)]
    if rng.random() < 0.5:
        angles.append(angles[0] + rng.uniform(0.8, 2.2))
    strokes = []
    for angle in angles:
        across = np.array([-np.sin(angle), np.cos(angle)])
        along = np.array([np.cos(angle), np.sin(angle)])
        for offset in np.linspace(-0.5, 0.5, count):
            ends = np.array([-0.5, 0.0, 0.5])[:, None] * along + offset * across
            ends += rng.normal(0, 0.04, (3, 2))
            strokes.append(spline(ends, np.zeros(3, np.bool_), 0.0))
    return strokes


def walk(rng: np.random.Generator) -> list[Stroke]:
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        steps = rng.normal(0, 1, (int(rng.integers(9, 20)), 2))
        steps[1:] += rng.uniform(0, 0.8) * steps[:-1]
        points = np.cumsum(steps, axis=0)
        # Walks in one direction would look like a line, which may be vertical.
        points -= np.linspace(0, 1, len(points))[:, None] * (points[-1] - points[0]) * 0.8
        strokes.append(_curve(points / np.abs(np.ptp(points, axis=0)) + rng.normal(0, 0.2, 2), rng))
    return strokes


def dot(rng: np.random.Generator) -> list[Stroke]:
    return [rng.normal(0, 1e-9, (1, 2))]


def dots(rng: np.random.Generator) -> list[Stroke]:
    places = rng.uniform(0, 1, (int(rng.integers(2, 8)), 2))
    # Scaled first, so that the shape of a dot is not enlarged to a line.
    places /= np.ptp(places, axis=0).max()
    return [place + rng.normal(0, 0.012, (int(rng.integers(1, 4)), 2)) for place in places]


def line(rng: np.random.Generator) -> list[Stroke]:
    angle = np.radians(rng.uniform(-30, 30))
    along = np.linspace(0, 1, 4)
    points = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    points[1:3] += rng.normal(0, 0.018, (2, 2))
    return [_curve(points, rng, 0.0)]


def lines(rng: np.random.Generator) -> list[Stroke]:
    """Five or more unrelated lines: four may form a 4 or a 7."""
    strokes = []
    for _ in range(int(rng.integers(4, 8))):
        ends = rng.uniform(0, 1, (2, 2))
        middle = ends.mean(axis=0) + rng.normal(0, 0.06, 2)
        strokes.append(_curve(np.stack([ends[0], middle, ends[1]]), rng, 0.0))
    strokes += line(rng)
    return strokes


def wave(rng: np.random.Generator) -> list[Stroke]:
    periods = rng.uniform(2.2, 4.5)
    t = np.linspace(0, 1, int(8 * periods))
    points = np.stack([t, rng.uniform(0.08, 0.2) * np.sin(2 * np.pi * periods * t)], axis=1)
    points += rng.normal(0, 0.012, points.shape)
    angle = np.radians(rng.uniform(-25, 25))
    c, s = np.cos(angle), np.sin(angle)
    return [_curve(points @ np.array([[c, s], [-s, c]]), rng, 0.0)]


def heavy(rng: np.random.Generator) -> list[Stroke]:
    """An area filled with a back-and-forth stroke, once or twice."""
    strokes = []
    wide = rng.uniform(0.6, 1.6)
    for _ in range(1 if rng.random() < 0.6 else 2):
        count = int(rng.integers(14, 36))
        points = np.stack([np.linspace(0, wide, count), rng.uniform(0, 0.25, count)], axis=1)
        points[1::2, 1] = 1 - points[1::2, 1]
        points[:, 0] += rng.normal(0, 0.04, count)
        angle = rng.uniform(0, np.pi)
        c, s = np.cos(angle), np.sin(angle)
        points = (points - points.mean(0)) @ np.array([[c, s], [-s, c]])
        # Half of the points are enough: most lie on straight segments.
        strokes.append(spline(points, np.ones(count, np.bool_), rng.uniform(0.2, 1))[::2].copy())
    return strokes


def smear(rng: np.random.Generator) -> list[Stroke]:
    """A filled blot, like an enlarged speck or short smear; never vertical."""
    across = float(np.exp(rng.uniform(-0.15, 1.1)))
    angles = np.linspace(0, np.pi, 15)[1:-1]
    waves = rng.normal(0, rng.uniform(0, 0.14), (2, 4)) / np.arange(1, 5) ** 0.5
    turns = np.arange(2, 6)

    def reach(angle: NDArray[np.floating]) -> NDArray[np.float64]:
        waved = waves[0] * np.cos(np.outer(angle, turns)) + waves[1] * np.sin(
            np.outer(angle, turns)
        )
        return np.asarray(1 + waved.sum(1).clip(-0.6, 0.8))

    upper, lower = reach(angles), reach(-angles)
    ends = np.stack(
        [
            np.stack([across * upper * np.cos(angles), upper * np.sin(angles)], axis=1),
            np.stack([across * lower * np.cos(angles), -lower * np.sin(angles)], axis=1),
        ],
        axis=1,
    )
    tilt = rng.normal(0, 0.3)
    c, s = np.cos(tilt), np.sin(tilt)
    # Back and forth between both edges: less than a brush width apart at most sizes.
    ends[1::2] = ends[1::2, ::-1]
    return [(ends.reshape(-1, 2) @ np.array([[c, s], [-s, c]])) * 0.5]


def crumbs(rng: np.random.Generator) -> list[Stroke]:
    """A few short scattered lines, as on a nearly empty canvas."""
    strokes = []
    for _ in range(int(rng.integers(2, 6))):
        along = np.linspace(0, rng.uniform(0.03, 0.2), 3)[:, None]
        angle = rng.uniform(0, np.pi)
        bit = along * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.01, (3, 2))
        strokes.append(bit + rng.uniform(0, 1, 2))
    return strokes
