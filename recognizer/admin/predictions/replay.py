"""The strokes of a drawing for the replay on its detail page."""

from __future__ import annotations

from typing import Any

from recognizer import imaging
from recognizer.models import Prediction

# Milliseconds. A point without a time follows the one before it after as long as a mouse takes.
STEP = 16
# What lies between two strokes, or a clock that was set, is no longer than that.
LONGEST_PAUSE = 600


def recording(prediction: Prediction) -> dict[str, Any] | None:
    """Return the strokes as JSON, with the times that each point is shown at, in ms from 0.

    None if only a picture was sent, or if the strokes are damaged.
    """
    try:
        strokes = prediction.pen_strokes()
    except imaging.StrokesError:
        return None
    if strokes is None:
        return None
    values = strokes.to_json()
    return {**values, "times": _times(values["strokes"])}


def _times(strokes: list[list[list[Any]]]) -> list[int]:
    shown: list[int] = []
    at = 0
    before: int | None = None
    for point in (point for stroke in strokes for point in stroke):
        time = point[2] if len(point) > 2 else None
        if shown:
            passed = STEP if time is None or before is None else time - before
            at += min(LONGEST_PAUSE, max(0, passed))
        shown.append(at)
        before = time
    return shown
