"""The sentence on the admin's start page that proposes a training."""

from __future__ import annotations

from typing import Any

from django import template

from recognizer.admin.jobs import outlook_text

register = template.Library()


@register.simple_tag(takes_context=True)
def training_proposal(context: dict[str, Any]) -> str:
    """Return a sentence for users who may start a training, if one is worth it; else nothing."""
    request = context.get("request")
    if request is None or not request.user.has_perm("recognizer.add_trainingjob"):
        return ""
    return outlook_text.proposal_now()
