"""Numbers: several digits in one drawing, recognised by the network that recognises one.

The ink is cut into pieces, more of them than digits where digits may touch (``pieces``, ``cuts``).
Every group of neighbouring pieces may be a digit; the network scores it, and the path through all
pieces that costs least is the number (``paths``). This is over-segmentation with dynamic
programming (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86(11), 1998, section V). ``recognition`` decides whether it is a number.
"""

from recognizer.inference.numbers.recognition import (
    MAX_DIGITS,
    LabelledPart,
    Number,
    Part,
    find_number,
    label_parts,
)

__all__ = ["MAX_DIGITS", "LabelledPart", "Number", "Part", "find_number", "label_parts"]
