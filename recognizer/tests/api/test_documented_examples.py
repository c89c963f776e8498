"""The examples of docs/api.md work: each runs against the site, and gives what the page shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from recognizer.models import Prediction
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.exporting import store
from recognizer.tests.support.required import skip_or_fail

pytestmark = pytest.mark.django_db(transaction=True)

BASE = Path(settings.BASE_DIR)
SITE = "http://127.0.0.1:8000"
PROGRAMS = {"console": "bash", "python": sys.executable, "javascript": "node"}
# What the programs print.
PRINTED = {"python": ["7 digit", "7\n1"], "javascript": ["7 digit", "1 1"]}


class Example(NamedTuple):
    language: str
    code: str
    shown: str
    printed: str


def examples() -> list[Any]:
    """Return the examples; a curl command comes with the answer that is shown below it."""
    text = (BASE / "docs" / "api.md").read_text(encoding="utf-8")
    found: list[Any] = []
    printed = {language: iter(lines) for language, lines in PRINTED.items()}
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language not in PROGRAMS:
            continue
        code, shown = block, ""
        if language == "console":
            command = re.match(r"\$ ((?:.*\\\n)*.*)\n", block)
            assert command is not None, block
            code, shown = command[1], block[command.end() :]
        output = next(printed[language]) if language in printed else ""
        example = Example(language, code, shown, output)
        found.append(pytest.param(example, id=f"{language}-{len(found)}"))
    return found


@pytest.mark.parametrize("example", examples())
def test_an_example_works(
    live_server: LiveServer, admin_user: User, tmp_path: Path, example: Example
) -> None:
    program = PROGRAMS[example.language]
    if shutil.which(program) is None:
        skip_or_fail(f"{program} is missing", variable="REQUIRE_BROWSER")
    drawn = store(7)
    store(4, label=4)
    file = tmp_path / {"javascript": "example.mjs"}.get(example.language, "example")
    file.write_text(example.code.replace(SITE, live_server.url), encoding="utf-8")
    token = make_token(admin_user, "predict", "read", "review", "export")

    done = subprocess.run(
        [program, str(file)],
        cwd=BASE,
        env={**os.environ, "TOKEN": token, "DRAWING": str(drawn.pk)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    if example.language == "console":
        assert_like(json.loads(done.stdout), example.shown)
    else:
        assert done.stdout.strip() == example.printed
    Prediction.objects.all().delete()


def assert_like(answer: dict[str, Any], shown: str) -> None:
    """Check that every name that is shown is in the answer, and every short text as it is."""
    names = re.findall(r'"(\w+)":', shown)
    text = json.dumps(answer)
    assert [name for name in names if f'"{name}":' not in text] == []
    for code in re.findall(r'"code": "(\w+)"', shown):
        assert f'"code": "{code}"' in text
    for digit in re.findall(r'"(?:digit|label)": \d+', shown):
        assert digit in text
    if not shown:
        assert "digit" in answer
