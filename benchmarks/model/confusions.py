"""What a model misclassifies as what on UNIPEN's held-out digits: by site and by allograph."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.results import Share, Table
from training.data.unipen import Drawing
from training.evaluation.metrics import Outcome
from training.synthesis.lookalike_filter import nearest_allograph

_PLACEMENT = "wild"
_SHOWN = 6
"""Confusions in a line, the most frequent first."""

_NAME_WIDTH = 26


def table(outcomes: Mapping[str, Outcome], held_out: Mapping[str, Sequence[Drawing]]) -> str:
    """Return both tables, of the digits drawn wild.

    ``held_out`` are the drawings that the sets in ``outcomes`` were made of, in their order. The
    allograph of a drawing is that of the nearest generated digit with the same label.
    """
    drawings: list[Drawing] = []
    found: list[Outcome] = []
    for part in ("UNIPEN writers", "UNIPEN site"):
        if outcome := outcomes.get(f"{part} {_PLACEMENT}"):
            drawings += held_out[part]
            found.append(outcome)
    if not found:
        return "UNIPEN is not available: no confusions."
    labels = np.array([drawing.label for drawing in drawings])
    predicted = np.concatenate([outcome.probabilities.argmax(1) for outcome in found])
    refused = np.concatenate([outcome.refused for outcome in found])
    sites = [drawing.site for drawing in drawings]
    styles = [
        f"{drawing.label} {nearest_allograph(drawing.strokes, drawing.label)}"
        for drawing in drawings
    ]
    return "\n".join(
        [
            *_grouped("site", sites, labels, predicted, refused),
            *_grouped("allograph", styles, labels, predicted, refused),
        ]
    )


def _grouped(
    title: str,
    groups: Iterable[str],
    labels: NDArray[np.integer],
    predicted: NDArray[np.integer],
    refused: NDArray[np.bool_],
) -> list[str]:
    """Return a table with a line for each group, whatever group each drawing belongs to (n,)."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    shown = Table("n", "correct", "95 % interval", "refused", name=title, name_width=_NAME_WIDTH)
    lines = ["", shown.head + "  misclassified as"]
    for group, rows in sorted(members.items()):
        wrong = [index for index in rows if labels[index] != predicted[index]]
        confused = Counter(f"{labels[index]} as {predicted[index]}" for index in wrong)
        note = ", ".join(f"{pair}: {count}" for pair, count in confused.most_common(_SHOWN))
        right = Share(len(rows) - len(wrong), len(rows))
        rejected = Share(int(refused[rows].sum()), len(rows))
        lines.append(
            shown.line(group, len(rows), *right.cells(), f"{rejected.value:.1%}", note=note)
        )
    return lines
