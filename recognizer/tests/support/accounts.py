"""API tokens for tests."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from recognizer.accounts import tokens


def make_token(
    user: User, *scopes: str, name: str = "a test", expires_at: datetime | None = None
) -> str:
    """Return a new token of this user; without scopes it may predict and read."""
    chosen = scopes or ("predict", "read")
    return tokens.create(user=user, name=name, scopes=chosen, expires_at=expires_at)[1]


def program_of(user: User, *scopes: str) -> APIClient:
    """Return a program that sends a new token of this user."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(user, *scopes)}")
    return client
