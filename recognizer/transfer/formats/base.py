"""What a file format of drawings consists of. Each module of a format ends with its `Format`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from recognizer.transfer.formats.containers import Sink, Source
from recognizer.transfer.formats.items import BadItem, Item, Spool
from recognizer.transfer.formats.manifest import Summary


class Read(Protocol):
    def __call__(
        self, path: Path, /, *, with_manifest: bool = True
    ) -> Iterator[Item | BadItem]: ...


WriteFile = Callable[[Iterable[Item], IO[bytes], Spool], Summary]
WriteFiles = Callable[[Iterable[Item], Sink, Spool], Summary]


def gettext_noop(text: str) -> str:
    """Mark a text for translation where it is shown; formats don't import Django."""
    return text


@dataclass(frozen=True)
class Format:
    """A file format that drawings are exported to and imported from.

    It has either ``write_file``, if an export is one file, or ``write_files``. A format of several
    files has either ``folder``, if they lie in a folder of their own, or ``main_file``. In a zip
    file it has neither.
    """

    name: str
    """As ``--format`` takes it; also in manifests."""
    title: str
    """In the admin's menu; marked by `gettext_noop`."""
    description: str
    """In the help of ``--format``."""
    download_suffix: str
    read: Read
    read_column: Callable[[Path, str], Iterator[Item | BadItem]] | None = None
    """Reads a foreign file whose labels are in the column, or JSON value, of this name."""
    write_file: WriteFile | None = None
    write_files: WriteFiles | None = None
    folder: frozenset[str] | None = None
    """All names that can be in the top folder of an export: nothing else is ever overwritten."""
    main_file: str | None = None
    """The file that gets the path of the export itself; the manifest goes beside it."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of paths that this format is inferred from; the empty one means a folder."""
    starts: Callable[[bytes], bool] = lambda head: False
    """Whether a file that starts with these (up to 4096) bytes is probably of this format."""
    matches: Callable[[Source], bool] = lambda source: False
    """Whether a folder or zip file is probably of this format."""
    count: Callable[[Path], int | None] | None = None
    """How many drawings a file holds, if that is known without reading it whole."""
    takes_unlabelled: bool = False
    package: str | None = None
    """An optional package that it needs."""

    def is_available(self) -> bool:
        """Whether the package that it needs is installed."""
        return self.package is None or importlib.util.find_spec(self.package) is not None
