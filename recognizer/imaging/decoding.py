"""From submitted bytes to an image: which format, within which limits, how many pixels.

Outside this package, import its names from ``recognizer.imaging``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image

from recognizer.imaging.errors import (
    MAX_BYTES,
    MIN_CONTRAST,
    BlankDrawing,
    EmptyImage,
    FileTooLarge,
    ImageError,
    TruncatedImage,
)
from recognizer.imaging.files import bmp, gif, jpeg, png, webp
from recognizer.imaging.files.signatures import kind_of
from recognizer.imaging.grey import Pixels, to_grey

__all__ = ["MIN_CONTRAST", "BlankDrawing", "Pixels", "decode", "to_grey"]

_READERS: dict[str, Callable[[bytes], Image.Image]] = {
    "PNG": png.read,
    "JPEG": jpeg.read,
    "WEBP": webp.read,
    "GIF": gif.read,
    "BMP": bmp.read,
}
_LOSSLESS = ("PNG", "BMP", "GIF")


def decode(data: bytes) -> Image.Image:
    """Decode a file as an upright image in mode RGB, RGBA or L, within all limits.

    It has at most 2 Mpx; a larger one is reduced. Raises an ``ImageError``.
    """
    if not data:
        raise EmptyImage
    if len(data) > MAX_BYTES:
        raise FileTooLarge
    kind = kind_of(data)
    try:
        with warnings.catch_warnings():
            # The size is checked before Pillow could warn of it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = _READERS[kind](data)
    except ImageError:
        raise
    except Exception as error:
        # Pillow's decoders raise many kinds of errors (OSError, SyntaxError, zlib.error,
        # IndexError, struct.error, ...): to the sender each of them means a damaged file.
        raise TruncatedImage from error
    image = _simplest(image)
    return _in_full_range(image) if kind in _LOSSLESS else image


def _simplest(image: Image.Image) -> Image.Image:
    """Return an image without an alpha that hides nothing, and a grey one in mode L.

    What follows is faster then: a canvas gives its grey drawings as RGBA.
    """
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    if image.mode != "RGB":
        return image
    red, green, blue = (channel.tobytes() for channel in image.split())
    return image.getchannel("R") if red == green == blue else image


def _in_full_range(image: Image.Image) -> Image.Image:
    """Scale an image that uses only the first few of 256 levels, such as a mask of 0 and 1.

    Where no level is common, they are the noise of a dark photo.
    """
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return image
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    counts = np.asarray(colours.histogram()).reshape(-1, 256).sum(0)
    high = int(np.flatnonzero(counts)[-1])
    if not counts[0] or not 0 < high < MIN_CONTRAST or counts.max() < 0.4 * counts.sum():
        return image
    levels = [min(255, level * 255 // high) for level in range(256)]
    return colours.point(levels * len(colours.getbands()))
