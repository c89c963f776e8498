"""Files that are sent while they are written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import IO

import pytest

from recognizer.transfer.streaming import Started, pieces


def lines(items: Iterator[int], file: IO[bytes]) -> None:
    for item in items:
        file.write(f"{item}\n".encode())


def test_what_is_written_comes_in_order_and_whole() -> None:
    found = list(pieces(lines, range(100_000)))

    assert b"".join(found) == b"".join(f"{n}\n".encode() for n in range(100_000))
    assert 3 < len(found) < 20


def test_the_first_piece_does_not_wait_for_the_last_item() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    stream = pieces(lines, items())

    assert next(stream) == b"0\n"
    assert taken == [0]


def test_the_items_are_taken_in_the_callers_thread() -> None:
    threads: set[int] = set()

    def items() -> Iterator[int]:
        threads.add(threading.get_ident())
        yield 1

    list(pieces(lines, items()))

    assert threads == {threading.get_ident()}


def test_an_error_of_either_side_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("the database is gone")

    def fail(items: Iterator[int], file: IO[bytes]) -> None:
        file.write(str(next(items)).encode())
        raise ValueError("not this one")

    with pytest.raises(LookupError):
        list(pieces(lines, items()))
    with pytest.raises(ValueError, match="not this one"):
        Started(pieces(fail, [1, 2]))


@pytest.mark.parametrize("started", [False, True])
def test_a_stream_that_nobody_reads_ends_its_thread(started: bool) -> None:
    before = threading.active_count()
    closed: list[bool] = []

    def write(items: Iterator[int], file: IO[bytes]) -> None:
        try:
            lines(items, file)
        finally:
            closed.append(True)

    stream = Started(pieces(write, range(10)))
    if started:
        next(stream)
    stream.close()

    assert closed == [True]
    assert threading.active_count() == before
