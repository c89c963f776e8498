"""Processes that work beside this one, and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of ``count`` processes, which are gone when the block is left.

    What they have not finished by then is thrown away, so that a run that is cancelled leaves
    nothing behind. Where this process is killed, its workers end with it.
    """
    # "spawn": a fork of a process that runs TensorFlow's threads hangs.
    context = multiprocessing.get_context("spawn")
    told, tell = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(told,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        tell.close()
        told.close()


def _begin(told: Connection) -> None:
    # Ctrl-C reaches every process of the terminal; a worker's traceback would only confuse.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_when_told, args=(told,), daemon=True).start()


def _end_when_told(told: Connection) -> None:
    """End this process, whatever it is doing, when the parent dies or closes its end."""
    parent = multiprocessing.parent_process()
    wait([told] if parent is None else [told, parent.sentinel])
    os._exit(1)
