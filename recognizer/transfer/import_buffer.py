"""Drawings that an import has read but not stored yet; on disk, so memory does not grow."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class BufferedDrawing:
    """A drawing to store: its id, if the file has one, and its other fields.

    ``votes`` are the labels of several annotators: label, account and time.
    """

    id: UUID | None
    values: dict[str, Any]
    votes: tuple[tuple[int, int | None, datetime | None], ...] = ()


class ImportBuffer:
    """A temporary database, deleted when closed; it also finds duplicates within the file."""

    def __init__(self) -> None:
        # An empty name is a private database on disk.
        self._database = sqlite3.connect("", isolation_level=None)
        for line in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE added (n INTEGER PRIMARY KEY, pixels BLOB UNIQUE, id BLOB UNIQUE,"
            " label INTEGER, content BLOB)",
            "CREATE TABLE stored (n INTEGER PRIMARY KEY, id BLOB UNIQUE, label INTEGER)",
            "BEGIN",
        ):
            self._database.execute(line)

    def __enter__(self) -> ImportBuffer:
        return self

    def __exit__(self, *raised: object) -> None:
        self._database.close()

    def label_of(self, pixels_sha256: str) -> int | None:
        """Return the label of the added drawing with these pixels, or None."""
        row = self._database.execute(
            "SELECT label FROM added WHERE pixels = ?", (bytes.fromhex(pixels_sha256),)
        ).fetchone()
        return None if row is None else row[0]

    def has_pixels(self, pixels_sha256: str) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM added WHERE pixels = ?", (bytes.fromhex(pixels_sha256),)
        )
        return found.fetchone() is not None

    def has_id(self, identifier: UUID) -> bool:
        found = self._database.execute("SELECT 1 FROM added WHERE id = ?", (identifier.bytes,))
        return found.fetchone() is not None

    def add(self, drawing: BufferedDrawing) -> None:
        """Add a drawing with new pixels and a new id."""
        self._database.execute(
            "INSERT INTO added (pixels, id, label, content) VALUES (?, ?, ?, ?)",
            (
                bytes.fromhex(drawing.values["pixels_sha256"]),
                None if drawing.id is None else drawing.id.bytes,
                drawing.values["label"],
                # Read back by this process alone.
                pickle.dumps((drawing.values, drawing.votes)),
            ),
        )

    def add_label(self, identifier: UUID, label: int) -> None:
        """Add a label for a stored drawing without one; the first one counts."""
        self._database.execute(
            "INSERT OR IGNORE INTO stored (id, label) VALUES (?, ?)", (identifier.bytes, label)
        )

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT COUNT(*) FROM added").fetchone()
        return int(count)

    def batches(self, size: int) -> Iterator[list[BufferedDrawing]]:
        """Yield the added drawings in order, ``size`` at a time."""
        rows = self._database.execute("SELECT id, content FROM added ORDER BY n")
        while batch := rows.fetchmany(size):
            # Unpickled from a file without a name that this process has written.
            yield [
                BufferedDrawing(None if key is None else UUID(bytes=key), *pickle.loads(content))  # noqa: S301
                for key, content in batch
            ]

    def stored_batches(self, size: int) -> Iterator[tuple[int, list[UUID]]]:
        """Yield the stored drawings that get a label, by label, ``size`` at a time."""
        for (label,) in self._database.execute(
            "SELECT DISTINCT label FROM stored ORDER BY label"
        ).fetchall():
            rows = self._database.execute(
                "SELECT id FROM stored WHERE label = ? ORDER BY n", (label,)
            )
            while batch := rows.fetchmany(size):
                yield int(label), [UUID(bytes=key) for (key,) in batch]
