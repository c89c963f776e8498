"""Configuration: safe by default; invalid values are refused by name."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from digitsite.checks import stop_on_errors
from digitsite.environment import Problem

STRONG_KEY = "k3y-" + "".join(chr(97 + n % 26) for n in range(60))
PUBLIC = {"ALLOWED_HOSTS": "digits.example", "SECRET_KEY": STRONG_KEY}
OURS = {
    "ADDRESS_LIMIT_FACTOR",
    "ALLOWED_HOSTS",
    "ANONYMOUS_DRAWINGS_KEPT_DAYS",
    "CACHE_FILE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "MODEL_RECHECK_SECONDS",
    "NUM_PROXIES",
    "REDIS_URL",
    "SECRET_KEY",
    "SECURE_HSTS_SECONDS",
    "SECURE_SSL_REDIRECT",
    "SLOW_BODY_SECONDS",
    "SQLITE_JOURNAL",
    "STAFF_SECOND_FACTOR",
    "STORED_MB_PER_DAY",
    "THROTTLE_ANON",
    "THROTTLE_LOGIN",
    "THROTTLE_PREVIEW",
    "THROTTLE_READ",
    "THROTTLE_USER",
}

SHOW = """
import json, django
from django.conf import settings
django.setup()
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without our variables, plus `variables`."""
    # The browser tests set it for their own process.
    left_out = OURS | {"DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {k: v for k, v in os.environ.items() if k not in left_out} | variables


def run(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with this configuration only."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def read_settings(root: Path, *names: str, **variables: str) -> dict[str, Any]:
    """Return the settings with these names, in a separate process."""
    done = run(
        root, "-c", SHOW % (names,), DJANGO_SETTINGS_MODULE="digitsite.settings", **variables
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def checkout(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bare copy of the code: no `.env`, no key, no database."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copy(project_root / "manage.py", root)
    for folder in ("digitsite", "recognizer", "templates", "static"):
        shutil.copytree(
            project_root / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    return root


# Without configuration ----------------------------------------------------------------------------


def test_without_configuration_it_is_safe_and_silent(checkout: Path) -> None:
    done = run(checkout, "-W", "error", "manage.py", "check", "--fail-level", "WARNING")
    found = read_settings(
        checkout, "DEBUG", "ALLOWED_HOSTS", "SECRET_KEY", "SECURE_SSL_REDIRECT", "DATABASES"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert found["DEBUG"] is False
    assert set(found["ALLOWED_HOSTS"]) == {"localhost", ".localhost", "127.0.0.1", "[::1]"}
    assert found["SECURE_SSL_REDIRECT"] is False
    assert found["DATABASES"]["default"]["NAME"] == str(checkout / "db.sqlite3")
    key = checkout / ".secret_key"
    assert found["SECRET_KEY"] == key.read_text().strip()
    assert len(found["SECRET_KEY"]) >= 50
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_two_processes_create_one_key(checkout: Path) -> None:
    (checkout / ".secret_key").unlink(missing_ok=True)

    with ThreadPoolExecutor(4) as pool:
        keys = set(
            pool.map(lambda _: read_settings(checkout, "SECRET_KEY")["SECRET_KEY"], range(4))
        )

    assert len(keys) == 1
    assert not list(checkout.glob(".secret_key-*"))


def test_a_key_file_without_a_key_is_refused(checkout: Path) -> None:
    key = checkout / ".secret_key"
    kept = key.read_text() if key.exists() else None
    try:
        key.write_text("")
        done = run(checkout, "manage.py", "check")
    finally:
        key.unlink()
        if kept:
            key.write_text(kept)
            key.chmod(0o600)

    assert done.returncode == 1
    assert "digitsite.E001" in done.stderr
    assert "SECRET_KEY" in done.stderr


def test_dotenv_is_read_and_the_environment_wins(checkout: Path) -> None:
    (checkout / ".env").write_text("NUM_PROXIES=3\nLOG_LEVEL=debug\n")
    try:
        found = read_settings(checkout, "NUM_PROXIES", "LOG_LEVEL", LOG_LEVEL="error")
    finally:
        (checkout / ".env").unlink()

    assert found == {"NUM_PROXIES": 3, "LOG_LEVEL": "ERROR"}


# E001: invalid values -----------------------------------------------------------------------------


# Every variable of a row is invalid: one process per row, because each takes a second.
BAD_VALUES = [
    {
        "DEBUG": "maybe",
        "NUM_PROXIES": "one",
        "SECURE_SSL_REDIRECT": "2",
        "SECURE_HSTS_SECONDS": "1.5",
        "THROTTLE_ANON": "60",
        "THROTTLE_USER": "many/min",
        "THROTTLE_PREVIEW": "1/2/min",
        "THROTTLE_READ": "0/min",
        "THROTTLE_LOGIN": "ten/hour",
        "ADDRESS_LIMIT_FACTOR": "0",
        "STORED_MB_PER_DAY": "50 MB",
        "ANONYMOUS_DRAWINGS_KEPT_DAYS": "-1",
        "STAFF_SECOND_FACTOR": "sometimes",
        "MODEL_RECHECK_SECONDS": "soon",
        "LOG_LEVEL": "LOUD",
        "LOG_FORMAT": "xml",
        "SLOW_BODY_SECONDS": "-5",
        "SQLITE_JOURNAL": "OFF",
        "REDIS_URL": "localhost:6379",
        "DATABASE_URL": "mysql://localhost/digits",
    },
    {
        "NUM_PROXIES": "-1",
        "THROTTLE_ANON": "0/min",
        "THROTTLE_USER": "60/fortnight",
        "MODEL_RECHECK_SECONDS": "nan",
        "DATABASE_URL": "nonsense",
    },
    {"DATABASE_URL": "postgres://user:pass@host:port/name", "MODEL_RECHECK_SECONDS": "-1"},
    {"DATABASE_URL": "postgres://localhost"},
    {"DATABASE_URL": "sqlite://:memory:"},
]


@pytest.mark.parametrize("variables", BAD_VALUES, ids=range(len(BAD_VALUES)))
def test_invalid_values_stop_the_start(checkout: Path, variables: dict[str, str]) -> None:
    done = run(checkout, "manage.py", "migrate", "--plan", **variables)

    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if "(digitsite.E001)" in line]
    assert {line.split("(digitsite.E001) ")[1].split()[0].rstrip(":") for line in lines} == set(
        variables
    )


def test_an_invalid_value_stops_a_web_server_too(checkout: Path) -> None:
    done = run(checkout, "-c", "import digitsite.wsgi", THROTTLE_ANON="often")

    assert done.returncode == 1
    assert "ImproperlyConfigured" in done.stderr
    assert "THROTTLE_ANON" in done.stderr


def test_a_password_is_not_in_the_message(checkout: Path) -> None:
    done = run(checkout, "manage.py", "check", DATABASE_URL="mysql://root:hunter2@localhost/x")

    assert "DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("DEBUG", "on", "DEBUG", True),
        ("DEBUG", "", "DEBUG", False),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS", ["localhost", ".localhost", "127.0.0.1", "[::1]"]),
        ("ALLOWED_HOSTS", " localhost , 127.0.0.1,", "ALLOWED_HOSTS", ["localhost", "127.0.0.1"]),
        ("MODEL_RECHECK_SECONDS", "0.5", "MODEL_RECHECK_SECONDS", 0.5),
        ("LOG_FORMAT", "json", "LOG_FORMAT", "json"),
        ("NUM_PROXIES", "1", "SECURE_PROXY_SSL_HEADER", ["HTTP_X_FORWARDED_PROTO", "https"]),
    ],
)
def test_a_valid_value_is_used(
    checkout: Path, variable: str, value: str, setting: str, expected: object
) -> None:
    assert read_settings(checkout, setting, **{variable: value}) == {setting: expected}


def test_database_url_for_postgresql(checkout: Path) -> None:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    url = "postgres://ada:p%40ss@db.example:5433/digits?sslmode=require"
    database = read_settings(checkout, "DATABASES", DATABASE_URL=url)["DATABASES"]["default"]

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["NAME"], database["USER"], database["PASSWORD"]) == ("digits", "ada", "p@ss")
    assert (database["HOST"], database["PORT"]) == ("db.example", 5433)
    assert database["OPTIONS"] == {"sslmode": "require", "connect_timeout": 5}


def test_database_url_for_an_sqlite_file(checkout: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite3"
    found = read_settings(checkout, "DATABASES", DATABASE_URL=f"sqlite:///{file}")

    database = found["DATABASES"]["default"]
    assert database["NAME"] == str(file)
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


# A public site ------------------------------------------------------------------------------------


def test_a_public_site_is_secure(checkout: Path) -> None:
    found = read_settings(
        checkout,
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        **PUBLIC,
    )
    done = run(checkout, "manage.py", "check", "--fail-level", "WARNING", **PUBLIC)

    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert done.returncode == 0, done.stderr


def test_djangos_deployment_checks_are_silent(checkout: Path) -> None:
    done = run(checkout, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PUBLIC)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "identifier"),
    [
        ({"ALLOWED_HOSTS": "digits.example"}, "digitsite.E002"),
        ({"ALLOWED_HOSTS": "localhost,*"}, "digitsite.E002"),
        ({"ALLOWED_HOSTS": "192.168.1.7"}, "digitsite.E002"),
        ({"ALLOWED_HOSTS": "127.attacker.example"}, "digitsite.E002"),
        ({"ALLOWED_HOSTS": "digits.example", "SECRET_KEY": "short"}, "digitsite.E003"),
        ({"ALLOWED_HOSTS": "digits.example", "SECRET_KEY": "x" * 60}, "digitsite.E003"),
        (PUBLIC | {"DEBUG": "1"}, "digitsite.E004"),
        ({"CSRF_TRUSTED_ORIGINS": "digits.example"}, "digitsite.E006"),
        ({"ALLOWED_HOSTS": "https://digits.example"}, "digitsite.E007"),
        ({"ALLOWED_HOSTS": "localhost:8000"}, "digitsite.E007"),
        (PUBLIC | {"CACHE_FILE": "no/such/folder/cache.sqlite3"}, "digitsite.E008"),
    ],
)
def test_an_unsafe_site_does_not_start(
    checkout: Path, variables: dict[str, str], identifier: str
) -> None:
    done = run(checkout, "manage.py", "check", **variables)

    assert done.returncode == 1
    assert identifier in done.stderr


# SQLite as on a network file system, which has no memory that processes share.
WITHOUT_SHARED_MEMORY = """
import sqlite3, sys
connect = sqlite3.connect
def connect_without(path, **options):
    uri = str(path) if str(path).startswith("file:") else f"file:{path}?"
    return connect(f"{uri}&vfs=unix-none", **{**options, "uri": True})
sqlite3.connect = connect_without
from django.core.management import execute_from_command_line
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "digitsite.settings"
execute_from_command_line(["manage.py", "check"])
"""


def test_without_write_ahead_logging_it_names_the_file_system_and_the_setting(
    checkout: Path,
) -> None:
    refused = run(checkout, "-c", WITHOUT_SHARED_MEMORY)
    accepted = run(checkout, "-c", WITHOUT_SHARED_MEMORY, SQLITE_JOURNAL="DELETE")

    assert refused.returncode == 1
    assert "digitsite.E009" in refused.stderr
    assert "SQLITE_JOURNAL=DELETE" in refused.stderr
    assert str(checkout / "db.sqlite3") in refused.stderr
    if Path("/proc/mounts").exists():
        assert " on the file system " in refused.stderr
    assert (accepted.returncode, accepted.stderr) == (0, "")


def test_another_journal_is_used(tmp_path: Path, checkout: Path) -> None:
    place = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "CACHE_FILE": str(tmp_path / "cache.sqlite3"),
        "SQLITE_JOURNAL": "DELETE",
    }
    done = run(checkout, "manage.py", "migrate", "-v0", **place)

    assert done.returncode == 0, done.stderr
    # The 19th byte of a file: 1 for a journal, 2 for write-ahead logging.
    assert (tmp_path / "db.sqlite3").read_bytes()[18] == 1


def problems() -> list[CheckMessage]:
    return [m for m in run_checks(tags=[Tags.security]) if str(m.id).startswith("digitsite.")]


def make_public(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["digits.example"]
    settings.SECRET_KEY = STRONG_KEY
    settings.SECRET_KEY_FROM_ENVIRONMENT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


def test_the_default_configuration_has_no_problems(settings: Settings) -> None:
    assert problems() == []
    make_public(settings)
    assert problems() == []


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("ENVIRONMENT_PROBLEMS", (Problem("DEBUG", "DEBUG is bad."),), "digitsite.E001"),
        ("SECRET_KEY_FROM_ENVIRONMENT", False, "digitsite.E002"),
        ("SECRET_KEY", "django-insecure-" + STRONG_KEY, "digitsite.E003"),
        ("DEBUG", True, "digitsite.E004"),
        ("SESSION_COOKIE_SECURE", False, "digitsite.E005"),
        ("CSRF_COOKIE_SECURE", False, "digitsite.E005"),
        ("CSRF_TRUSTED_ORIGINS", ["https://a.example/path"], "digitsite.E006"),
        ("ALLOWED_HOSTS", ["digits.example:443"], "digitsite.E007"),
        ("CACHE_FILE", "/no/such/folder/cache.sqlite3", "digitsite.E008"),
    ],
)
def test_each_check_refuses(settings: Settings, name: str, value: Any, identifier: str) -> None:
    make_public(settings)
    setattr(settings, name, value)

    assert [message.id for message in problems()] == [identifier]
    with pytest.raises(ImproperlyConfigured, match=identifier):
        stop_on_errors()


# Static files and headers -------------------------------------------------------------------------


SERVE = """
import django
django.setup()
from django.test import Client
from django.templatetags.static import static
url = static("recognizer/docs.css")
response = Client(headers={"host": "localhost"}).get(url)
print(url, response.status_code, response.get("Cache-Control"))
"""


def test_static_files_need_no_collectstatic(checkout: Path) -> None:
    done = run(checkout, "-W", "error", "-c", SERVE, DJANGO_SETTINGS_MODULE="digitsite.settings")

    assert done.stdout.startswith("/static/recognizer/docs.css 200"), done.stderr


def test_collected_static_files_have_hashed_names_also_in_modules(checkout: Path) -> None:
    scripts = checkout / "static" / "for_this_test"
    scripts.mkdir()
    (scripts / "main.js").write_text('import { answer } from "./other.js";\nanswer();\n')
    (scripts / "other.js").write_text("export const answer = () => 42;\n")
    try:
        collected = run(checkout, "-W", "error", "manage.py", "collectstatic", "--no-input")
        served = run(checkout, "-c", SERVE, DJANGO_SETTINGS_MODULE="digitsite.settings")
        (main,) = (checkout / "staticfiles" / "for_this_test").glob("main.*.js")
        text = main.read_text()
    finally:
        shutil.rmtree(checkout / "staticfiles", ignore_errors=True)
        shutil.rmtree(scripts)

    assert collected.returncode == 0, collected.stderr
    url, status, caching = served.stdout.split(maxsplit=2)
    assert url.startswith("/static/recognizer/docs.")
    assert url != "/static/recognizer/docs.css"
    assert status == "200"
    assert "immutable" in caching
    assert '"./other.js"' not in text
    assert "./other." in text


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/admin/login/", "/api/docs/", "/api/v1/predictions/"])
def test_the_content_security_policy_is_strict(client: Client, address: str) -> None:
    response = client.get(address)

    policy = dict(
        part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";")
    )
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == "'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
