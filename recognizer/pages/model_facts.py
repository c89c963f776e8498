"""What the site says of itself: its model, as the model's card has it, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recognizer.models import ModelVersion
from recognizer.text.numbers import two_decimals


@dataclass(frozen=True)
class Measured:
    """A line of the model's report: what it was measured on and how well it did (shares 0-1)."""

    name: str
    what: str
    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class AboutModel:
    """What a visitor may want to know of the active model; what its card lacks is empty."""

    name: str
    created: datetime | None
    parameters: int | None
    trained_on: tuple[str, ...]
    read: tuple[Measured, ...]
    refused: tuple[Measured, ...]
    sure_from: float
    refused_digits: float | None
    calibration_error: float | None


def about(version: ModelVersion) -> AboutModel:
    """Return what the card of a version says, in the visitor's language.

    A model trained elsewhere may lack any of it: then that part is left out.
    """
    card = version.card if isinstance(version.card, dict) else {}
    metrics = _dict(card.get("metrics"))
    mnist = _dict(metrics.get("mnist test"))
    return AboutModel(
        name=version.name,
        created=_moment(card.get("created")) or version.created_at,
        parameters=_whole(card.get("parameters")),
        trained_on=tuple(
            _source(name, _dict(data)) for name, data in _dict(card.get("data")).items()
        ),
        read=tuple(_measured(metrics, _read_sets(), "accuracy")),
        refused=tuple(_measured(metrics, _refused_sets(), "refused")),
        sure_from=float(_dict(card.get("thresholds")).get("uncertain") or 0),
        refused_digits=_share(mnist.get("refused")),
        calibration_error=_share(mnist.get("calibration_error")),
    )


def _read_sets() -> dict[str, tuple[str, str]]:
    """The sets of digits, best known first: names in a card, and in words."""
    pen = _("digits of six people the model has never seen, drawn with a pen")
    return {
        "mnist test": ("MNIST", _("scanned handwriting, the field's standard test")),
        "pen centred": (_("Pen, large and centred"), pen),
        "pen small": (_("Pen, small, anywhere"), pen),
        "pen large": (_("Pen, filling the canvas"), pen),
        "pen thin": (_("Pen, a thin line"), pen),
        "pen wild": (_("Pen, any size, place and width"), pen),
        "labelled": (_("Drawings of this site"), _("labelled by a reviewer, never trained on")),
    }


def _refused_sets() -> dict[str, tuple[str, str]]:
    return {
        "non-digits": (_("Not a digit"), _("scribbles, letters, shapes: the share it refuses")),
    }


def _measured(
    metrics: dict[str, Any], sets: dict[str, tuple[str, str]], measure: str
) -> list[Measured]:
    found = []
    for key, (name, what) in sets.items():
        row = _dict(metrics.get(key))
        share, n = _share(row.get(measure)), _whole(row.get("n"))
        if share is None or not n:
            continue
        interval = row.get("interval") if measure == "accuracy" else None
        low, high = interval if _is_interval(interval) else (share, share)
        found.append(Measured(name, what, n, share, low, high))
    return found


def _source(name: str, data: dict[str, Any]) -> str:
    words = {
        "mnist": _("MNIST, scanned handwriting"),
        "pen": _("UCI pen digits, drawn by 22 people"),
        "omniglot": _("Omniglot, characters of other alphabets, to know what is no digit"),
        "generated": _("digits and other shapes drawn by a program"),
        "labelled": _("drawings of this site that a reviewer has labelled"),
    }
    text = words.get(name, name)
    n = _whole(data.get("n"))
    return f"{text} ({number_format(n, force_grouping=True)})" if n else text


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return None


def _is_interval(value: object) -> TypeGuard[list[float]]:
    return isinstance(value, list) and len(value) == 2 and all(_share(v) is not None for v in value)


def _moment(value: object) -> datetime | None:
    try:
        return parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None


@dataclass(frozen=True)
class MeasuredInWords:
    """A line of the model's report, in words."""

    name: str
    what: str
    n: int
    share: str
    interval: str


def measured(row: Measured) -> MeasuredInWords:
    """Return a line of the model's report; shares in per cent with two decimals."""
    interval = "" if row.low == row.high else f"{two_decimals(row.low)} – {two_decimals(row.high)}"
    return MeasuredInWords(row.name, row.what, row.n, two_decimals(row.accuracy), interval)
