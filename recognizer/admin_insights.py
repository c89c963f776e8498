"""How good the model really is, and how the review goes: figures and charts."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern


def urls(site: AdminSite) -> list[URLPattern]:
    """The addresses below the list of predictions."""
    return []
