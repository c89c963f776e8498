"""How far reviewers agree: on labels drawn at random and given again without seeing the first.

Third opinions are not counted: they are only asked for where two reviewers differ. Aggregated in
the database, from the index ``opinion_given`` alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count

from recognizer.models import Opinion, OpinionKind
from recognizer.statistics.intervals import Share

MOST_REVIEWERS = 20
MOST_PAIRS = 20
MOST_DIGIT_PAIRS = 10


@dataclass(frozen=True)
class Cell:
    """How often one reviewer gave the label ``first`` and another ``second``."""

    first_by: int | None
    second_by: int | None
    first: int
    second: int
    n: int


@dataclass(frozen=True)
class Kappa:
    """An agreement above chance: 0 is chance, 1 is perfect.

    ``value`` is None if there are no labels, or all of them are the same one. The 95 % interval is
    that of the share agreed (Wilson 1927), with the agreement by chance taken as known: it has a
    width even where all labels agree.
    """

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Agreement:
    agreed: Share
    cohen: Kappa
    fleiss: Kappa


@dataclass(frozen=True)
class Reviewer:
    """A reviewer's agreement with all others, and with their own earlier labels."""

    name: str | None
    others: Share
    own: Share


@dataclass(frozen=True)
class Pair:
    one: str | None
    other: str | None
    agreed: Share
    cohen: Kappa


@dataclass(frozen=True)
class DigitPair:
    """Of the drawings that both reviewers labelled one of two labels, those where they differ."""

    one: int
    other: int
    confused: Share


@dataclass(frozen=True)
class Report:
    overall: Agreement
    reviewers: tuple[Reviewer, ...]
    pairs: tuple[Pair, ...]
    digits: tuple[DigitPair, ...]


def report(*, since: datetime.datetime | None) -> Report:
    """Return the agreement of all opinions given since then."""
    second = _cells(OpinionKind.SECOND, since)
    own = _cells(OpinionKind.OWN, since)
    people = [pk for pk in _people(second, own) if pk is not None]
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "username"))
    return Report(
        agreement(second),
        tuple(_reviewers(second, own, names)),
        tuple(_pairs(second, names)),
        tuple(_digit_pairs(second)),
    )


def _cells(kind: OpinionKind, since: datetime.datetime | None) -> list[Cell]:
    given = Opinion.objects.order_by().filter(kind=kind, label__isnull=False)
    if since is not None:
        given = given.filter(at__gte=since)
    rows = given.values_list("first_by", "by", "first", "label").annotate(n=Count("*"))
    return [Cell(*row) for row in rows]


def agreement(cells: Iterable[Cell]) -> Agreement:
    """Return per cent, Cohen's kappa (1960) and Fleiss' kappa (1971) of pairs of labels.

    Cohen takes the first and the second labels as two reviewers with frequencies of their own;
    Fleiss takes all labels as given by interchangeable reviewers, two to a drawing.
    """
    cells = list(cells)
    agreed = _agreed(cells)
    first, second = _frequencies(cells)
    if not agreed.n:
        return Agreement(agreed, Kappa(None, None), Kappa(None, None))
    labels = first.keys() | second.keys()
    cohen = sum(first.get(each, 0) * second.get(each, 0) for each in labels) / agreed.n**2
    together = [first.get(each, 0) + second.get(each, 0) for each in labels]
    fleiss = sum((each / (2 * agreed.n)) ** 2 for each in together)
    return Agreement(agreed, _kappa(agreed, cohen), _kappa(agreed, fleiss))


def _agreed(cells: Iterable[Cell]) -> Share:
    cells = list(cells)
    return Share(
        sum(each.n for each in cells if each.first == each.second), sum(each.n for each in cells)
    )


def _frequencies(cells: Iterable[Cell]) -> tuple[dict[int, int], dict[int, int]]:
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for each in cells:
        first[each.first] = first.get(each.first, 0) + each.n
        second[each.second] = second.get(each.second, 0) + each.n
    return first, second


def _kappa(agreed: Share, by_chance: float) -> Kappa:
    if agreed.value is None or agreed.interval is None or by_chance >= 1:
        return Kappa(None, None)
    low, high = ((share - by_chance) / (1 - by_chance) for share in agreed.interval)
    return Kappa((agreed.value - by_chance) / (1 - by_chance), (low, high))


def _people(second: list[Cell], own: list[Cell]) -> set[int | None]:
    return {each.first_by for each in [*second, *own]} | {each.second_by for each in second}


def _reviewers(second: list[Cell], own: list[Cell], names: dict[int, str]) -> list[Reviewer]:
    found = [
        Reviewer(
            names.get(pk) if pk is not None else None,
            _agreed(each for each in second if pk in (each.first_by, each.second_by)),
            _agreed(each for each in own if each.first_by == pk),
        )
        for pk in _people(second, own)
    ]
    found.sort(key=lambda each: (-each.others.n - each.own.n, each.name or ""))
    return found[:MOST_REVIEWERS]


def _pairs(cells: list[Cell], names: dict[int, str]) -> list[Pair]:
    by_pair: dict[tuple[int, int], list[Cell]] = {}
    for each in cells:
        one, other = each.first_by, each.second_by
        if one is None or other is None:
            continue
        # In one direction, whoever was the first.
        turned = each if one < other else Cell(other, one, each.second, each.first, each.n)
        by_pair.setdefault((min(one, other), max(one, other)), []).append(turned)
    found = []
    for (one, other), some in by_pair.items():
        measured = agreement(some)
        found.append(Pair(names.get(one), names.get(other), measured.agreed, measured.cohen))
    found.sort(key=lambda each: (-each.agreed.n, each.one or "", each.other or ""))
    return found[:MOST_PAIRS]


def _digit_pairs(cells: list[Cell]) -> list[DigitPair]:
    pairs = {tuple(sorted((each.first, each.second))) for each in cells}
    found = []
    for one, other in pairs:
        if one == other:
            continue
        both = [each for each in cells if {each.first, each.second} <= {one, other}]
        agreed = _agreed(both)
        found.append(DigitPair(one, other, Share(agreed.n - agreed.hits, agreed.n)))
    found.sort(key=lambda each: (-each.confused.hits, each.one, each.other))
    return found[:MOST_DIGIT_PAIRS]
