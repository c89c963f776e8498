"""What happens on a signal: the bundled model after `migrate`, a visitor's drawings at login."""

from __future__ import annotations

from django.apps import AppConfig


def connect(app: AppConfig) -> None:
    """Connect every receiver of this module; called once, when Django starts."""
