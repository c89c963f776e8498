"""Backups of a site in use, and bringing one back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from recognizer.tests.support import servers
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.sites import Site, manage, running_site
from recognizer.tests.support.waiting import wait_until

CLIENTS = 20


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Run a site on each kind of database."""
    with ExitStack() as stack:
        variables = {}
        if request.param == "postgresql":
            try:
                variables["DATABASE_URL"] = stack.enter_context(servers.postgres())
            except servers.Missing as error:
                skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")
        folder = tmp_path / "site"
        folder.mkdir()
        yield stack.enter_context(running_site(folder, variables, workers=2))


def is_sqlite(site: Site) -> bool:
    return site.environment["DATABASE_URL"].startswith("sqlite")


def stored(site: Site) -> set[str]:
    """Return the ids of all drawings in the database, without their dashes."""
    url, query = site.environment["DATABASE_URL"], "SELECT id FROM recognizer_prediction"
    if is_sqlite(site):
        return in_file(Path(url.removeprefix("sqlite:///")))
    import psycopg

    with psycopg.connect(url) as database:
        return {row[0].hex for row in database.execute(query)}


def in_file(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA ignore_check_constraints=ON")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in database.execute("SELECT id FROM recognizer_prediction")}


def run(site: Site, *arguments: str, **options: Any) -> Any:
    return manage(*arguments, environment=site.environment, **{"check": False, **options})


@contextmanager
def clients(site: Site, png: bytes) -> Iterator[tuple[set[str], set[int]]]:
    """Let many clients store drawings; give the ids that they are promised, and all statuses."""
    promised: set[str] = set()
    statuses: set[int] = set()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            response = site.post_drawing(png)
            statuses.add(response.status)
            if response.status == 201:
                promised.add(response.json()["id"].replace("-", ""))

    threads = [threading.Thread(target=write) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(promised) >= 2 * CLIENTS, "all clients write")
        yield promised, statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_site_in_use_is_backed_up_and_restored_whole(
    site: Site, tmp_path: Path, draw_digit: DrawDigit
) -> None:
    files = [tmp_path / f"backup-{number}" for number in range(3)]
    with clients(site, draw_digit(4)) as (promised, statuses):
        before = []
        for file in files:
            before.append(set(promised))
            done = run(site, "backup", str(file))
            assert done.returncode == 0, done.stderr
        after = set(promised)
        assert statuses == {201}, site.log.read_text()[-3000:]

        restored = run(site, "restore", str(files[0]), "--no-input")
        assert restored.returncode == 0, restored.stderr
        again = set(promised)
        wait_until(lambda: len(promised) > len(again) + CLIENTS, "the clients go on")

    kept = stored(site)
    assert before[0] <= kept <= promised
    # What was stored between the backup and its restoration is no longer there.
    assert before[2] - before[0]
    assert not before[2] - before[0] <= kept
    if is_sqlite(site):
        for file, earlier in zip(files, before, strict=True):
            assert earlier <= in_file(file) <= after
            assert file.stat().st_mode & 0o077 == 0
    assert {each.name for each in tmp_path.iterdir()} == {"site", *(each.name for each in files)}


def test_a_backup_that_is_none_or_damaged_changes_nothing(
    site: Site, tmp_path: Path, draw_digit: DrawDigit
) -> None:
    site.post_drawing(draw_digit(4))
    whole = tmp_path / "whole"
    assert run(site, "backup", str(whole)).returncode == 0
    site.post_drawing(draw_digit(7))
    before = stored(site)
    content = whole.read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) * 2 // 3])
    (tmp_path / "text").write_text("no backup")
    with closing(sqlite3.connect(tmp_path / "other")) as database:
        database.execute("CREATE TABLE other (number INTEGER)")

    for name in ("cut", "text", "other", "nothing", "site"):
        done = run(site, "restore", str(tmp_path / name), "--no-input")
        assert done.returncode == 1, name
        assert str(tmp_path / name) in done.stderr
        assert "Traceback" not in done.stderr
        assert stored(site) == before
    assert site.get("readyz").json()["status"] == "ok"


def test_it_asks_before_it_restores(site: Site, tmp_path: Path, draw_digit: DrawDigit) -> None:
    file = tmp_path / "backup"
    run(site, "backup", str(file), check=True)
    site.post_drawing(draw_digit(4))

    refused = [run(site, "restore", str(file), input=said) for said in ("no\n", "")]
    assert [done.returncode for done in refused] == [1, 1]
    assert "Nothing was changed." in refused[0].stderr
    assert len(stored(site)) == 1

    done = run(site, "restore", str(file), input="yes\n", check=True)
    assert "0 drawings" in done.stdout
    assert not stored(site)
    assert site.post_drawing(draw_digit(4)).status == 201


def test_a_file_is_overwritten_only_by_force(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("precious")

    refused = run(site, "backup", str(file))
    missing = run(site, "backup", str(tmp_path / "no" / "backup"))

    assert (refused.returncode, missing.returncode) == (1, 1)
    assert "--force" in refused.stderr
    assert "Can't write" in missing.stderr
    assert file.read_text() == "precious"
    assert run(site, "backup", str(file), "--force").returncode == 0
    assert file.stat().st_size > 100_000
