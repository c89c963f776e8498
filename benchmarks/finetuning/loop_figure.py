"""The plot of the learning loop: mistakes over labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.finetuning.learning_loop import Row


def draw_curve(styles: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Plot the curve of each style, and the accuracy on MNIST's test set, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 3.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for (name, rows), marker in zip(styles.items(), "os^Dvp*X", strict=False):
        labels = [row.labels for row in rows]
        left.plot(labels, [100 * row.wrong / row.n for row in rows], marker=marker, label=name)
        mnist = [100 * (1 - row.mnist_misclassified / row.mnist_n) for row in rows]
        right.plot(labels, mnist, marker=marker)
    left.set(title="The writers' other drawings", ylabel="wrong (%)", ylim=(0, None))
    left.legend(title="style")
    right.set(title="MNIST test set", ylabel="correct (%)")
    low, high = right.get_ylim()
    # Wide enough that a change of a few images looks small.
    middle, half = (low + high) / 2, max(0.5, (high - low) / 2)
    right.set_ylim(middle - half, min(100.0, middle + half))
    for axes in (left, right):
        axes.set(xlabel="labelled drawings")
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
