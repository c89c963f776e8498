"""Drawings as images: small and crisp for the list, large for the detail page."""

from __future__ import annotations

import numpy as np
from PIL import Image

from recognizer import imaging
from recognizer.models import Prediction

# Twice the 64 CSS pixels that the list gives it, for dense screens.
THUMBNAIL_SIDE = 128
# CSS pixels of the longer side of a drawing on the detail page.
LARGE_SIDE = 320


def drawing(prediction: Prediction) -> bytes:
    """The stored PNG."""
    return bytes(prediction.image)


def thumbnail(prediction: Prediction) -> bytes:
    """A PNG of at most 128 px: averaged when reduced, with whole pixels repeated when enlarged.

    Browsers blur enlarged images, and `image-rendering: pixelated` distorts reduced ones. Raises
    imaging.ImageError if the stored drawing is damaged.
    """
    image = Image.fromarray(prediction.stored_drawing().pixels)
    factor = THUMBNAIL_SIDE // max(image.size)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    else:
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return imaging.encode_png(np.asarray(image))


def model_input(prediction: Prediction) -> bytes:
    """The 28x28 PNG that the model saw. Raises imaging.ImageError as `thumbnail` does."""
    return imaging.encode_png(prediction.model_input())


def grows(prediction: Prediction) -> bool:
    """Whether the detail page enlarges the drawing, whose pixels should then stay sharp."""
    try:
        return max(prediction.stored_drawing().pixels.shape) < LARGE_SIDE
    except imaging.ImageError:
        return False
