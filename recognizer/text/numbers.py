"""Numbers in the user's language."""

from __future__ import annotations

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _


def localised(number: str) -> str:
    """Return a number in Python's notation with the decimal separator of the user's language."""
    return number.replace(".", get_format("DECIMAL_SEPARATOR"))


def grouped(n: float) -> str:
    """Return a whole number with thousands separators."""
    return number_format(round(n), use_l10n=True, force_grouping=True)


# No model is certain: higher figures are not shown.
NEARLY_ONE = 0.9995


def percent(share: float) -> str:
    """Return a share (0-1) in per cent with one decimal and a no-break space before the sign.

    The texts contain that character itself: `makemessages` does not know its escape.
    """
    return _("{value} %").format(value=number_format(round(100 * share, 1), 1))


def short_percent(share: float) -> str:
    """Return a probability (0-1) in per cent, short enough for a bar or a thumbnail."""
    return _(">99.9 %") if share >= NEARLY_ONE else percent(share)


def two_decimals(share: float) -> str:
    """Return a share (0-1) in per cent with two decimals."""
    return _("{value} %").format(value=number_format(round(100 * share, 2), 2))


def optional_percent(share: float | None) -> str:
    """Return a share (0-1) in per cent, or "" if it is not known."""
    return "" if share is None else two_decimals(share)
