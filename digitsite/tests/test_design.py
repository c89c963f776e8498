"""What the design promises about the code as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from recognizer.models import Verdict

PREDICT = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "digitsite.settings"
os.environ["DATABASE_URL"] = "sqlite:///" + sys.argv[1]
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.test import Client
from recognizer import imaging
import numpy as np
pixels = np.full((280, 280), 255, np.uint8)
pixels[60:220, 130:150] = 0
import base64
image = base64.b64encode(imaging.encode_png(pixels)).decode()
client = Client(headers={"host": "localhost"})
response = client.post("/api/v1/predictions/", {"image": image}, content_type="application/json")
assert response.status_code == 201, response.content
for address in ("/", "/api/v1/predictions/", "/api/schema/", "/readyz", "/admin/login/"):
    assert client.get(address).status_code == 200, address
heavy = {"tensorflow", "keras", "matplotlib", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


def test_a_web_process_does_not_import_tensorflow(project_root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREDICT, str(tmp_path / "db.sqlite3")],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_no_command_imports_tensorflow_at_its_start(project_root: Path) -> None:
    code = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'digitsite.settings'\n"
        "django.setup()\n"
        "from django.core.management import get_commands, load_command_class\n"
        "for name, app in get_commands().items():\n"
        "    if app in ('recognizer', 'training'):\n"
        "        load_command_class(app, name)\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_check_is_silent(project_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--fail-level", "WARNING"],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_api_schema_is_valid(tmp_path: Path) -> None:
    call_command(
        "spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml")
    )

    text = (tmp_path / "schema.yaml").read_text()
    assert "/api/v1/predictions/{id}/model-input/" in text
    assert "multipart/form-data" in text


@pytest.mark.django_db
def test_the_example_of_the_api_works(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    example = schema["components"]["schemas"]["DrawingJson"]["properties"]["image"]["example"]

    response = client.post(
        "/api/v1/predictions/", {"image": example}, content_type="application/json"
    )

    assert response.status_code == 201
    assert response.json()["digit"] == 1


@pytest.mark.django_db
def test_the_schema_says_what_each_verdict_means(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    verdicts = schema["components"]["schemas"]["VerdictEnum"]
    (parameter,) = [
        each
        for each in schema["paths"]["/api/v1/predictions/"]["get"]["parameters"]
        if each["name"] == "verdict"
    ]
    assert verdicts["enum"] == parameter["schema"]["enum"] == Verdict.values
    for value in Verdict.values:
        meaning = rf"\* `{value}` - It (looks|does not look) like .*\."
        assert re.search(meaning, verdicts["description"])
        assert re.search(meaning, parameter["description"])


def test_the_docs_load_nothing_from_other_hosts(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()

    assert "://" not in page.replace("http://www.w3.org", "")
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert client.get("/api/schema/").status_code == 200
