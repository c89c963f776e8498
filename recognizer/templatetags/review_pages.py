"""What the admin's templates need to know of the pages for reviewers."""

from __future__ import annotations

from typing import Any

from django import template

from recognizer.admin.navigation import Link, review_links

register = template.Library()


@register.simple_tag(takes_context=True)
def review_pages(context: dict[str, Any]) -> list[Link]:
    """Return the way to each page for reviewers that this person may open."""
    request = context.get("request")
    return [] if request is None else review_links(request)
