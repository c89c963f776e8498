"""A confusion matrix as a heat map. Square."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.admin.insights.charts.axes import number, short_count

# How much of its colour a cell has. None lies where neither dark nor light text would be read
# well: above STRONG the text takes the colour of the paper.
OPACITIES = (0.1, 0.2, 0.32, 0.45, 0.85, 1.0)
STRONG = 0.6
# In units of the view box.
CELL, LEFT, TOP = 28, 36, 38


@dataclass(frozen=True)
class HeatCell:
    """How often the label ``row`` got the answer ``column``."""

    row: int
    column: int
    n: int
    text: str
    x: int
    y: int
    opacity: str
    is_strong: bool

    @property
    def is_right(self) -> bool:
        return self.row == self.column

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + CELL // 2, self.y + CELL // 2


@dataclass(frozen=True)
class HeatMap:
    """A square of cells, row by row, with room for names above it and to its left."""

    size: tuple[int, int]
    corner: tuple[int, int]
    middle: tuple[int, int]
    cell: int
    cells: tuple[HeatCell, ...]

    @property
    def diagonal(self) -> tuple[HeatCell, ...]:
        return tuple(cell for cell in self.cells if cell.is_right)


def heat_map(counts: Sequence[Sequence[int]]) -> HeatMap:
    """Return the map of a confusion matrix (k, k).

    The diagonal and the rest have a colour each, and each a scale of its own, by the logarithm of
    the count: right answers are hundreds where mistakes are ones.
    """
    k = len(counts)
    diagonal = max(counts[i][i] for i in range(k))
    others = max((counts[i][j] for i in range(k) for j in range(k) if i != j), default=0)
    cells = []
    for row in range(k):
        for column in range(k):
            n = counts[row][column]
            opacity = heat(n, diagonal if row == column else others)
            cells.append(
                HeatCell(
                    row,
                    column,
                    n,
                    text=short_count(n),
                    x=LEFT + column * CELL,
                    y=TOP + row * CELL,
                    opacity=number(opacity),
                    is_strong=opacity > STRONG,
                )
            )
    side = k * CELL
    return HeatMap(
        size=(LEFT + side + 2, TOP + side + 2),
        corner=(LEFT, TOP),
        middle=(LEFT + side // 2, TOP + side // 2),
        cell=CELL,
        cells=tuple(cells),
    )


def heat(n: int, most: int) -> float:
    """Return the opacity for a count, one of `OPACITIES`; 0 for none."""
    if not n:
        return 0.0
    level = math.ceil(len(OPACITIES) * math.log1p(n) / math.log1p(most) - 1e-9)
    return OPACITIES[max(1, level) - 1]
