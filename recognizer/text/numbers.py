"""Numbers in the reader's language."""

from __future__ import annotations

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _


def localised(number: str) -> str:
    """Return a number as Python writes it, with the decimal sign of the reader's language."""
    return number.replace(".", get_format("DECIMAL_SEPARATOR"))


def grouped(n: float) -> str:
    """Return a whole number with its thousands apart."""
    return number_format(round(n), use_l10n=True, force_grouping=True)


# No model is certain: above this no figure is given.
NEARLY_ONE = 0.9995


def percent(share: float) -> str:
    """Return a share (0-1) in per cent with one decimal, the sign after a no-break space.

    That stands in the texts as the character: `makemessages` does not know its escape.
    """
    return _("{value} %").format(value=number_format(round(100 * share, 1), 1))


def short_percent(share: float) -> str:
    """Return a probability (0-1) in per cent, short enough for a bar or a thumbnail."""
    return _(">99.9 %") if share >= NEARLY_ONE else percent(share)


def two_decimals(share: float) -> str:
    """Return a share (0-1) in per cent with two decimals."""
    return _("{value} %").format(value=number_format(round(100 * share, 2), 2))


def optional_percent(share: float | None) -> str:
    """Return a share (0-1) in per cent, or nothing where it is not known."""
    return "" if share is None else two_decimals(share)


def share(value: float) -> str:
    return two_decimals(value)
