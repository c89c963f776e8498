"""From submitted bytes to the 28x28 image that the model sees.

Two steps, which everything passes through: the page, the API, the commands and the training data.

``read_drawing``
    bytes -> ``Drawing``: decode within limits, turn upright (EXIF), lay transparency on paper,
    make it grey, refuse what is blank, reduce to at most 512 px.
``model_input``
    ``Drawing`` -> uint8 (28, 28): ink, crop, one stroke width, a 20 px box, centre of mass.
    ``prepare`` also says which part of the drawing that is.

``PenStrokes`` is a drawing that was sent as strokes; its ``drawing()`` takes the place of the first
step.

``files`` checks and decodes each format, ``decoding`` chooses among them, ``errors`` says what can
be wrong, ``grey`` turns colours into grey, ``drawing`` makes drawings of images, ``ink`` separates
ink from paper, ``borders``, ``lines`` and ``bars`` treat frames, lines beside a digit and a 1
without margin, ``photo`` and ``ruled_lines`` clean photos, ``specks`` finds dust, ``stroke_width``
brings strokes to one width, ``normalise`` puts them together. ``storing`` bounds the size of what
is stored. ``strokes`` is the brush, with which ``pen_strokes`` and the training draw. NumPy and
Pillow only: no Django here.
"""

from recognizer.imaging.decoding import decode
from recognizer.imaging.drawing import (
    STORED_SIDE,
    Drawing,
    as_drawn,
    drawing_from_array,
    encode_png,
    read_drawing,
)
from recognizer.imaging.errors import (
    MAX_BYTES,
    MAX_SIDE,
    BlankDrawing,
    FileTooLarge,
    ImageError,
    ImageTooLarge,
)
from recognizer.imaging.grey import Pixels, to_grey
from recognizer.imaging.normalise import (
    INPUT_SIDE,
    InkBox,
    ModelInput,
    model_input,
    prepare,
    without_grain,
)
from recognizer.imaging.pen_strokes import PenStrokes, StrokesError
from recognizer.imaging.storing import MAX_STORED_BYTES, for_storing

__all__ = [
    "INPUT_SIDE",
    "MAX_BYTES",
    "MAX_SIDE",
    "MAX_STORED_BYTES",
    "STORED_SIDE",
    "BlankDrawing",
    "Drawing",
    "FileTooLarge",
    "ImageError",
    "ImageTooLarge",
    "InkBox",
    "ModelInput",
    "PenStrokes",
    "Pixels",
    "StrokesError",
    "as_drawn",
    "decode",
    "drawing_from_array",
    "encode_png",
    "for_storing",
    "model_input",
    "prepare",
    "read_drawing",
    "to_grey",
    "without_grain",
]
