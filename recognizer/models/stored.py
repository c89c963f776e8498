"""What is kept of a drawing, as pixels: the drawing itself, and what the model sees of it."""

from __future__ import annotations

import numpy as np

from recognizer import imaging
from recognizer.models import Prediction


def stored_drawing(prediction: Prediction) -> imaging.Drawing:
    """Return the drawing that is kept with a prediction.

    Raises:
        imaging.ImageError: the stored drawing is damaged.
    """
    image = imaging.decode(bytes(prediction.image))
    return imaging.Drawing(np.asarray(image.convert("L")))


def model_input(prediction: Prediction) -> imaging.Pixels:
    """Return what the model sees of a kept drawing: uint8 (28, 28), white ink on black.

    Raises:
        imaging.ImageError: the stored drawing is damaged.
    """
    drawing = stored_drawing(prediction)
    return drawing.pixels if prediction.is_model_input else imaging.model_input(drawing)
