"""NumPy arrays in files, written and read row by row, so that memory does not grow."""

from __future__ import annotations

import math
import shutil
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from recognizer import imaging
from recognizer.transfer.formats.containers import UNREADABLE, ZipSink, unreadable
from recognizer.transfer.formats.items import FormatError, Spool

_AT_A_TIME = 1 << 16  # bytes
_MAX_ROW = 64 << 20  # bytes


class Column:
    """An array that is collected row by row on disk: its header, with the length, comes first."""

    def __init__(self, spool: Spool, name: str, dtype: str, shape: tuple[int, ...] = ()) -> None:
        self.name = name
        self.dtype = np.dtype(dtype)
        self.shape = shape
        self.rows = 0
        self.file = spool()

    def append(self, row: object) -> None:
        self.file.write(np.asarray(row, dtype=self.dtype).tobytes())
        self.rows += 1

    def extend(self, content: bytes) -> None:
        self.file.write(content)
        self.rows += len(content)

    def copy_to(self, file: IO[bytes]) -> None:
        """Copy the rows, without a header, and close the temporary file."""
        self.file.seek(0)
        shutil.copyfileobj(self.file, file, _AT_A_TIME)
        self.file.close()

    def write_to(self, archive: ZipSink, *, compress: bool = True) -> None:
        """Write the array to an npz file and close the temporary file."""
        with archive.open(f"{self.name}.npy", compress=compress) as file:
            shape = (self.rows, *self.shape)
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
            self.copy_to(file)


class StoredArray:
    """An array in an npz file; its rows are read on demand.

    Raises FormatError if it contains Python objects, is not in C order, or does not have the length
    in its header.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.name = name
        self._archive = archive
        try:
            info = archive.getinfo(f"{name}.npy")
            with archive.open(info) as file:
                self.shape, in_fortran_order, self.dtype = _header(file)
                length = info.file_size - file.tell()
        except (ValueError, *UNREADABLE) as error:
            if isinstance(error, FormatError):
                raise
            raise unreadable(name, error) from error
        if self.dtype.hasobject:
            raise FormatError(f"{name} contains Python objects, which are not supported.")
        if in_fortran_order and len(self.shape) > 1:
            raise FormatError(f"{name} is stored in Fortran order. Save it in C order.")
        if not self.shape or self.shape[0] < 0:
            raise FormatError(f"{name} has shape {self.shape}, not a list of rows.")
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        if not 0 < self._row_bytes <= _MAX_ROW or max(self.shape[1:], default=1) > imaging.MAX_SIDE:
            raise FormatError(f"{name} has rows of shape {self.shape[1:]}, which can't be read.")
        if min(self.shape[1:], default=1) < 1 or length != len(self) * self._row_bytes:
            raise FormatError(f"{name} does not have the length in its header: it is damaged.")

    def __len__(self) -> int:
        return int(self.shape[0])

    def rows(self) -> Iterator[np.ndarray[Any, Any]]:
        for rows in self._blocks():
            yield from rows

    def range(self) -> tuple[float, float]:
        """Return the smallest and the largest finite value, 0 and 255 without rows.

        Raises FormatError if there is no finite value, or the two are too far apart.
        """
        if not len(self):
            return 0.0, 255.0
        low, high = math.inf, -math.inf
        for rows in self._blocks():
            finite = rows[np.isfinite(rows)] if rows.dtype.kind == "f" else rows
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        if not math.isfinite(high - low):
            raise FormatError(f"{self.name} has values from {low:g} to {high:g}: no images.")
        return low, high

    def _blocks(self) -> Iterator[np.ndarray[Any, Any]]:
        at_a_time = max(1, _AT_A_TIME // self._row_bytes)
        with self.open() as file:
            for start in range(0, len(self), at_a_time):
                rows = min(at_a_time, len(self) - start)
                content = read_exactly(file, rows * self._row_bytes, self.name)
                yield np.frombuffer(content, self.dtype).reshape(rows, *self.shape[1:])

    def open(self) -> IO[bytes]:
        """Open the array's bytes after its header."""
        file = self._archive.open(f"{self.name}.npy")
        _header(file)
        return file


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
    if version == (1, 0):
        read = np.lib.format.read_array_header_1_0
    elif version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    else:
        raise FormatError(f"Version {version} of the npy format is not supported.")
    shape, in_fortran_order, dtype = read(file)  # type: ignore[no-untyped-call]
    return shape, in_fortran_order, dtype


def read_exactly(file: IO[bytes], size: int, name: str) -> bytes:
    """Read ``size`` bytes; raises FormatError if there are fewer."""
    try:
        content = file.read(size)
    except UNREADABLE as error:
        raise unreadable(name, error) from error
    if len(content) != size:
        raise FormatError(f"{name} is incomplete.")
    return content
