"""Requests of several processes under one limit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from recognizer.tests.support.waiting import PATIENCE

_TWO_REQUESTS = """
import django
django.setup()
from django.test import Client
client = Client(headers={"host": "localhost"})
print([client.post("/api/v1/predictions/", {}, content_type="application/json").status_code
       for _ in range(2)])
"""


def statuses_of_two_processes(root: Path, database: Path, **variables: str) -> list[str]:
    """Send two drawings without content from each of two processes, one after the other.

    The limit is three an hour. ``variables`` say where the requests are counted; by default in the
    cache's file, beside the database.
    """
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        "THROTTLE_ANON": "3/hour",
        "DATABASE_URL": f"sqlite:///{database}",
        **variables,
    }
    return [
        subprocess.run(
            [sys.executable, "-c", _TWO_REQUESTS],
            cwd=root, env=environment, capture_output=True, text=True, check=True,
            timeout=PATIENCE,
        ).stdout.strip()
        for _ in range(2)
    ]  # fmt: skip
