"""Zip files of any number of members, written in constant memory.

`zipfile` keeps half a kilobyte for each member until the archive is closed: a million drawings
would take most of a gigabyte. Here the list of contents is spooled to disk as it grows. The layout
is that of PKWARE's APPNOTE.TXT 6.3.10, with its Zip64 extensions where they are needed.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from recognizer.transfer.formats.items import FormatError, Spool

MAX_MEMBERS = 100_000
"""More members are not read: `zipfile` keeps the whole list in memory."""

_MAX_LIST = MAX_MEMBERS * 256  # bytes
_LIMIT = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ZIP64 = 45  # the version of the format that a reader must know
_MIDNIGHT_1980 = (0, 0x21)  # an archive carries no time of its own, or no two would be alike
_UNIX = 3
_RIGHTS = 0o100644 << 16

_LOCAL = struct.Struct("<4s5H3L2H")
_LISTED = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")


class ZipWriter:
    """Writes members one after the other into an open, empty, seekable file."""

    def __init__(self, file: IO[bytes], spool: Spool) -> None:
        self._file = file
        self._list = spool()
        self._members = 0

    def put(self, name: str, content: bytes) -> None:
        """Write a small member as it is, not compressed."""
        start = self._file.tell()
        crc, size = zlib.crc32(content), len(content)
        self._file.write(_local(name, _STORED, crc, size, size) + content)
        self._enter(name, _STORED, crc, size, size, start)

    @contextlib.contextmanager
    def open(self, name: str, *, compress: bool = True) -> Iterator[IO[bytes]]:
        """Open a member of any length to write; one at a time."""
        method = _DEFLATED if compress else _STORED
        start = self._file.tell()
        self._file.write(_local(name, method, 0, 0, 0, large=True))
        member = _Member(self._file, compress)
        with io.BufferedWriter(member, 1 << 16) as buffered:
            yield buffered
        self._file.seek(start)
        self._file.write(_local(name, method, member.crc, member.packed, member.size, large=True))
        self._file.seek(0, io.SEEK_END)
        self._enter(name, method, member.crc, member.packed, member.size, start)

    def close(self) -> None:
        """Write the list of contents; without it the file is no archive."""
        start = self._file.tell()
        self._list.seek(0)
        shutil.copyfileobj(self._list, self._file, 1 << 16)
        end = self._file.tell()
        length = end - start
        if self._members >= 0xFFFF or end >= _LIMIT:
            self._file.write(
                _END_64.pack(
                    b"PK\6\6", _END_64.size - 12, _ZIP64, _ZIP64, 0, 0,
                    self._members, self._members, length, start,
                )
            )  # fmt: skip
            self._file.write(_LOCATOR.pack(b"PK\6\7", 0, end, 1))
        members = min(self._members, 0xFFFF)
        self._file.write(
            _END.pack(b"PK\5\6", 0, 0, members, members, min(length, _LIMIT), min(start, _LIMIT), 0)
        )

    def _enter(self, name: str, method: int, crc: int, packed: int, size: int, at: int) -> None:
        """Add a member to the list of contents."""
        numbers = [size, packed, at]
        large = [number for number in numbers if number >= _LIMIT]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        size, packed, at = (min(number, _LIMIT) for number in numbers)
        self._list.write(
            _LISTED.pack(
                b"PK\1\2", _ZIP64, _UNIX, _ZIP64, 0, 0, method, *_MIDNIGHT_1980, crc,
                packed, size, len(name), len(extra), 0, 0, 0, _RIGHTS, at,
            )
            + name.encode("ascii")
            + extra
        )  # fmt: skip
        self._members += 1


class _Member(io.RawIOBase):
    """The content of one member on its way into the archive."""

    def __init__(self, file: IO[bytes], compress: bool) -> None:
        self._file = file
        self._pack = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS) if compress else None
        self.crc = self.size = self.packed = 0

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        data = bytes(content)  # type: ignore[call-overload]
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        self._put(self._pack.compress(data) if self._pack else data)
        return len(data)

    def close(self) -> None:
        if not self.closed and self._pack:
            self._put(self._pack.flush())
        super().close()

    def _put(self, data: bytes) -> None:
        self.packed += self._file.write(data)


def _local(
    name: str, method: int, crc: int, packed: int, size: int, *, large: bool = False
) -> bytes:
    """Return what stands before a member; ``large`` leaves room for sizes over 4 GiB."""
    extra = struct.pack("<2H2Q", 1, 16, size, packed) if large else b""
    sizes = (_LIMIT, _LIMIT) if large else (packed, size)
    head = _LOCAL.pack(
        b"PK\3\4", _ZIP64, 0, method, *_MIDNIGHT_1980, crc, *sizes, len(name), len(extra)
    )
    return head + name.encode("ascii") + extra


def check_length(file: IO[bytes], path: Path) -> None:
    """Raise FormatError for an archive of too many members, before their list is read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - _END.size))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        return  # No archive at all: `zipfile` says so.
    _, _, _, _, members, length, _, _ = _END.unpack_from(tail, at)
    large = tail.rfind(b"PK\6\6", 0, at)
    if large >= 0 and at - large >= _END_64.size:
        members, length = _END_64.unpack_from(tail, large)[7:9]
    if members > MAX_MEMBERS or length > _MAX_LIST:
        raise FormatError(
            f"{path} holds more than {MAX_MEMBERS:,} files. Unpack it and name the folder instead."
        )
