"""Links to the pages for reviewers in the admin's templates."""

from __future__ import annotations

from typing import Any

from django import template

from recognizer.admin.navigation import Link, review_links

register = template.Library()


@register.simple_tag(takes_context=True)
def review_pages(context: dict[str, Any]) -> list[Link]:
    request = context.get("request")
    return [] if request is None else review_links(request)
