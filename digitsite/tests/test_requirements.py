"""The requirement files: one pin for each package, and no TensorFlow on a web machine."""

from __future__ import annotations

from importlib.metadata import distribution

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EVERYTHING = "requirements.txt"
SERVE = "requirements-serve.txt"
DEVELOP = "requirements-dev.txt"
LOCK = "requirements-serve.lock"


def lines(name: str) -> list[str]:
    text = (settings.BASE_DIR / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def requirements(name: str) -> list[Requirement]:
    return [Requirement(line) for line in lines(name) if not line.startswith("-")]


def names(name: str) -> list[str]:
    return [canonicalize_name(requirement.name) for requirement in requirements(name)]


def installed_with(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return the packages that pip installs for one package, by what is installed here."""
    found: set[str] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        current, wanted = waiting.pop()
        if current in found:
            continue
        found.add(current)
        for line in distribution(current).requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in wanted or {""}
            ):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return found


@pytest.mark.parametrize("file", [EVERYTHING, DEVELOP])
def test_every_version_is_exact(file: str) -> None:
    inexact = [
        str(requirement)
        for requirement in requirements(file)
        if [specifier.operator for specifier in requirement.specifier] != ["=="]
    ]
    assert inexact == []


def test_no_package_is_pinned_twice() -> None:
    pinned = names(EVERYTHING) + names(DEVELOP)
    assert len(pinned) == len(set(pinned))


def test_the_web_machine_uses_the_same_versions() -> None:
    assert f"-c {EVERYTHING}" in lines(SERVE)
    assert [str(requirement) for requirement in requirements(SERVE)] == names(SERVE)
    assert set(names(SERVE)) <= set(names(EVERYTHING))


def test_developing_includes_everything() -> None:
    assert f"-r {EVERYTHING}" in lines(DEVELOP)


def test_a_constraints_file_names_no_extras() -> None:
    # pip refuses them there.
    assert [r.name for r in requirements(EVERYTHING) if r.extras] == []


def test_the_web_machine_gets_no_tensorflow() -> None:
    installed = set[str]().union(*(installed_with(name) for name in names(SERVE)))
    assert not installed & {"keras", "matplotlib", "tensorflow"}


def test_the_lock_file_has_a_hash_for_everything_that_a_web_machine_installs() -> None:
    text = (settings.BASE_DIR / LOCK).read_text(encoding="utf-8").replace("\\\n", " ")
    locked = [line for line in text.splitlines() if line and line[0] != "#"]
    versions: dict[str, str] = {}
    for line in locked:
        requirement, *hashes = line.split("--hash=sha256:")
        assert hashes, line
        parsed = Requirement(requirement)
        versions[canonicalize_name(parsed.name)] = str(parsed.specifier)
    pinned: dict[str, str] = {
        canonicalize_name(each.name): str(each.specifier) for each in requirements(EVERYTHING)
    }
    needed = set().union(*(installed_with(name) for name in names(SERVE)))

    assert needed <= versions.keys()
    assert {name: versions[name] for name in names(SERVE)} == {
        name: pinned[name] for name in names(SERVE)
    }
