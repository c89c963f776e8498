"""What the menu "Export these" above the list of predictions offers."""

from __future__ import annotations

from django import template
from django.contrib.admin.views.main import ChangeList

from recognizer import admin_exports

register = template.Library()


@register.simple_tag
def export_links(cl: ChangeList) -> list[admin_exports.Link]:
    """The downloads of all that this list's filters and search leave."""
    return admin_exports.links(cl.get_query_string())
