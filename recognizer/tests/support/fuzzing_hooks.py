"""What Schemathesis does beside its own: it sends real drawings, and tries those of somebody else.

Loaded by Schemathesis (`SCHEMATHESIS_HOOKS`). `FUZZING_VICTIM` is the id of a drawing that whoever
is tested does not own, `FUZZING_DRAWING` a picture as a data URL.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis

VICTIM = os.environ["FUZZING_VICTIM"]
DRAWING = os.environ["FUZZING_DRAWING"]


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Send a real picture in two of three bodies that have any text in its place."""
    drawings = body.get("drawings") if isinstance(body, dict) else None
    for each in [body, *(drawings if isinstance(drawings, list) else [])]:
        if isinstance(each, dict) and isinstance(image := each.get("image"), str):
            each["image"] = image if len(image) % 3 == 2 else DRAWING
    return body


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Ask for somebody else's drawing in half of the cases with any valid id."""
    identifier = str((path_parameters or {}).get("id", ""))
    if len(identifier) == 36 and identifier[-1] in "01234567":
        path_parameters["id"] = VICTIM
    return path_parameters


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """Leave out what gunicorn refuses before the site sees it: over 4 kB in the first line."""
    return len(str(query).encode()) < 1000


@schemathesis.hook
def filter_headers(context: Any, headers: Any) -> bool:
    """Leave out what gunicorn refuses before the site sees it: over 8 kB in a header."""
    return len(str(headers).encode()) < 2000


@schemathesis.check
def keeps_to_its_own(context: Any, response: Any, case: Any) -> None:
    """Nobody sees, changes or deletes somebody else's drawing; reviewers may label it."""
    is_victims = (case.path_parameters or {}).get("id") == VICTIM
    if is_victims and case.operation.method.upper() != "PATCH":
        assert response.status_code >= 400, "somebody else's drawing was found"
    elif not is_victims:
        assert VICTIM.encode() not in response.content, "somebody else's drawing is listed"
