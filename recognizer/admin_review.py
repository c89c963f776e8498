"""The review queue: one drawing after another, labelled by a key each."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern


def urls(site: AdminSite) -> list[URLPattern]:
    """The addresses below the list of predictions."""
    return []
