"""The page's JavaScript that needs no page, under Node.js' own test runner."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.waiting import PATIENCE

OLDEST = 20


def node() -> str:
    """Return Node.js' path; without one that is new enough, skip, or fail where it is required."""
    found = shutil.which("node")
    version = found and subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    if found and version and int(version.lstrip("v").split(".")[0]) >= OLDEST:
        return found
    skip_or_fail(f"no Node.js {OLDEST} or later on the PATH", variable="REQUIRE_BROWSER")


def test_the_unit_tests_of_the_javascript_pass(project_root: Path) -> None:
    files = sorted(str(path) for path in (project_root / "recognizer/tests/js").glob("*.test.js"))
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *files],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= len(files) > 0
