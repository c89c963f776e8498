"""The model card, which is JSON, as tables and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from recognizer.admin.versions import set_figures
from recognizer.inference.card import ModelCard
from recognizer.text.numbers import grouped, localised, two_decimals


@dataclass(frozen=True)
class Chapter:
    """A part of a card: a table with one row per name, or a list of names and texts."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    leaves: tuple[tuple[str, str], ...] = ()


def headlines(card: ModelCard) -> list[str]:
    """What is correct of each evaluation set of the card: "mnist test 99.61 % of 10,000"."""
    return [
        _("{name} {share} of {n}").format(
            name=set_figures.shown_name(name),
            share=two_decimals(figure.correct),
            n=grouped(figure.n),
        )
        for name, figure in set_figures.of_card(card).items()
        if figure.correct is not None and figure.n
    ]


def chapters(card: ModelCard) -> list[Chapter]:
    """The card in chapters: plain values first, then one for each object or list in it.

    Without the gate's result: the page shows it as a table of its own.
    """
    values = card.to_json()
    if card.gate is not None:
        del values["gate"]
    plain = {name: value for name, value in values.items() if not isinstance(value, dict | list)}
    found = [Chapter(_("Model card"), leaves=tuple(flatten(plain)))]
    found += [chapter(name, value) for name, value in values.items() if name not in plain]
    return [each for each in found if each.leaves or each.rows]


def chapter(name: str, value: object) -> Chapter:
    """One chapter: objects that share their keys, such as the metrics, make a table."""
    title = name.replace("_", " ").capitalize()
    objects = list(value.values()) if isinstance(value, dict) else []
    keys = tuple(objects[0]) if objects and isinstance(objects[0], dict) else ()
    if keys and all(isinstance(each, dict) and tuple(each) == keys for each in objects):
        assert isinstance(value, dict)
        rows = tuple((row, tuple(text(cells[key]) for key in keys)) for row, cells in value.items())
        return Chapter(title, columns=keys, rows=rows)
    return Chapter(title, leaves=tuple(flatten(value)))


def flatten(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON value as (dotted name, text); a list of plain values is one leaf."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from flatten(child, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(child, dict | list) for child in value):
        for index, child in enumerate(value):
            yield from flatten(child, f"{name}[{index}]")
    elif value is not None:
        yield name, text(value)


def text(value: object) -> str:
    """A JSON value in one line; numbers with five significant figures at most."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return localised(f"{value:.5g}")
    if isinstance(value, dict):
        return "; ".join(f"{name}: {leaf}" for name, leaf in flatten(value))
    if isinstance(value, list):
        return ", ".join(map(text, value))
    return str(value)
