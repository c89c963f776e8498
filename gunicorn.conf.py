"""How gunicorn serves the site: `gunicorn digitsite.wsgi` reads this file in its own folder.

Options on the command line come first. docs/performance.md says what each setting brings.
"""

import contextlib
import ctypes
import gc
from typing import Any

# Loaded once, in the master: the workers share its memory and start at once.
preload_app = True
threads = 8

_M_ARENA_MAX = -8
# glibc's malloc would make a heap for each thread. Other systems have no such option.
with contextlib.suppress(AttributeError, OSError):
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)

# What is loaded now is needed until the end: no garbage collection has to look at it again.
gc.disable()


def when_ready(server: Any) -> None:
    """Prepare the master, of which the workers are copies."""
    # What the first prediction would import.
    import ai_edge_litert.interpreter  # noqa: F401

    gc.collect()
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """Prepare a worker."""
    gc.enable()


def post_worker_init(worker: Any) -> None:
    """Load the active model before the first request: if the database stops, previews go on."""
    from django.db import Error, connections

    from recognizer.versions import active

    try:
        active.status()
    except Error as error:
        worker.log.warning("The active model version could not be looked up: %s", error)
    finally:
        # Requests run in other threads, with connections of their own.
        connections.close_all()
