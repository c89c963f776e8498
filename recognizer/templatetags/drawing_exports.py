"""The menu "Export these" above the list of predictions."""

from __future__ import annotations

from django import template
from django.contrib.admin.views.main import ChangeList

from recognizer.admin.predictions import downloads
from recognizer.labelling import suspects

register = template.Library()


@register.simple_tag
def export_links(cl: ChangeList) -> list[downloads.Link]:
    return downloads.links(cl.get_query_string())


@register.simple_tag
def suspect_labels() -> int:
    """How many labels look wrong."""
    return suspects.count()
