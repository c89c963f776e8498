"""Fresh drawings, made by other processes ahead of the network."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.data.datasets import Data, load_arrays, save_arrays
from training.data.synthetic import Fresh, Material, draw_fresh
from training.processes import workers

PARTS = 16
"""Tasks that a set of drawings is split into. Fixed, so that a seed gives the same drawings
whatever the number of processes."""

AHEAD = 2
"""Sets that are being drawn, or wait to be used, while the network trains on another."""


def processes() -> int:
    """Return how many processes draw: one per core, but for the one that trains.

    With two cores both draw, as drawing may take longer than training.
    """
    cores = os.cpu_count() or 1
    return max(min(2, cores), cores - 1)


def draw(
    pool: ProcessPoolExecutor, material: Material, amounts: Fresh, seed: int, parts: int = PARTS
) -> list[Future[Data]]:
    """Start to draw ``amounts`` of ``material`` in ``parts`` tasks, each with a seed of its own."""
    return [
        pool.submit(
            draw_fresh, *_part(material, amounts, number, parts), (seed + 1) * parts + number
        )
        for number in range(parts)
    ]


def joined(tasks: list[Future[Data]], name: str = "fresh") -> Data:
    """Wait for the tasks of ``draw`` and return their drawings."""
    drawn = [task.result() for task in tasks]
    images = np.concatenate([part.images for part in drawn])
    return Data(name, images, np.concatenate([part.labels for part in drawn]))


def _part(material: Material, amounts: Fresh, number: int, parts: int) -> tuple[Material, Fresh]:
    """Return one task's share: neighbours in the material, which share a writer, stay together."""
    shares: dict[str, Any] = {}
    for each in fields(material):
        whole = getattr(material, each.name)
        part = slice(len(whole) * number // parts, len(whole) * (number + 1) // parts)
        shares[each.name] = whole.take(part) if isinstance(whole, Data) else whole[part]
    # An amount with the name of a material is per item of it; the others are totals.
    counts = {}
    for name in [each.name for each in fields(amounts) if each.name not in shares]:
        total = getattr(amounts, name)
        counts[name] = total * (number + 1) // parts - total * number // parts
    return replace(material, **shares), replace(amounts, **counts)


class DrawingAhead:
    """Draws one set after another while the network trains on the one before."""

    def __init__(
        self, pool: ProcessPoolExecutor, material: Material, amounts: Fresh, seed: int, sets: range
    ) -> None:
        self.pool, self.material, self.amounts = pool, material, amounts
        self.seed, self.left = seed, iter(sets)
        self.waited = 0.0
        """Seconds that the network has waited for drawings."""
        self.started: list[list[Future[Data]]] = []
        for _ in range(AHEAD):
            self._start_next()

    def next(self) -> Data:
        """Return the next set, and start to draw one more."""
        start = time.monotonic()
        drawn = joined(self.started.pop(0))
        self.waited += time.monotonic() - start
        self._start_next()
        return drawn

    def _start_next(self) -> None:
        for number in self.left:
            rng = np.random.default_rng((self.seed, number))
            material = self.material.sample(self.amounts, rng)
            seed = (self.seed * 1000 + number) % 2**31
            self.started.append(draw(self.pool, material, self.amounts, seed))
            return


class StoredDrawings:
    """Reads sets that another process writes into a folder, and waits for those to come."""

    def __init__(self, folder: Path, sets: range) -> None:
        self.folder, self.left = folder, iter(sets)
        self.waited = 0.0
        """Seconds that the network has waited for drawings."""

    def next(self) -> Data:
        start, path = time.monotonic(), _stored(self.folder, next(self.left))
        while not path.exists():
            time.sleep(0.05)
        arrays = load_arrays(path)
        self.waited += time.monotonic() - start
        return Data("fresh", arrays["images"], arrays["labels"])


def store(folder: Path, material: Material, amounts: Fresh, seed: int, sets: range) -> None:
    """Write sets of drawings for ``StoredDrawings``, each file under its name once complete."""
    with drawing_ahead(material, amounts, seed, sets) as drawings:
        for number in sets:
            drawn = drawings.next()
            save_arrays(_stored(folder, number), images=drawn.images, labels=drawn.labels)


def _stored(folder: Path, number: int) -> Path:
    return folder / f"{number}.npz"


@contextmanager
def drawing_ahead(
    material: Material, amounts: Fresh, seed: int, sets: range
) -> Iterator[DrawingAhead]:
    """Draw the sets of these numbers, in their order, in processes that end with the block.

    A set depends on the seed and on its number alone.
    """
    with workers(processes()) as pool:
        yield DrawingAhead(pool, material, amounts, seed, sets)
