"""STAFF_SECOND_FACTOR: the admin asks for a one-time password, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recognizer.tests.support.waiting import PATIENCE

LOG_IN = """
import django
django.setup()
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

device = TOTPDevice.objects.get(user__username="ada")
form = {"username": "ada", "password": "pass"}
client = Client(headers={"host": "localhost"})
token_form = {"name": "bot", "scopes": ["review", "export"]}

def privileges():
    for address in ("/api/v1/models/", "/api/v1/labels/export/"):
        print(client.get(address).status_code)
    print(client.post("/account/tokens/", token_form).status_code)

client.post("/account/log-in/", form)
privileges()
client.post("/admin/login/", form)
print(client.get("/admin/").status_code)
client.post("/admin/login/", {**form, "otp_token": "000000", "otp_device": device.persistent_id})
print(client.get("/admin/").status_code)
TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
token = f"{totp(device.bin_key):06}"
client.post("/admin/login/", {**form, "otp_token": token, "otp_device": device.persistent_id})
print(client.get("/admin/").status_code)
print(client.post("/admin/recognizer/prediction/review/next/", {"page": "p" * 32, "have": []},
                  content_type="application/json").status_code != 403)
privileges()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        "STAFF_SECOND_FACTOR": "yes",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SUPERUSER_PASSWORD": "pass",
    }


def run(root: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_a_one_time_password_opens_the_admin(
    environment: dict[str, str], project_root: Path
) -> None:
    run(project_root, environment, "manage.py", "migrate", "--verbosity", "0")
    made = ("createsuperuser", "--no-input", "--username", "ada", "--email", "a@b.example")
    run(project_root, environment, "manage.py", *made)

    shown = run(project_root, environment, "manage.py", "add_second_factor", "ada")
    answers = run(project_root, environment, "-c", LOG_IN).split()

    assert "otpauth://totp/" in shown
    # Neither the API nor a new token is a way around it.
    assert answers[:3] == ["403", "403", "400"]
    assert answers[3:7] == ["302", "302", "200", "True"]
    assert answers[7:] == ["200", "200", "200"]


def test_the_command_needs_the_setting(environment: dict[str, str], project_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "add_second_factor", "ada"],
        cwd=project_root, env={**environment, "STAFF_SECOND_FACTOR": "no"},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip

    assert done.returncode == 1
    assert "STAFF_SECOND_FACTOR=yes" in done.stderr
    assert "Traceback" not in done.stderr
