"""Dates and times as the admin shows them, in one form."""

from __future__ import annotations

import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def moment(when: datetime.datetime) -> str:
    """Return a date and time in the site's time zone."""
    return date_format(timezone.localtime(when), _("j M Y, H:i"))
