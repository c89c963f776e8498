"""Draw how the folders import each other, and the modules that a drawing passes through.

    python -m benchmarks.pictures.architecture [--check]

Both are written into docs/architecture.md, between the comments that name this module. The first
comes from the imports (type-checking imports and tests left out): an arrow means "imports", and one
that follows from others is left out (the transitive reduction). The second is recorded while the
site answers one POST to the API. ``--check`` writes nothing and exits with 1 if either is out of
date.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import grimp

from benchmarks.common import command_line, django_setup, documents
from benchmarks.common.running_site import ROOT

DOCUMENT = ROOT / "docs" / "architecture.md"
PACKAGES = ("digitsite", "recognizer", "training")
LEFT_OUT = frozenset({"tests", "migrations"})
WHOLE = frozenset({"digitsite"})
"""Packages drawn as one box."""

Graph = dict[str, set[str]]


def folder_of(module: str) -> str | None:
    """Return the box that a module is drawn in: its package and the folder or file below it."""
    package, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    if first in LEFT_OUT or not (first or package in WHOLE):
        return None
    return package if package in WHOLE else f"{package}.{first}"


def import_graph() -> Graph:
    modules = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)
    found: Graph = defaultdict(set)
    for module in sorted(modules.modules):
        if (here := folder_of(module)) is None:
            continue
        found[here] |= {
            there
            for imported in modules.find_modules_directly_imported_by(module)
            if (there := folder_of(imported)) is not None and there != here
        }
    return dict(found)


def reduced(graph: Graph) -> Graph:
    """Return the graph without the arrows that follow from others. It must have no cycle."""

    def reachable(start: str) -> set[str]:
        return set().union(*({each} | reachable(each) for each in graph.get(start, ())))

    return {
        node: {
            each
            for each in imported
            if not any(each in reachable(other) for other in imported - {each})
        }
        for node, imported in graph.items()
    }


def diagram(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart, one group for each package."""
    used = graph.keys() | set().union(*graph.values())
    linked = {node for node in used if graph.get(node)} | set().union(*graph.values())
    lines = ["```mermaid", "flowchart TD"]
    for package in PACKAGES:
        boxes = sorted(node for node in linked if node.partition(".")[0] == package)
        if package in WHOLE:
            lines += [f"  {box}" for box in boxes]
            continue
        lines.append(f"  subgraph {package}")
        lines += [f'    {box}["{box.partition(".")[2]}"]' for box in boxes]
        lines.append("  end")
    lines += [f"  {here} --> {there}" for here in sorted(graph) for there in sorted(graph[here])]
    return "\n".join([*lines, "```"])


# --- the modules of one request -----------------------------------------------------------------


@contextmanager
def recorded(names: dict[str, None]) -> Iterator[None]:
    """Add the modules of `recognizer` whose functions run, in the order of their first call."""

    def note(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        # The top of a module runs when it is first imported, whoever needs it.
        if event == "call" and name.startswith("recognizer.") and _is_function(frame):
            names.setdefault(name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def _is_function(frame: FrameType) -> bool:
    return frame.f_code.co_name != "<module>" and "__qualname__" not in frame.f_locals


def modules_of_a_post() -> list[str]:
    """Return the modules of `recognizer` that answer a drawing sent to the API, in order.

    Needs Django, set up on a database that is migrated.
    """
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    picture = (ROOT / "docs" / "seven.png").read_bytes()
    client = Client(headers={"host": "localhost"})
    names: dict[str, None] = {}

    def post() -> int:
        drawing = SimpleUploadedFile("seven.png", picture, "image/png")
        return client.post("/api/v1/predictions/", {"image": drawing}).status_code

    # The first request loads the model and fills the caches of imports and addresses.
    assert post() == 201
    with recorded(names):
        assert post() == 201
    return list(names)


def numbered(modules: Sequence[str]) -> str:
    return "\n".join(f"{number}. `{name}`" for number, name in enumerate(modules, 1))


# --- the document -------------------------------------------------------------------------------


PARTS: dict[str, Callable[[], str]] = {
    "imports": lambda: diagram(reduced(import_graph())),
    "one POST": lambda: numbered(modules_of_a_post()),
}


def current(text: str, parts: Sequence[str] = tuple(PARTS)) -> str:
    for part in parts:
        text = documents.replaced(text, __spec__.name, part, PARTS[part]())
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    text = DOCUMENT.read_text(encoding="utf-8")
    with django_setup.on_a_new_database():
        new = current(text)
    if options.check:
        if new != text:
            raise SystemExit(f"{DOCUMENT} is out of date: run python -m {__spec__.name}")
        return
    DOCUMENT.write_text(new, encoding="utf-8")
    print(DOCUMENT)


if __name__ == "__main__":
    main()
