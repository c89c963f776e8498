"""How gunicorn serves the site. `gunicorn digitsite.wsgi` reads this file in its own folder.

Options on the command line come first. What is here was chosen by `benchmarks.site.load`.
"""

import gc
from typing import Any

# Loaded once, in the master: the workers share its memory and start at once.
preload_app = True
threads = 8

# What is loaded now is needed until the end: no garbage collection has to look at it again.
gc.disable()


def when_ready(server: Any) -> None:
    """Before the workers are made."""
    # What the first prediction would import.
    import ai_edge_litert.interpreter  # noqa: F401

    gc.collect()
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    gc.enable()
