"""Thousands of requests made from the schema: none breaks the server or shows others' drawings."""

from __future__ import annotations

from recognizer.tests.support import fuzzing


def test_no_request_finds_a_fault() -> None:
    counts = fuzzing.fuzz(examples=8, seed=1)

    assert set(counts) == set(fuzzing.WHO)
    assert sum(counts.values()) > 2000
