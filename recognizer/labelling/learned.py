"""Which labels a version was trained on: counted by label, reviewer and import.

Only counts are stored, not each drawing: a few rows for a version instead of 100,000.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from uuid import UUID

from recognizer.labelling import labels
from recognizer.models import LabelEvent, LearnedLabels, ModelVersion, Prediction, Via

_Origin = tuple[int | None, UUID | None]
"""The reviewer's account, or the import's batch; neither if the drawing is not stored here."""


def record(*, version: ModelVersion, given: Mapping[str, int], held_out: Set[str]) -> None:
    """Store which labels a version was trained on.

    ``given`` are the labels (0-10) by the id of the drawing, ``held_out`` those ids that were kept
    for evaluation. A label that was changed during the training counts for nobody.
    """
    counts: Counter[tuple[int, _Origin, bool]] = Counter()
    origins = _origins(given)
    for name, label in given.items():
        counts[label, origins.get(name, (None, None)), name in held_out] += 1
    groups = {(label, origin) for label, origin, _held_out in counts}
    LearnedLabels.objects.filter(version=version).delete()
    LearnedLabels.objects.bulk_create(
        LearnedLabels(
            version=version,
            label=label,
            by_id=by,
            batch=batch,
            n=counts[label, (by, batch), False],
            held_out=counts[label, (by, batch), True],
        )
        for label, (by, batch) in groups
    )


def _origins(given: Mapping[str, int]) -> dict[str, _Origin]:
    names = {pk: name for name in given if (pk := _uuid(name)) is not None}
    stored = list(names)
    found: dict[str, _Origin] = {}
    for start in range(0, len(stored), labels.BATCH):
        some = stored[start : start + labels.BATCH]
        # The last event of each drawing replaces those before it.
        events = LabelEvent.objects.filter(prediction__in=some).order_by("at", "pk")
        last = {pk: (via, batch) for pk, via, batch in events.values_list(*_EVENT)}
        rows = Prediction.objects.filter(pk__in=some).values_list("pk", "label", "labelled_by")
        for pk, label, by in rows:
            if label != given[names[pk]]:
                continue
            via, batch = last.get(pk, ("", None))
            is_imported = via == Via.IMPORT and batch is not None
            found[names[pk]] = (None, batch) if is_imported else (by, None)
    return found


_EVENT = ("prediction", "via", "batch")


def _uuid(name: str) -> UUID | None:
    """Return the id of a drawing; None for the hash that takes its place in some files."""
    try:
        return UUID(name)
    except ValueError:
        return None
