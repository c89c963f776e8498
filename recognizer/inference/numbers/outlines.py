"""The outlines of ink, point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.ink import Mask

Points = NDArray[np.float64]

_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up


@dataclass(frozen=True)
class Outline:
    """A closed line between ink and paper with the ink on its right, float64 (n, 2), x and y.

    Its points are corners of pixels.
    """

    points: Points

    def turns(self, reach: int) -> NDArray[np.float64]:
        """Return how far the line turns towards the ink at each point, in radians: (n,).

        The sides of the angle end ``reach`` points away.
        """
        points = self.points
        smooth = (np.roll(points, 1, 0) + points + np.roll(points, -1, 0)) / 3
        before = smooth - np.roll(smooth, reach, 0)
        after = np.roll(smooth, -reach, 0) - smooth
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        dot = (before * after).sum(1)
        turn: NDArray[np.float64] = -np.arctan2(cross, dot)
        return turn


def outlines(mask: Mask) -> list[Outline]:
    """Return the outlines of one connected piece of ink, the outer one first."""
    padded = np.pad(mask, 1)
    width = padded.shape[1]
    # An edge between ink and paper is 4 * (index of the point where it begins) + direction.
    edges: set[int] = set()
    for direction, (is_edge, (right, down)) in enumerate(
        (
            (padded & ~np.roll(padded, 1, 0), (0, 0)),  # above the ink, to the right
            (padded & ~np.roll(padded, -1, 1), (1, 0)),  # right of it, down
            (padded & ~np.roll(padded, -1, 0), (1, 1)),  # below it, to the left
            (padded & ~np.roll(padded, 1, 1), (0, 1)),  # left of it, up
        )
    ):
        y, x = np.nonzero(is_edge)
        edges.update((4 * ((y + down) * width + x + right) + direction).tolist())
    moves = [x + y * width for x, y in _STEPS]
    found = []
    while edges:
        edge = first = edges.pop()
        line = []
        while True:
            point, direction = divmod(edge, 4)
            line.append(point)
            point += moves[direction]
            # Ink that meets at a corner is one piece: turn to the left there.
            for turn in (3, 0, 1):
                edge = 4 * point + (direction + turn) % 4
                if edge in edges or edge == first:
                    break
            if edge == first:
                break
            edges.discard(edge)
        points = np.array(line)
        found.append(Outline(np.column_stack([points % width - 1.0, points // width - 1.0])))
    return sorted(found, key=lambda each: float(each.points[:, 1].min()))
