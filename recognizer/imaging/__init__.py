"""From submitted bytes to the 28x28 image that the model sees.

Two steps, which everything passes through: the page, the API, the commands and the training data.

``read_drawing``
    bytes -> ``Drawing``: decode within limits, turn upright (EXIF), lay transparency on white,
    make it grey, refuse what is blank, reduce to at most 512 px.
``model_input``
    ``Drawing`` -> uint8 (28, 28): ink, crop, one stroke width, a 20 px box, centre of mass.
    ``prepare`` also says which part of the drawing that is.

``decoding`` opens files, ``drawing`` makes drawings of them, ``ink`` tells ink from paper,
``photo`` and ``ruled_lines`` clean photos, ``specks`` finds dust, ``stroke_width`` brings strokes
to one width, ``normalise`` puts them together. NumPy and Pillow only: no Django here.
"""

from recognizer.imaging.decoding import (
    FORMATS,
    MAX_BYTES,
    MAX_SIDE,
    BlankDrawing,
    EmptyImage,
    FileTooLarge,
    ImageError,
    ImageTooLarge,
    NotAnImage,
    Pixels,
    TruncatedImage,
    UnsupportedImage,
    decode,
    to_grey,
)
from recognizer.imaging.drawing import (
    STORED_SIDE,
    Drawing,
    as_drawn,
    drawing_from_array,
    encode_png,
    read_drawing,
    shrink,
)
from recognizer.imaging.ink import crop, find_ink
from recognizer.imaging.normalise import (
    INPUT_SIDE,
    InkBox,
    ModelInput,
    model_input,
    place,
    prepare,
    to_working_grid,
    without_grain,
)
from recognizer.imaging.stroke_width import INK_SIDE

__all__ = [
    "FORMATS",
    "INK_SIDE",
    "INPUT_SIDE",
    "MAX_BYTES",
    "MAX_SIDE",
    "STORED_SIDE",
    "BlankDrawing",
    "Drawing",
    "EmptyImage",
    "FileTooLarge",
    "ImageError",
    "ImageTooLarge",
    "InkBox",
    "ModelInput",
    "NotAnImage",
    "Pixels",
    "TruncatedImage",
    "UnsupportedImage",
    "as_drawn",
    "crop",
    "decode",
    "drawing_from_array",
    "encode_png",
    "find_ink",
    "model_input",
    "place",
    "prepare",
    "read_drawing",
    "shrink",
    "to_grey",
    "to_working_grid",
    "without_grain",
]
