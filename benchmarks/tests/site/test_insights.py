"""The benchmark of the page Insights runs at any size. Its times are not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import databases
from benchmarks.site import insights, insights_data
from benchmarks.site.insights import ASKED, Timing
from recognizer.models import LabelEvent, ModelVersion, Prediction
from recognizer.tests.support import servers
from recognizer.tests.support.required import skip_or_fail


def run(project_root: Path, path: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.site.insights", "--drawings", "300", "--copies", "3",
         "--json", str(path), *options],
        cwd=project_root, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "900 drawings" in done.stdout
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def test_every_page_is_timed_on_sqlite(project_root: Path, tmp_path: Path) -> None:
    report = run(project_root, tmp_path / "times.json")

    assert report["figures"]["contents"]["drawings"] == 900
    assert [each["page"] for each in report["figures"]["seconds"]] == list(ASKED)
    assert all(each["queries"] >= 5 for each in report["figures"]["seconds"])


@pytest.mark.services
def test_every_page_is_timed_on_postgresql(project_root: Path, tmp_path: Path) -> None:
    try:
        servers.program("initdb")
    except servers.Missing as error:
        skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")

    report = run(project_root, tmp_path / "times.json", "--database", "postgresql")

    assert report["settings"]["database"] == "postgresql"


@pytest.mark.django_db
def test_the_invented_data_looks_like_that_of_a_site() -> None:
    insights_data.fill(drawings=1500, days=100, copies=2)

    assert Prediction.objects.count() == 3000
    labelled = Prediction.objects.labelled()
    assert 0.02 < labelled.count() / 3000 < 0.1
    assert 0.5 < Prediction.objects.correct().count() / labelled.count() < 0.95
    assert LabelEvent.objects.count() == labelled.count()
    assert set(Prediction.objects.values_list("verdict", flat=True)) == {
        "digit", "uncertain", "not_a_digit",
    }  # fmt: skip
    assert ModelVersion.objects.filter(predictions__isnull=False).distinct().count() == 3
    assert insights.contents()["drawings"] == 3000


@pytest.mark.django_db
def test_a_database_with_drawings_is_not_changed() -> None:
    insights_data.fill(drawings=20, days=10)

    with pytest.raises(ValueError, match="already has drawings"):
        insights_data.fill(drawings=20, days=10)
    assert Prediction.objects.count() == 20


def test_a_temporary_database_is_deleted() -> None:
    with databases.sqlite() as database:
        path = Path(database.url.removeprefix("sqlite:///"))
        path.write_bytes(b"something")
        database.cool_down()
        assert path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize(("warm", "says"), [(1.0, "reached"), (1.01, "MISSED")])
def test_the_goal_is_for_the_warm_page(warm: float, says: str) -> None:
    assert str(Timing("90 days", 9.0, warm, 0.2, 10)).endswith(says)
