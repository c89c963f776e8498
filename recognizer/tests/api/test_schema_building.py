"""The schema is built once, and the first requests after a start may come at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from recognizer.tests.support.waiting import PATIENCE

CONCURRENT = """
import django
from concurrent.futures import ThreadPoolExecutor
django.setup()
from django.test import Client

def get(accept):
    response = Client(headers={"host": "localhost"}).get("/api/schema/", headers={"accept": accept})
    return response.status_code, response["Content-Type"], response.content

yaml, json = "application/vnd.oai.openapi", "application/vnd.oai.openapi+json"
with ThreadPoolExecutor(8) as pool:
    answers = set(pool.map(get, [yaml, json] * 8))
for status, kind, content in sorted(answers):
    print(status, kind.partition(";")[0], b"/api/v1/predictions/" in content)
"""


def test_the_first_requests_may_come_together(project_root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONCURRENT],
        cwd=project_root,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "digitsite.settings",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        },
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip

    # Each of the two is the same for everybody.
    assert done.stdout.splitlines() == [
        "200 application/vnd.oai.openapi True",
        "200 application/vnd.oai.openapi+json True",
    ], done.stderr
