"""What the About page says about the active model, from its model card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recognizer.inference.card import DataSource, ModelCard, SetMetrics
from recognizer.models import ModelVersion
from recognizer.text.numbers import optional_percent, two_decimals


@dataclass(frozen=True)
class Measured:
    """A row of the table: an evaluation set, its size, and how well the model did on it."""

    name: str
    what: str
    n: int
    share: str
    interval: str


@dataclass(frozen=True)
class AboutModel:
    """What the page shows of the active model; what its card lacks is empty."""

    name: str
    created: datetime
    parameters: int | None
    trained_on: tuple[str, ...]
    measured: tuple[Measured, ...]
    refused_digits: str
    calibration_error: str


def about(version: ModelVersion) -> AboutModel:
    card = version.model_card
    drawn = _drawn(card)
    return AboutModel(
        name=version.name,
        created=card.created_at or version.created_at,
        parameters=card.parameters,
        trained_on=tuple(_source(name, data) for name, data in card.data.items()),
        measured=tuple(_measured(card)),
        refused_digits=optional_percent(drawn.refused),
        calibration_error=optional_percent(drawn.calibration_error),
    )


def _drawn(card: ModelCard) -> SetMetrics:
    """The measures on what resembles most what people draw here, of the sets in the card."""
    for name in ("UNIPEN writers wild", "pen wild", "mnist test"):
        if found := card.metrics.get(name):
            return found
    return SetMetrics()


def _sets() -> dict[str, tuple[str, str]]:
    """The sets in the order shown, by their name in a card: name and explanation."""
    pen = _("digits drawn with a pen by six people whose drawings it was not trained on")
    unipen = _("digits drawn with a pen by people whose drawings it was not trained on")
    return {
        "labelled": (_("Drawings on this site"), _("labelled by a reviewer, never trained on")),
        "UNIPEN writers wild": (_("UNIPEN, 26 writers"), unipen),
        "UNIPEN site wild": (_("UNIPEN, a site that it was not trained on"), unipen),
        "pen centred": (_("Pen, large and centred"), pen),
        "pen small": (_("Pen, small, anywhere"), pen),
        "pen large": (_("Pen, filling the canvas"), pen),
        "pen thin": (_("Pen, a thin line"), pen),
        "pen wild": (_("Pen, any size, place and width"), pen),
        "mnist test": ("MNIST", _("scanned handwriting, the field's standard test")),
        "non-digits": (_("Not a digit"), _("scribbles, letters and shapes: the share it rejects")),
    }


def _measured(card: ModelCard) -> list[Measured]:
    found = []
    for key, (name, what) in _sets().items():
        row = card.metrics.get(key, SetMetrics())
        if row.n and row.correct is not None:
            interval = ""
            if row.interval is not None:
                interval = " – ".join(map(two_decimals, row.interval))
            found.append(Measured(name, what, row.n, two_decimals(row.correct), interval))
    return found


def _source(name: str, data: DataSource) -> str:
    words = {
        "mnist": _("MNIST, scanned handwriting"),
        "pen": _("UCI pen digits, drawn by 22 people"),
        "unipen": _("UNIPEN digits, drawn with a pen by 79 people of seven sites"),
        "unipen letters": _("UNIPEN letters and signs, as examples of non-digits"),
        "omniglot": _("Omniglot, characters of other alphabets, as examples of non-digits"),
        "generated": _("digits and other shapes drawn by a program"),
        "labelled": _("drawings on this site labelled by a reviewer"),
    }
    text = words.get(name, name)
    return f"{text} ({number_format(data.n, force_grouping=True)})" if data.n else text
