"""Image files that a table or JSON file names, in the folder or zip file that it is in.

Label Studio names what was uploaded ``/data/upload/3/NAME``, and files of its own machine
``/data/local-files/?d=images/NAME``; other tools write relative paths. Of a path that does not
exist beside the file the last parts are tried, so the folder can be copied from anywhere.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from recognizer.transfer.formats.containers import Folder, Source, read_image
from recognizer.transfer.formats.items import FormatError

_SUFFIX = re.compile(r"\.(png|jpe?g|webp|gif|bmp|tiff?|hei[cf]|avif)$", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LABEL_STUDIO = re.compile(r"/data/(upload|local-files)/")
_MAX_NAME = 2048
_SHOWN = 80


def is_name(text: str) -> bool:
    """Whether a text names an image, on disk or elsewhere, instead of being one in base64."""
    return len(text) <= _MAX_NAME and bool(
        _SCHEME.match(text) or _LABEL_STUDIO.search(text) or _SUFFIX.search(text)
    )


class NamedImages:
    """Reads the images that a file names, from the folder or zip file that it is in."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, name: str) -> bytes:
        """Return an image; raises ValueError if it is not there, or would be fetched."""
        shown = name[:_SHOWN]
        for candidate in _candidates(name):
            if self._has(candidate):
                try:
                    return read_image(self._source, candidate)
                except FormatError as error:
                    raise ValueError(str(error)) from error
        if _SCHEME.match(name) and not name.lower().startswith("file:"):
            raise ValueError(
                f"its image {shown} is not fetched: download the images into the folder of the "
                "file, and name them by relative paths"
            )
        raise ValueError(
            f"its image {shown} is not in {self._source.path}: copy the folder of the images there"
        )

    def _has(self, name: str) -> bool:
        if not isinstance(self._source, Folder):
            return self._source.has(name)
        # A link must not lead out of the folder.
        try:
            folder = self._source.path.resolve()
            path = (folder / name).resolve()
            return path.is_relative_to(folder) and stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError):
            return False


def _candidates(name: str) -> Iterator[str]:
    """Yield relative paths that a name may stand for; raises ValueError if it leads outside."""
    for text in _paths(name):
        parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
        if ".." in parts or "\0" in text:
            raise ValueError(f"its image {name[:_SHOWN]} is outside the folder")
        for start in range(len(parts)):
            yield "/".join(parts[start:])
        if parts:
            yield f"images/{parts[-1]}"


def _paths(name: str) -> Iterator[str]:
    is_url = bool(_SCHEME.match(name))
    if not _LABEL_STUDIO.search(name):
        if is_url and not name.lower().startswith("file:"):
            return
        if not is_url:
            yield name
    try:
        address = urlsplit(name)
    except ValueError:
        return
    yield from parse_qs(address.query).get("d", [])
    yield unquote(address.path)
