"""What is written to a file, piece by piece while it is written."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import IO, Any, TypeVar

T = TypeVar("T")

PIECE = 64 * 1024
"""Bytes, about; the first piece is smaller."""


class _Abandoned(BaseException):
    """Nobody wants the rest."""


class _File(io.RawIOBase):
    """Hands over what is written to it; it can't be read and has no other place than its end."""

    def __init__(self, hand_over: Callable[[bytes], None]) -> None:
        self._hand_over = hand_over
        self._buffer = bytearray()
        self._length = 0
        self._least = 1

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, content: Any) -> int:
        with memoryview(content) as view:
            self._buffer += view
            size = view.nbytes
        self._length += size
        if len(self._buffer) >= PIECE:
            self.flush_piece()
        return size

    def flush_piece(self, *, least: int | None = None) -> None:
        if len(self._buffer) >= (self._least if least is None else least):
            piece = bytes(self._buffer)
            self._buffer.clear()
            self._least = PIECE
            self._hand_over(piece)


def pieces(
    write: Callable[[Iterator[T], IO[bytes]], object], items: Iterable[T]
) -> Iterator[bytes]:
    """Yield what ``write(items, file)`` writes to a file that is not seekable.

    ``write`` runs in a thread of its own, but never at the same time as this one: the items are
    taken in this thread, whose connection to the database they may need. What ``write`` or the
    items raise is raised here.
    """
    to_reader: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    to_writer: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    is_abandoned = threading.Event()

    def ask(kind: str, value: Any = None) -> tuple[str, Any]:
        to_reader.put((kind, value))
        answer = to_writer.get()
        if answer[0] == "abandon":
            is_abandoned.set()
            raise _Abandoned
        return answer

    def taken() -> Iterator[T]:
        while True:
            file.flush_piece()
            kind, value = ask("item")
            if kind == "end":
                return
            yield value

    def run() -> None:
        error: BaseException | None = None
        try:
            write(taken(), file)  # type: ignore[arg-type]
            file.flush_piece(least=1)
        except BaseException as raised:
            error = raised
        to_reader.put(("end", error))

    def hand_over(piece: bytes) -> None:
        # An abandoned archive still writes its end while it is closed.
        if not is_abandoned.is_set():
            ask("piece", piece)

    file = _File(hand_over)
    thread = threading.Thread(target=run, daemon=True)
    rows = iter(items)
    thread.start()
    try:
        while True:
            kind, value = to_reader.get()
            if kind == "item":
                try:
                    to_writer.put(("item", next(rows)))
                except StopIteration:
                    to_writer.put(("end", None))
            elif kind == "piece":
                yield value
                to_writer.put(("go on", None))
            elif value is None:
                return
            else:
                raise value
    finally:
        # If the thread has ended, nobody reads this.
        to_writer.put(("abandon", None))
        thread.join()


class Started:
    """An iterator whose first item has been taken, so that an early error is raised here."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._first: bytes | None = next(stream, b"")

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._stream)

    def close(self) -> None:
        self._stream.close()  # type: ignore[attr-defined]
