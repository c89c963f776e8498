"""The documentation names what exists: settings, files, modules, commands and their options."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from benchmarks.pictures import architecture

BASE = Path(settings.BASE_DIR)
DOCUMENTS = sorted(
    path.relative_to(BASE).as_posix() for path in (*BASE.glob("*.md"), *BASE.glob("docs/*.md"))
)
SCRIPTS = sorted(
    path.relative_to(BASE).as_posix()
    for path in BASE.glob("benchmarks/*/*.py")
    if path.parent.name != "tests" and "__main__" in path.read_text(encoding="utf-8")
)
# Read by the training code, not by the settings.
ELSEWHERE = {"DIGIT_DATA_DIR"}
PACKAGES = ("benchmarks", "digitsite", "recognizer", "training")
FOLDERS = (*PACKAGES, "docs", "locale", "static", "templates")
README_LINES = 120
# A folder of the tree in architecture.md: two spaces for each level, the name, what is in it.
FOLDER = re.compile(r"^( *)(\w+)/ +\S")


def text_of(document: str) -> str:
    return (BASE / document).read_text(encoding="utf-8")


# --- settings -----------------------------------------------------------------------------------


def variables_read() -> set[str]:
    tree = ast.parse(text_of("digitsite/settings.py"))
    return ELSEWHERE | {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_the_example_lists_every_variable_and_sets_none() -> None:
    example = text_of(".env.example")
    assert set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)) == variables_read()
    assert re.findall(r"^[A-Z_]+=", example, re.MULTILINE) == []


def test_the_page_on_operating_lists_every_variable() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", text_of("docs/operating.md"), re.MULTILINE)
    assert set(listed) == variables_read()


# --- links --------------------------------------------------------------------------------------


def slugs(document: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    }


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_are_relative_and_have_a_target(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if target.startswith(("https://", "http://")):
            assert "github.com" not in target, f"{target}: link to the file instead"
            continue
        name, _, anchor = unquote(target).partition("#")
        path = (BASE / document).parent / name if name else BASE / document
        assert path.exists(), target
        assert not anchor or anchor in slugs(path.relative_to(BASE).as_posix()), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), ["README.md"]
    while waiting:
        document = waiting.pop()
        found.add(document)
        for name in re.findall(r"\]\(([^)#\s]+\.md)[)#]", text_of(document)):
            linked = ((BASE / document).parent / name).resolve().relative_to(BASE).as_posix()
            if linked not in found:
                waiting.append(linked)
    assert found == set(DOCUMENTS)


# --- commands, modules and files ----------------------------------------------------------------


def code_of(document: str) -> Iterator[str]:
    """Yield what stands in backticks and the lines of blocks; continued lines are one."""
    blocks = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = text_of(document)
    for block in blocks.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for span in re.findall(r"`([^`]+)`", blocks.sub("", text)):
        yield " ".join(span.split())


def commands_of(lines: Iterator[str]) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the commands in these lines: what runs it, its name, and its options."""
    command = re.compile(r"(-m|manage\.py|^make) ([a-z][\w.-]*)(.*)")
    for line in lines:
        # What follows a pipe or a comment is another matter.
        if found := command.search(re.split(r" [|#&]", line)[0]):
            yield found[1], found[2], set(re.findall(r"(?<=[ \[])--[a-z][a-z-]*", found[3]))


@cache
def options_of(command: str) -> frozenset[str]:
    parser = load_command_class(get_commands()[command], command).create_parser("", command)
    return frozenset(name for action in parser._actions for name in action.option_strings)


def check_commands(lines: Iterator[str]) -> int:
    count = 0
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for runs_it, name, options in commands_of(lines):
        count += 1
        if runs_it == "make":
            assert name in targets, f"make {name}"
        elif runs_it == "manage.py":
            assert name in get_commands(), f"manage.py {name}"
            assert options <= options_of(name), f"manage.py {name} {options - options_of(name)}"
        else:
            assert importlib.util.find_spec(name), f"python -m {name}"
            if name.startswith(PACKAGES):
                known = text_of(name.replace(".", "/") + ".py") + text_of(
                    "benchmarks/common/command_line.py"
                )
                assert all(f'"{option}"' in known for option in options), f"{name} {options}"
    return count


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_exists_with_its_options(document: str) -> None:
    check_commands(code_of(document))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_documents_its_command(script: str) -> None:
    documented = ast.get_docstring(ast.parse(text_of(script))) or ""
    usage = [line.strip() for line in documented.splitlines() if line.startswith("    ")]
    module = script.removesuffix(".py").replace("/", ".")
    assert any(re.search(rf"python -m {re.escape(module)}( |$)", line) for line in usage)
    assert all("python -m " in line for line in usage), "a command is broken into two lines"
    check_commands(iter(usage))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_file_and_module_exists(document: str) -> None:
    for code in code_of(document):
        if re.fullmatch(rf"({'|'.join(FOLDERS)})(/[\w.-]+)*/?", code):
            assert (BASE / code).exists(), code
        if re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", code):
            path = BASE / code.replace(".", "/")
            assert path.is_dir() or path.with_suffix(".py").exists(), code


# --- the README and the architecture ------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= README_LINES


def test_every_folder_of_the_code_is_described() -> None:
    described, parents = set(), [""]
    for line in text_of("docs/architecture.md").splitlines():
        if found := FOLDER.match(line):
            parents[len(found[1]) // 2 + 1 :] = [f"{parents[len(found[1]) // 2]}{found[2]}/"]
            described.add(parents[-1])
    folders = {
        f"{path.parent.relative_to(BASE).as_posix()}/"
        for package in PACKAGES
        for path in BASE.glob(f"{package}/*/__init__.py")
    }
    missing = folders - described - {"digitsite/management/", "digitsite/tests/"}
    assert not missing
    assert all((BASE / folder).is_dir() for folder in described)


@pytest.mark.django_db
@pytest.mark.parametrize("part", architecture.PARTS)
def test_the_architecture_matches_the_code(part: str) -> None:
    document = text_of("docs/architecture.md")
    assert architecture.current(document, [part]) == document, (
        "run python -m benchmarks.pictures.architecture"
    )
