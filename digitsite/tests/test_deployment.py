"""The files that deploy the site: valid by their schemas, no rights that are not needed, and the
commands of the web image start a site that answers.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from recognizer.tests.support.servers import free_port
from recognizer.tests.support.waiting import PATIENCE, wait_until

BASE = Path(settings.BASE_DIR)
MANIFESTS = sorted((BASE / "deploy/kubernetes").glob("*.yaml"))
UNITS = sorted((BASE / "deploy/systemd").glob("*.service"))
KUBERNETES = "1.37"
# Variables that other programs read: gunicorn, PostgreSQL's image, the Caddyfile, Python.
ELSEWHERE = {"PORT", "WEB_CONCURRENCY", "POSTGRES_USER", "POSTGRES_PASSWORD", "SITE", "UPSTREAM"}


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def compose() -> dict[str, Any]:
    (found,) = documents(BASE / "compose.yaml")
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the specification of each pod that the manifests make."""
    for path in MANIFESTS:
        for found in documents(path):
            spec = found.get("spec", {})
            spec = spec.get("jobTemplate", spec).get("spec", spec)
            if "template" in spec:
                yield found["metadata"]["name"], spec["template"]["spec"]


# --- the manifests --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_accepts_the_manifests(path: Path) -> None:
    for found in documents(path):
        kubernetes_validate.validate(found, KUBERNETES, strict=True)


def test_compose_accepts_its_file() -> None:
    schemas = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(compose(), schema)


def test_no_pod_has_rights_that_it_does_not_need() -> None:
    found = dict(pods())
    assert set(found) == {
        f"digitsite-{name}" for name in ("web", "worker", "migrate", "housekeeping")
    }
    for spec in found.values():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_no_service_of_ours_has_rights_that_it_does_not_need() -> None:
    ours = {
        name: service
        for name, service in compose()["services"].items()
        if service["image"].startswith("digitsite-")
    }
    assert set(ours) == {"web", "worker", "migrate", "housekeeping"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_variable_that_they_set_is_one_of_the_site() -> None:
    known = set(re.findall(r"^#([A-Z_]+)=", (BASE / ".env.example").read_text(), re.MULTILINE))
    found: set[str] = set()
    for service in compose()["services"].values():
        found |= set(service.get("environment", {}))
    for path in MANIFESTS:
        for each in documents(path):
            found |= set(each.get("data", {}))
    for _name, spec in pods():
        for container in spec["containers"]:
            found |= {variable["name"] for variable in container.get("env", ())}
    assert {"DATABASE_URL", "ALLOWED_HOSTS", "WEB_CONCURRENCY"} <= found
    assert found <= known | ELSEWHERE


def test_every_command_exists() -> None:
    texts = [BASE / "Procfile", BASE / "Dockerfile", BASE / "compose.yaml", *MANIFESTS, *UNITS]
    called = {
        name
        for path in texts
        for name in re.findall(r'manage\.py"?,? "?(\w+)', path.read_text(encoding="utf-8"))
    }
    assert {"migrate", "housekeeping", "db_worker", "collectstatic"} <= called
    assert called <= set(get_commands())


# --- the web image --------------------------------------------------------------------------------


def steps(stage: str) -> list[tuple[str, str]]:
    """Return the instructions of a stage of the Dockerfile, those of its base first."""
    text = (BASE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _as, name = rest.split()
            current = found[name] = list(found.get(base, ()))
        elif word and not word.startswith("#"):
            current.append((word, rest.strip()))
    return found[stage]


def python(command: str) -> list[str]:
    """Return a command as a list, run by this Python."""
    words: list[str] = json.loads(command) if command.startswith("[") else shlex.split(command)
    return [sys.executable if word == "python" else word for word in words]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the web image has: its files, and what its RUN steps make."""
    root = tmp_path_factory.mktemp("image") / "app"
    root.mkdir()
    for word, rest in steps("web"):
        *sources, target = rest.split()
        if word == "COPY" and not rest.startswith("--from"):
            for source in sources:
                place = root / target / source if target == "./" else root / target
                place.parent.mkdir(parents=True, exist_ok=True)
                if (BASE / source).is_dir():
                    shutil.copytree(
                        BASE / source, place, ignore=shutil.ignore_patterns("tests", "__pycache__")
                    )
                else:
                    shutil.copy(BASE / source, place)
        elif word == "RUN" and "collectstatic" in rest:
            variable, *command = python(rest.partition("&&")[0])
            variables = environment(**dict([variable.split("=")]))
            subprocess.run(command, cwd=root, check=True, timeout=PATIENCE, env=variables)
    return root


def environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **variables}


@pytest.mark.skipif(os.name != "posix", reason="gunicorn is for Unix")
def test_the_web_image_serves_the_site_and_writes_nothing_to_it(
    image: Path, tmp_path: Path
) -> None:
    instructions = dict(steps("web"))
    before = {path: path.stat().st_mtime_ns for path in image.rglob("*")}
    variables = environment(
        PORT=str(free_port()),
        HOME=str(tmp_path),
        TMPDIR=str(tmp_path),
        ALLOWED_HOSTS="digits.example",
        SECRET_KEY="x1Y2z3" * 10,
        DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}",
    )
    check = python(instructions["HEALTHCHECK"].partition("CMD ")[2])

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=image, env=variables, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip

    assert run([sys.executable, "manage.py", "migrate", "--no-input"]).returncode == 0
    assert run(check).returncode == 1
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            python(instructions["CMD"]), cwd=image, env=variables, stdout=log, stderr=log
        )
        try:
            wait_until(
                lambda: run(check).returncode == 0,
                "the web image's health check succeeds",
                details=(tmp_path / "log").read_text,
            )
        finally:
            server.terminate()
            assert server.wait(timeout=PATIENCE) == 0
    assert {path: path.stat().st_mtime_ns for path in image.rglob("*")} == before
    assert not (image / "training").exists()
    assert not (image / ".secret_key").exists()


def test_neither_image_runs_as_root() -> None:
    for stage in ("web", "training"):
        assert ("USER", "10001") in steps(stage)
