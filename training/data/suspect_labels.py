"""Labels that look wrong among those of a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from recognizer.labelling import confident_learning, suspects
from recognizer.labelling.confident_learning import Suspect
from recognizer.models import label_text
from recognizer.versions import loading
from training.data.labelled import Labelled

LISTED = 5
"""Suspects, or pairs of labels, that a sentence lists."""


def searched(found: Labelled, *, is_stored: bool) -> Labelled:
    """Return the labels with their suspects, except those that a reviewer has kept.

    Without a model to judge them, or with one that does not load, there are none. If the labels are
    those in the database (``is_stored``), the review queue shows these suspects from now on.
    """
    try:
        judge = loading.load(suspects.base_network()).classifier
    except (suspects.NoNetwork, loading.LoadError):
        return found
    answers = judge.classify_many(list(found.data.images))
    among = confident_learning.suspects_of(answers, found.data.labels.tolist())
    if is_stored:
        by_id = {UUID(found.ids[each.index]): each for each in among}
        suspects.store(by_id, labels=len(found.ids))
    ids = [pk for each in among if (pk := _uuid(found.ids[each.index])) is not None]
    settled = {str(pk) for pk in suspects.settled(ids)}
    return replace(found, suspects=[e for e in among if found.ids[e.index] not in settled])


def _uuid(name: str) -> UUID | None:
    """Return the id of a drawing; None for the hash that takes its place in some files."""
    try:
        return UUID(name)
    except ValueError:
        return None


def checked(
    found: Labelled,
    *,
    is_stored: bool,
    drop: Callable[[int], bool],
    say: Callable[[str], None],
) -> Labelled:
    """Search the labels, say which look wrong, and return those to train with.

    ``drop`` is asked, with the number of labels that can be left out (see
    ``Labelled.to_leave_out``), whether to train without them.
    """
    found = searched(found, is_stored=is_stored)
    trained_on = found.suspects_held_out(False)
    if not trained_on:
        return found
    say(in_words(trained_on))
    clear = len(found.to_leave_out())
    if clear < len(trained_on):
        say(f"Similar drawings contradict {clear:,} of them, too; the training keeps the others.")
    if clear and drop(clear):
        say(f"The training leaves {clear:,} out.")
        return found.without_suspects()
    say("The training keeps all of them.")
    return found


def in_words(some: Sequence[Suspect]) -> str:
    """Return how many labels look wrong, and which are the most frequent."""
    pairs = Counter((each.label, each.likely) for each in some)
    listed = [
        f"{n} labelled {label_text(label)} "
        + ("looks" if n == 1 else "look")
        + f" like {label_text(likely)}"
        for (label, likely), n in pairs.most_common(LISTED)
    ]
    more = "; ..." if len(pairs) > LISTED else ""
    what = "1 label looks" if len(some) == 1 else f"{len(some):,} labels look"
    return f"{what} wrong: {'; '.join(listed)}{more}."
