"""Numbers as the reader's language writes them, for the pages; attributes of an SVG stay as they
are.
"""

from __future__ import annotations

from django.utils.formats import get_format, number_format


def localised(number: str) -> str:
    """Return a number as Python writes it, with the decimal sign of the reader's language."""
    return number.replace(".", get_format("DECIMAL_SEPARATOR"))


def grouped(n: float) -> str:
    """Return a whole number with its thousands apart."""
    return number_format(round(n), use_l10n=True, force_grouping=True)
