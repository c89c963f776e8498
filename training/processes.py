"""Worker processes that never outlive the process that started them."""

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
    """Yield a pool of ``count`` processes that end with the block.

    Unfinished work is discarded, so that a cancelled run leaves nothing behind. If this process
    is killed, its workers end too.
    """
    # "spawn": a fork of a process that runs TensorFlow's threads hangs.
    context = multiprocessing.get_context("spawn")
    stop_reader, stop_writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        count, mp_context=context, initializer=_begin, initargs=(stop_reader,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        stop_writer.close()
        stop_reader.close()


def _begin(stop_reader: Connection) -> None:
    # Ctrl-C reaches every process of the terminal. A traceback from each worker would only confuse.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, args=(stop_reader,), daemon=True).start()


def _exit_with_parent(stop_reader: Connection) -> None:
    """Exit, whatever this process is doing, when the parent dies or closes its end of the pipe."""
    parent = multiprocessing.parent_process()
    wait([stop_reader] if parent is None else [stop_reader, parent.sentinel])
    os._exit(1)
