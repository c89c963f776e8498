"""The base64 in which an image comes as text, alone or in a data URL."""

from __future__ import annotations

import base64
from urllib.parse import unquote

_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def packed_part(text: str) -> str:
    """Return the base64 of a data URL, or of text without one; raises ValueError for other URLs.

    The kind that the URL names does not matter.
    """
    text = text.strip().translate(_WHITE_SPACE)
    if text[:5].lower() == "data:":
        header, _comma, text = text.partition(",")
        # A canvas without area gives "data:,": an empty image, not a malformed one.
        if text and not header.lower().endswith(";base64"):
            raise ValueError("the data URL is not in base64")
        if "%" in text:
            text = unquote(text)
    return text


def decoded(text: str) -> bytes:
    """Decode base64; raises ValueError. A URL-safe alphabet and missing padding lose nothing."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
