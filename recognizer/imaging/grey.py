"""From colours and transparency to grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer.imaging.bars import is_bar
from recognizer.imaging.errors import MIN_CONTRAST, BlankDrawing

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_FILLED = 0.75  # of the middle: more than ink covers
_LINE = 0.6  # of a row or column of the image: a line across it, not a stroke
_ENCLOSED = 0.1  # of the other shade's border with transparency: lies inside it


def to_grey(image: Image.Image) -> Pixels:
    """Return an image (mode RGBA, RGB or L) as grey uint8 (h, w), alpha laid over white or black.

    Grey is the usual luma, unless another channel shows the ink much better: yellow on white
    all but vanishes in luma and is black in the blue channel. What is transparent becomes white
    behind dark ink and black behind light ink. Where the colours still show nothing, the alpha
    itself is the drawing. Raises ``BlankDrawing`` if nothing shows in any channel.
    """
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if alpha is not None:
        image = _over_paper(image.convert("RGB"), alpha)
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


def _over_paper(image: Image.Image, alpha: Image.Image) -> Image.Image:
    if alpha.getextrema() == (255, 255):
        return image
    is_opaque = np.asarray(alpha) > 127
    is_light = np.asarray(image.convert("L")) > 127
    paper = "black" if _needs_black(is_opaque & is_light, is_opaque & ~is_light) else "white"
    ground = Image.new("RGB", image.size, paper)
    ground.paste(image, mask=alpha)
    return ground


def _needs_black(light: Mask, dark: Mask) -> bool:
    """Whether what is transparent must become black, by the light and the dark opaque px."""
    opaque = light | dark
    height, width = opaque.shape
    middle = opaque[height // 4 : height - height // 4, width // 4 : width - width // 4]
    if middle.mean() > _FILLED:
        # A sheet of paper with a digit on it: more of the same.
        return np.count_nonzero(dark) > np.count_nonzero(light)
    border_of_light, border_of_dark = _border(light, opaque), _border(dark, opaque)
    if min(border_of_light, border_of_dark) < _ENCLOSED * max(border_of_light, border_of_dark):
        inner, outline = (light, dark) if border_of_light < border_of_dark else (dark, light)
        if np.count_nonzero(inner) > 0.25 * np.count_nonzero(outline):
            return border_of_light < border_of_dark
    return _ink_area(light) > _ink_area(dark)


def _border(mask: Mask, opaque: Mask) -> int:
    """Count the places where a mask borders on what is transparent."""
    return sum(
        np.count_nonzero(one & ~other)
        for one, other in (
            (mask[1:], opaque[:-1]),
            (mask[:-1], opaque[1:]),
            (mask[:, 1:], opaque[:, :-1]),
            (mask[:, :-1], opaque[:, 1:]),
        )
    )


def _ink_area(mask: Mask) -> tuple[int, int]:
    """Return the area of a mask without lines across the image, then with them."""
    rows, columns = mask.mean(1) < _LINE, mask.mean(0) < _LINE
    return np.count_nonzero(mask[rows][:, columns]), np.count_nonzero(mask)


def _contrast(channel: Image.Image) -> int:
    low, high = np.asarray(channel.getextrema(), np.int64)
    return int(high - low)
