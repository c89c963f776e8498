"""Links in the admin's templates: to the pages for reviewers, and the steps of learning."""

from __future__ import annotations

from typing import Any

from django import template

from recognizer.admin.home import Step, steps
from recognizer.admin.navigation import Link, review_links

register = template.Library()


@register.simple_tag(takes_context=True)
def learning_loop(context: dict[str, Any]) -> list[Step]:
    request = context.get("request")
    return [] if request is None else steps(request)


@register.simple_tag(takes_context=True)
def review_pages(context: dict[str, Any]) -> list[Link]:
    request = context.get("request")
    return [] if request is None else review_links(request)
