"""Plots for training reports and evaluations, as PNG files. Works without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.classifier import DIGITS
from training.evaluation.metrics import Outcome
from training.model.train import History


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def learning_curves(history: History, path: Path) -> None:
    figure = _figure(8, 3.2)
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(history.loss) + 1)
    left.plot(epochs, history.loss, "o-", label="training loss")
    right.plot(epochs, history.training_accuracy, "o-", label="training, augmented")
    right.plot(epochs, history.validation_accuracy, "o-", label="validation")
    for axes, name in ((left, "cross-entropy"), (right, "accuracy")):
        axes.set(xlabel="epoch", ylabel=name)
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path)


def confusion_matrix(outcome: Outcome, path: Path) -> None:
    """Write the confusion matrix of the digits; rows are labels."""
    labels = outcome.data.labels
    predicted = outcome.probabilities.argmax(1)
    is_digit = labels < DIGITS
    counts = np.zeros((DIGITS, DIGITS), int)
    np.add.at(counts, (labels[is_digit], predicted[is_digit]), 1)
    figure = _figure(5.5, 5)
    axes = figure.subplots()
    # Hundreds on the diagonal, single mistakes elsewhere: a log scale shows both.
    axes.imshow(np.log1p(counts), cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if np.log1p(count) > np.log1p(counts).max() / 2 else "black"
            axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    axes.set(
        xticks=range(DIGITS), yticks=range(DIGITS), xlabel="predicted", ylabel="label",
        title=f"{outcome.data.name}: {int((~outcome.right[is_digit]).sum())} of "
        f"{int(is_digit.sum())} wrong",
    )  # fmt: skip
    figure.savefig(path)


def worst_mistakes(outcome: Outcome, path: Path, most: int = 60) -> None:
    """Write the model inputs misclassified with the highest confidence."""
    wrong = np.flatnonzero(~outcome.right & (outcome.data.labels < DIGITS))
    predicted, confidence = outcome.probabilities.argmax(1), outcome.probabilities.max(1)
    wrong = wrong[np.argsort(-confidence[wrong])]
    labels = [f"{outcome.data.labels[i]} → {predicted[i]}  {confidence[i]:.0%}" for i in wrong]
    title = f"{outcome.data.name}: label, prediction, confidence"
    _gallery(outcome, wrong[:most], labels, _counted(title, len(wrong), most), path)


def accepted_nondigits(outcome: Outcome, path: Path, most: int = 60) -> None:
    """Write the non-digits that the model accepted, the highest digit score first."""
    accepted = np.flatnonzero(~outcome.refused & (outcome.data.labels >= DIGITS))
    scores, predicted = outcome.scores, outcome.probabilities.argmax(1)
    accepted = accepted[np.argsort(-scores[accepted])]
    labels = [f"→ {predicted[i]}  {scores[i]:.0%}" for i in accepted]
    title = f"{outcome.data.name}: prediction, digit score"
    _gallery(outcome, accepted[:most], labels, _counted(title, len(accepted), most), path)


def _counted(title: str, n: int, most: int) -> str:
    return f"{title} ({most} of {n:,})" if n > most else f"{title} ({n:,})"


def _gallery(
    outcome: Outcome, indexes: NDArray[np.intp], labels: Sequence[str], title: str, path: Path
) -> None:
    columns = 10
    rows = max(1, -(-len(indexes) // columns))
    figure = _figure(columns * 0.9, rows * 1.15 + 0.4)
    figure.suptitle(title)
    grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, index, label in zip(grid, indexes, labels, strict=False):
        axes.imshow(255 - outcome.data.images[index], cmap="gray", vmin=0, vmax=255)
        axes.set_title(label, fontsize=7)
    figure.savefig(path)


def reliability_diagram(outcome: Outcome, path: Path, bins: int = 15) -> None:
    """Write the accuracy by confidence (Guo et al. 2017, figure 1)."""
    confidence, right = _answers(outcome)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(index, minlength=bins)
    used = size > 0
    middle = (np.arange(bins) + 0.5) / bins
    share = np.bincount(index, right, bins)[used] / size[used]
    figure = _figure(4.6, 4.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="perfect calibration")
    axes.bar(middle[used], share, width=0.9 / bins, label="measured")
    for x, y, n in zip(middle[used], share, size[used], strict=True):
        axes.text(x, y, f"{n:,}", ha="center", va="bottom", fontsize=6, rotation=90)
    axes.set(xlabel="confidence", ylabel="accuracy", title=outcome.data.name, ylim=(0, 1.15))
    axes.legend(loc="upper left")
    figure.savefig(path)


def risk_coverage(outcome: Outcome, path: Path) -> None:
    """Write the share of mistakes against the share of answers given, most confident first."""
    confidence, right = _answers(outcome)
    order = np.argsort(-confidence, kind="stable")
    n = np.arange(1, len(order) + 1)
    figure = _figure(4.6, 3.4)
    axes = figure.subplots()
    axes.plot(100 * n / len(order), 100 * np.cumsum(~right[order]) / n)
    axes.set(xlabel="answers given, most confident first (%)", ylabel="of these wrong (%)")
    axes.set_title(outcome.data.name)
    axes.grid(alpha=0.3)
    figure.savefig(path)


def _answers(outcome: Outcome) -> tuple[Any, Any]:
    is_digit = outcome.data.labels < DIGITS
    return outcome.probabilities.max(1)[is_digit], outcome.right[is_digit]
