"""Why a submitted file can't be used: one class, with a stable code and a sentence, for each.

Outside this package, import these names from ``recognizer.imaging``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

MAX_BYTES = 8 * 1024 * 1024
MAX_SIDE = 4096
MIN_CONTRAST = 24
"""Of 255: the noise of a JPEG of white paper stays under it."""


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


class HeicImage(UnsupportedImage):
    text = gettext_noop(
        "HEIC and HEIF images are not supported. Export the photo as JPEG; on an iPhone, choose "
        "Settings, Camera, Formats, Most Compatible."
    )


class AvifImage(UnsupportedImage):
    text = gettext_noop(
        "AVIF and HEIF images are not supported. Open the image and export it as JPEG or PNG."
    )


class UnusualImage(UnsupportedImage):
    """Of an allowed format, but of a structure that no common program writes."""

    text = gettext_noop(
        "The structure of this image is unusual. Open it and save it again as PNG or JPEG."
    )


class TruncatedImage(ImageError):
    code = "truncated_image"
    text = gettext_noop("The image is damaged or incomplete. Send the whole file again.")


class EndMissing(TruncatedImage):
    text = gettext_noop("The end of the image is missing. Send the whole file again.")


class ImageTooLarge(ImageError):
    code = "image_too_large"
    text = gettext_noop("The image is too large: at most {side}x{side} px.")
    limits: ClassVar[Mapping[str, int]] = {"side": MAX_SIDE}


class TooLargeForItsKind(ImageTooLarge):
    """A kind of image that can only be decoded whole, which would take too much memory."""

    text = gettext_noop(
        "The image is too large for its format. Make it smaller, or save it as an ordinary JPEG."
    )


class FileTooLarge(ImageTooLarge):
    """Too many bytes, not too many pixels: HTTP has a status for each (413 and 400)."""

    text = gettext_noop("The file is too large: at most {limit} MB.")
    limits: ClassVar[Mapping[str, int]] = {"limit": MAX_BYTES // 2**20}


class BlankDrawing(ImageError):
    code = "blank_drawing"
    text = gettext_noop("The drawing is blank. Draw a digit, then send it.")
