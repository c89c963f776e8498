"""What an import has read and not stored yet: on disk, so that memory does not grow with it."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Staged:
    """A drawing that is to be stored: its id if it has one of its own, and its other fields."""

    id: UUID | None
    values: dict[str, Any]


class Staging:
    """A temporary database of its own, gone when it is closed.

    It knows the drawings that have been added, so a file's own duplicates are found too.
    """

    def __init__(self) -> None:
        # An empty name is a database on disk that nobody else sees.
        self._database = sqlite3.connect("", isolation_level=None)
        for line in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE fresh (n INTEGER PRIMARY KEY, pixels BLOB UNIQUE, id BLOB UNIQUE,"
            " label INTEGER, content BLOB)",
            "CREATE TABLE known (n INTEGER PRIMARY KEY, id BLOB UNIQUE, label INTEGER)",
            "BEGIN",
        ):
            self._database.execute(line)

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *raised: object) -> None:
        self._database.close()

    def label_of(self, pixels_sha256: str) -> int | None:
        """Return the label of an added drawing with these pixels; None if there is none."""
        row = self._database.execute(
            "SELECT label FROM fresh WHERE pixels = ?", (bytes.fromhex(pixels_sha256),)
        ).fetchone()
        return None if row is None else int(row[0])

    def has_id(self, identifier: UUID) -> bool:
        """Whether an added drawing has this id."""
        found = self._database.execute("SELECT 1 FROM fresh WHERE id = ?", (identifier.bytes,))
        return found.fetchone() is not None

    def add(self, staged: Staged) -> None:
        """Add a drawing whose pixels and id none has yet."""
        self._database.execute(
            "INSERT INTO fresh (pixels, id, label, content) VALUES (?, ?, ?, ?)",
            (
                bytes.fromhex(staged.values["pixels_sha256"]),
                None if staged.id is None else staged.id.bytes,
                staged.values["label"],
                # Read back by this process alone.
                pickle.dumps(staged.values),
            ),
        )

    def add_known(self, identifier: UUID, label: int) -> None:
        """Note a stored drawing that has no label yet and gets this one; the first counts."""
        self._database.execute(
            "INSERT OR IGNORE INTO known (id, label) VALUES (?, ?)", (identifier.bytes, label)
        )

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT COUNT(*) FROM fresh").fetchone()
        return int(count)

    def batches(self, size: int) -> Iterator[list[Staged]]:
        """Yield the added drawings in order, so many at a time."""
        rows = self._database.execute("SELECT id, content FROM fresh ORDER BY n")
        while some := rows.fetchmany(size):
            yield [
                Staged(None if key is None else UUID(bytes=key), pickle.loads(content))
                for key, content in some
            ]

    def known_batches(self, size: int) -> Iterator[tuple[int, list[UUID]]]:
        """Yield the noted drawings by label, so many at a time."""
        for (label,) in self._database.execute(
            "SELECT DISTINCT label FROM known ORDER BY label"
        ).fetchall():
            rows = self._database.execute(
                "SELECT id FROM known WHERE label = ? ORDER BY n", (label,)
            )
            while some := rows.fetchmany(size):
                yield int(label), [UUID(bytes=key) for (key,) in some]
