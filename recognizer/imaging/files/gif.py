"""GIF: only the first frame reaches the decoder, without comments and other extensions.

Layout: CompuServe, "Graphics Interchange Format, version 89a", 1990.
"""

from __future__ import annotations

import io

from PIL import Image

from recognizer.imaging.errors import EndMissing, TruncatedImage, UnusualImage
from recognizer.imaging.files.reducing import check_size, plain, taking_turns

_MAX_BLOCKS = 100_000  # 8 MB in blocks of 255 bytes are a third of that
_EXTENSION, _FRAME, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9


class _Reader:
    """Moves through the blocks of a file; raises ``EndMissing`` at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._blocks = 0

    def take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise EndMissing
        return self._data[start : self._at]

    def take_colours(self, flags: int) -> bytes:
        """Take the table of colours that the flags announce, if any."""
        return self.take(3 << (flags & 7) + 1) if flags & 0x80 else b""

    def take_blocks(self) -> bytes:
        """Take blocks of up to 255 bytes, each after its length, up to an empty one."""
        data, start, at = self._data, self._at, self._at
        try:
            while size := data[at]:
                at += size + 1
                self._blocks += 1
                if self._blocks > _MAX_BLOCKS:
                    raise UnusualImage
        except IndexError as error:
            raise EndMissing from error
        self._at = at + 1
        return data[start : self._at]


def read(data: bytes) -> Image.Image:
    """Decode the first frame of a GIF file; raises an ``ImageError``."""
    reader = _Reader(data)
    header = reader.take(13)
    check_size(int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little"))
    colours = reader.take_colours(header[10])
    control = b""
    while (kind := reader.take(1)[0]) == _EXTENSION:
        label = reader.take(1)
        blocks = reader.take_blocks()
        if label[0] == _CONTROL:
            control = bytes([_EXTENSION]) + label + blocks[:6]
    if kind != _FRAME:
        raise TruncatedImage
    frame = reader.take(9)
    size = frame[4:8]
    width, height = int.from_bytes(size[:2], "little"), int.from_bytes(size[2:], "little")
    check_size(width, height)
    own_colours = reader.take_colours(frame[8])
    pixels = reader.take(1) + reader.take_blocks()
    # As large as the frame, which alone is drawn on.
    parts = [header[:6], size, header[10:], colours, control, b"\x2c\0\0\0\0", frame[4:]]
    still = b"".join([*parts, own_colours, pixels, bytes([_TRAILER])])
    with taking_turns(width, height):
        image = Image.open(io.BytesIO(still), formats=["GIF"])
        image.load()
        return plain(image)
