"""The command lines of the benchmarks."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recognizer.inference.classifier import BundleError
from training.data.downloads import DataDamaged, DataUnavailable


def parser(description: str | None, *, with_json: bool = True) -> argparse.ArgumentParser:
    """Return a parser that shows a module's docstring as its help, with the option ``--json``."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if with_json:
        made.add_argument("--json", type=Path, metavar="PATH", help="also write the figures there")
    return made


def chosen(text: str | None, known: Iterable[str], what: str) -> list[str]:
    """Return the names in a comma-separated list, all of ``known`` if there is no list.

    Exits with a message that lists the known names if one is unknown.
    """
    names = list(known)
    if text is None:
        return names
    found = [name.strip() for name in text.split(",")]
    if unknown := [name for name in found if name not in names]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. {what} are {', '.join(names)}.")
    return found


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Exit with the message of an error if a bundle or a data set can't be loaded."""
    try:
        yield
    except (BundleError, DataDamaged, DataUnavailable) as error:
        raise SystemExit(str(error)) from error
