"""An embedding as it is stored in the database: float16, half the bytes of the network's float32.

The embedding is the network's last hidden vector, of length 1, so the dot product of two is their
cosine similarity. Rounding to float16 changes a number by less than 0.05 %, the cosine by less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MIN_LENGTH = 64
MAX_LENGTH = 128
"""How many numbers a network's embedding may have; versions may differ."""

# Little-endian on every machine: a backup may be restored on another one.
STORED = np.dtype("<f2")
MIN_BYTES = MIN_LENGTH * STORED.itemsize
MAX_BYTES = MAX_LENGTH * STORED.itemsize


def has_direction(embedding: NDArray[np.float32]) -> bool:
    """Whether an embedding (d,) can be compared with others at all.

    If all of the network's last hidden units are inactive, it is zero.
    """
    return 0 < float(np.linalg.norm(embedding)) < np.inf


def pack(embedding: NDArray[np.float32]) -> bytes | None:
    """Return a float32 (d,) embedding as little-endian float16; None if it has no direction."""
    if not has_direction(embedding):
        return None
    return (embedding / np.linalg.norm(embedding)).astype(STORED).tobytes()


def unpack(stored: bytes) -> NDArray[np.float32]:
    """Return what `pack` made as float32 (d,) of length 1; raises ValueError for other bytes."""
    vector = np.frombuffer(stored, STORED).astype(np.float32)
    length = float(np.linalg.norm(vector))
    if not MIN_LENGTH <= vector.size <= MAX_LENGTH or not 0 < length < np.inf:
        raise ValueError(f"{len(stored)} bytes are not an embedding")
    return np.asarray(vector / length, np.float32)


def unpack_many(stored: Sequence[bytes | memoryview]) -> NDArray[np.float32]:
    """Return packed embeddings as float32 (n, d); raises ValueError if not of one length."""
    if len({len(each) for each in stored}) != 1:
        raise ValueError("the embeddings are not of one length")
    vectors = np.frombuffer(b"".join(stored), STORED).reshape(len(stored), -1).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
