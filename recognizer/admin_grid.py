"""The grid: many drawings that the model reads alike, to pick the wrong ones from."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern


def urls(site: AdminSite) -> list[URLPattern]:
    """The addresses below the list of predictions."""
    return []
