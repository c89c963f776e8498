"""From submitted bytes to a greyscale image: limits, formats, orientation, transparency.

Outside this package, import its names from ``recognizer.imaging``.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from recognizer.imaging.bars import is_bar

Pixels = NDArray[np.uint8]

MAX_BYTES = 8 * 1024 * 1024
MAX_SIDE = 4096
MIN_CONTRAST = 24
"""Of 255: the noise of a JPEG of white paper stays under it."""

_ENOUGH_SIDE = 1024
"""Shorter side, in px, below which a JPEG is not reduced while decoding."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def gettext_noop(text: str) -> str:
    """Mark a sentence for `makemessages`: this module knows no Django, the API translates."""
    return text


class ImageError(ValueError):
    """The submitted bytes can't be used; ``message`` says what to do, ``code`` is stable.

    ``text`` is the message before the ``limits`` are filled in.
    """

    code = "invalid_image"
    text = gettext_noop("This image can't be used.")
    limits: ClassVar[Mapping[str, int]] = {}

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.text.format(**self.limits)
        super().__init__(self.message)


class EmptyImage(ImageError):
    code = "empty_image"
    text = gettext_noop("The file is empty. Send a PNG, JPEG, WebP, GIF or BMP file.")


class NotAnImage(ImageError):
    code = "not_an_image"
    text = gettext_noop("This is not an image. Send a PNG, JPEG, WebP, GIF or BMP file.")


class UnsupportedImage(ImageError):
    code = "unsupported_image"
    text = gettext_noop("This kind of image is not supported. Send PNG, JPEG, WebP, GIF or BMP.")


class TruncatedImage(ImageError):
    code = "truncated_image"
    text = gettext_noop("The image is damaged or incomplete. Send the whole file again.")


class ImageTooLarge(ImageError):
    code = "image_too_large"
    text = gettext_noop("The image is too large: at most {side}x{side} px.")
    limits: ClassVar[Mapping[str, int]] = {"side": MAX_SIDE}


class FileTooLarge(ImageTooLarge):
    """Too many bytes, not too many pixels: HTTP has a status for each (413 and 400)."""

    text = gettext_noop("The file is too large: at most {limit} MB.")
    limits: ClassVar[Mapping[str, int]] = {"limit": MAX_BYTES // 2**20}


class BlankDrawing(ImageError):
    code = "blank_drawing"
    text = gettext_noop("The drawing is blank. Draw a digit, then send it.")


def decode(data: bytes) -> Image.Image:
    """Open bytes as an upright RGB, RGBA or greyscale ("L") image, within all limits."""
    if not data:
        raise EmptyImage
    if len(data) > MAX_BYTES:
        raise FileTooLarge
    try:
        with warnings.catch_warnings():
            # The size check below makes Pillow's warning superfluous.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge from error
    except Exception as error:
        raise _unopened(data) from error
    if max(image.size) > MAX_SIDE:
        raise ImageTooLarge
    try:
        # A phone's JPEG is decoded at a half or a quarter, for which its format is made: four
        # times faster, and still at least twice as large as what is stored.
        image.draft(None, (_ENOUGH_SIDE, _ENOUGH_SIDE))
        image.load()
        return _plain(_upright(image))
    except Exception as error:
        # Pillow's decoders raise many kinds of errors (OSError, SyntaxError, zlib.error,
        # IndexError, struct.error, ...): to the sender each of them means a damaged file.
        raise TruncatedImage from error


def _unopened(data: bytes) -> ImageError:
    """Return why Pillow did not open the bytes: damaged, of another format, or not an image."""
    if data.startswith(_SIGNATURES):
        return TruncatedImage()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(data))
    except Exception:
        return NotAnImage()
    return UnsupportedImage()


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; broken EXIF data is ignored."""
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _plain(image: Image.Image) -> Image.Image:
    """Reduce the many modes of Pillow to RGBA (where anything is transparent), RGB or L."""
    if image.mode.startswith("I"):
        # 16-bit greyscale: Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype("u1"))
    if image.mode == "RGBA":
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def to_grey(image: Image.Image) -> Pixels:
    """Return an image (mode RGBA, RGB or L) as grey uint8 (h, w), alpha laid over white.

    Grey is the usual luma, unless another channel shows the ink much better: yellow on white
    all but vanishes in luma and is black in the blue channel. Where white ink lies on a
    transparent ground it would vanish on white, so there the alpha itself is the drawing.
    Raises ``BlankDrawing`` if nothing shows in any channel.
    """
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if alpha is not None:
        image = _over_white(image.convert("RGB"), alpha)
    channels = [image.convert("L")]
    if image.mode == "RGB":
        channels += image.split()
    contrasts = [_contrast(channel) for channel in channels]
    best = int(np.argmax(contrasts))
    if contrasts[best] < MIN_CONTRAST:
        if is_bar(np.asarray(channels[0])):
            return np.asarray(channels[0])
        if alpha is None or _contrast(alpha) < MIN_CONTRAST:
            raise BlankDrawing
        return 255 - np.asarray(alpha)
    return np.asarray(channels[best] if contrasts[best] > 1.5 * contrasts[0] else channels[0])


def _over_white(image: Image.Image, alpha: Image.Image) -> Image.Image:
    if alpha.getextrema() == (255, 255):
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=alpha)
    return ground


def _contrast(channel: Image.Image) -> int:
    low, high = np.asarray(channel.getextrema(), np.int64)
    return int(high - low)
