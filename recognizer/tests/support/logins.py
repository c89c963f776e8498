"""Logging in as a person does: with the browser's cookies."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

LOGIN = "/admin/login/"


def try_to_log_in(client: Client, username: str, password: str, **fields: str) -> Any:
    """Send the form of the admin's login page."""
    form = {"username": username, "password": password, **fields}
    # As a dictionary, REST framework's client would send JSON.
    return client.post(
        LOGIN, "&".join(f"{name}={value}" for name, value in form.items()),
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip


def log_in(client: Client, user: User) -> None:
    """Log a user in who was made by `make_user`. `Client.login` would send no visitor's cookie."""
    # The admin's page is for staff.
    User.objects.filter(pk=user.pk).update(is_staff=True)
    assert try_to_log_in(client, user.username, f"pass-of-{user.username}").status_code == 302
