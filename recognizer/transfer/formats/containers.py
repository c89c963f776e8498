"""Folders and zip files, for formats of several files.

A format writes its files to a `Sink` and reads them from a `Source`; each can be a folder or a zip.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from recognizer import imaging
from recognizer.transfer.formats.items import LABEL_NAMES, FormatError

SYSTEM_FILES = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX"})
MAX_MEMBERS = 100_000
"""A zip of more files is not read: `zipfile` keeps its whole list of contents in memory."""

_MAX_LIST = MAX_MEMBERS * 256  # bytes
# The ends of an archive (PKWARE's APPNOTE.TXT, 4.3.16 and 4.3.14).
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")

UNREADABLE = (
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    # An encrypted member, or an unsupported compression method.
    RuntimeError,
    NotImplementedError,
    UnicodeDecodeError,
)
"""Errors that reading a damaged file can raise."""


class Sink(Protocol):
    """Where the files of an export are written."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for writing; one at a time."""

    def put(self, name: str, content: bytes) -> None:
        """Write a small file that compression would not shrink, such as a PNG."""

    def make_folder(self, name: str) -> None:
        """Make a folder that stays even if nothing is written to it."""


def copy(spool: IO[bytes], sink: Sink, name: str) -> None:
    spool.seek(0)
    with sink.open(name) as file:
        shutil.copyfileobj(spool, file, 1 << 16)


class FolderSink:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with (self._folder / name).open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def put(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def make_folder(self, name: str) -> None:
        (self._folder / name).mkdir()


class ZipSink:
    """A zip file; the same content gives the same bytes, so no member has a time.

    `zipfile` keeps about 400 bytes for each member until the archive is closed.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextlib.contextmanager
    def open(self, name: str, *, compress: bool = True) -> Iterator[IO[bytes]]:
        # Its length is not known yet, so there is room for one over 4 GiB.
        with self._archive.open(_member(name, compress), "w", force_zip64=True) as member:
            yield member

    def put(self, name: str, content: bytes) -> None:
        self._archive.writestr(_member(name, compress=False), content)

    def make_folder(self, name: str) -> None:
        pass  # A zip file has no empty folders.


def _member(name: str, compress: bool) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    member.external_attr = 0o100644 << 16
    return member


class Source(Protocol):
    """Where the files of an import are read from; raises FormatError for unreadable ones."""

    path: Path

    def names(self) -> Iterator[str]:
        """Yield the relative paths of all files, in order, except hidden and system files."""

    def has(self, name: str) -> bool:
        """Whether there is a file with this relative path."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading; several can be open."""


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file, or a link to one, for reading.

    Raises FormatError for what may never end, such as a pipe or a device, and OSError.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise FormatError(f"{path} is not a regular file.")
    return path.open("rb")


def is_zip(path: Path) -> bool:
    """Whether a file starts like a zip file."""
    try:
        with open_file(path) as file:
            return file.read(4) in (b"PK\3\4", b"PK\5\6")
    except OSError as error:
        raise unreadable(path, error) from error


def open_source(path: Path) -> AbstractContextManager[Source]:
    """Open a folder or a zip file for reading."""
    return contextlib.nullcontext(Folder(path)) if path.is_dir() else _open_zip(path)


@contextlib.contextmanager
def _open_zip(path: Path) -> Iterator[Source]:
    with open_archive(path) as archive:
        yield Zip(path, archive)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file for reading; raises FormatError, also if its list of files is too long."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_file(path))
            _check_length(file, path)
            archive = stack.enter_context(zipfile.ZipFile(file))
        except UNREADABLE as error:
            raise unreadable(path, error) from error
        yield archive


def _check_length(file: IO[bytes], path: Path) -> None:
    """Raise FormatError for an archive of too many members, before their list is read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - _END.size))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        return  # Not a zip file: `zipfile` will raise an error.
    _, _, _, _, members, length, _, _ = _END.unpack_from(tail, at)
    large = tail.rfind(b"PK\6\6", 0, at)
    if large >= 0 and at - large >= _END_64.size:
        members, length = _END_64.unpack_from(tail, large)[7:9]
    if members > MAX_MEMBERS or length > _MAX_LIST:
        raise FormatError(
            f"{path} has more than {MAX_MEMBERS:,} files. Unpack it and import the folder instead."
        )


def unreadable(path: Path | str, error: Exception) -> FormatError:
    """Return the FormatError for an error in opening or reading a file."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return FormatError(f"{path} can't be read: {str(reason).rstrip('.') or 'it is damaged'}.")


def read_image(source: Source, name: str) -> bytes:
    """Return an image file, cut off one byte over the limit; raises FormatError."""
    with source.open(name) as file:
        try:
            return file.read(imaging.MAX_BYTES + 1)
        except UNREADABLE as error:
            raise unreadable(name, error) from error


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Iterator[str]:
        try:
            yield from self._below(self.path, "")
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _below(self, folder: Path, prefix: str) -> Iterator[str]:
        # One folder at a time, so that not all names are in memory.
        with os.scandir(folder) as entries:
            found = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
        for name, is_folder in found:
            if is_hidden(name):
                continue
            if is_folder:
                yield from self._below(folder / name, f"{prefix}{name}/")
            else:
                yield prefix + name

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            file = open_file(self.path / name)
        except OSError as error:
            raise unreadable(name, error) from error
        with file:
            yield file


class Zip:
    """A zip file. Nothing is extracted to disk, so a path in it can't lead outside."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._prefix = _common_folder(archive)

    def names(self) -> Iterator[str]:
        for info in self._archive.infolist():
            name = info.filename
            parts = PurePosixPath(name).parts
            if parts and not name.endswith("/") and not any(map(is_hidden, parts)):
                yield name.removeprefix(self._prefix)

    def has(self, name: str) -> bool:
        return self._prefix + name in self._archive.NameToInfo

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            file = self._archive.open(self._prefix + name)
        except UNREADABLE as error:
            raise unreadable(name, error) from error
        with file:
            yield file


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or created by an operating system."""
    return name.startswith(".") or name in SYSTEM_FILES


def _common_folder(archive: zipfile.ZipFile) -> str:
    """Return the folder that contains everything, as in a zip of a folder, or an empty text."""
    first = {name.partition("/")[0] for name in archive.namelist() if name.strip("/")}
    tops = {name for name in first if not is_hidden(name)}
    if len(tops) != 1 or tops & {*LABEL_NAMES}:
        return ""
    (top,) = tops
    return f"{top}/" if all("/" in name for name in archive.namelist()) else ""
