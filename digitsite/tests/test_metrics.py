"""`/metrics`: requests and predictions of all web processes of a machine, for Prometheus."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from recognizer.tests.support.drawings import data_url, digit_png
from recognizer.tests.support.servers import free_port
from recognizer.tests.support.waiting import PATIENCE, wait_until

TOKEN = "a-token-of-the-tests"
DRAWINGS = 12
MONITORING = Path(settings.BASE_DIR) / "deploy/monitoring"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="gunicorn is for Unix")


def ask(address: str, body: object = None, **headers: str) -> str:
    request = urllib.request.Request(
        address,
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return str(response.read().decode())


@pytest.fixture(scope="module")
def site(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the site with two processes, send drawings and a wrong request; yield its address."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "counts").mkdir()
    address = f"127.0.0.1:{free_port()}"
    variables = {
        **os.environ,
        "METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "counts"),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=project_root, env=variables, check=True, timeout=PATIENCE,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", address, "--workers", "2", "--threads",
             "2", "--no-control-socket", "digitsite.wsgi"],
            cwd=project_root, env=variables, stdout=log, stderr=log,
        )  # fmt: skip

    def answers() -> bool:
        try:
            return bool(ask(f"http://{address}/healthz"))
        except OSError:
            return False

    try:
        wait_until(answers, "the site answers", details=(folder / "log").read_text)
        predictions = f"http://{address}/api/v1/predictions/"
        for digit in range(DRAWINGS):
            ask(predictions, {"image": data_url(digit_png(digit % 10))})
        with pytest.raises(urllib.error.HTTPError):
            ask(predictions, {})
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(site: str) -> Samples:
    text = ask(site + "/metrics", Authorization=f"Bearer {TOKEN}", Host="10.1.2.3:8000")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(found: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (each, has), value in found.items() if each == name and wanted <= has)


def test_the_figures_are_those_of_all_processes(site: str) -> None:
    # Whichever process is asked.
    for _time in range(6):
        found = samples(site)
        posts = {"view": "api:prediction-list", "method": "POST"}
        assert total(found, "digitsite_requests_total", **posts, status="201") == DRAWINGS
        assert total(found, "digitsite_requests_total", **posts, status="400") == 1
        assert total(found, "digitsite_predictions_total") == DRAWINGS
        assert total(found, "digitsite_predictions_total", digit="0") == 2
        assert total(found, "digitsite_prediction_confidence_count") == DRAWINGS
        assert total(found, "digitsite_request_seconds_count", view=posts["view"]) == DRAWINGS + 1
        queue = total(found, "digitsite_review_queue", kind="ordinary")
        assert queue + total(found, "digitsite_review_queue", kind="audit") == DRAWINGS
        assert total(found, "digitsite_database_up") == 1
        assert total(found, "digitsite_model_active") == 1
        assert total(found, "digitsite_worker_up") == 0


@pytest.mark.parametrize("sent", ["", "Bearer wrong", f"Token {TOKEN}"])
def test_nobody_else_sees_them(site: str, sent: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(site + "/metrics", **({"Authorization": sent} if sent else {}))

    assert refused.value.code == 401
    assert "digitsite_" not in refused.value.read().decode()


@pytest.mark.django_db
def test_there_are_none_without_a_token(client: Client) -> None:
    assert client.get("/metrics").status_code == 404


def test_the_dashboard_and_the_alerts_use_metrics_that_exist(site: str) -> None:
    known = {name for name, _labels in samples(site)}
    alerts = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    expressions += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    used = set(re.findall(r"digitsite_\w+", " ".join(expressions)))

    assert len(used) >= 8
    assert used <= known
