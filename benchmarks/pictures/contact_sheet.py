"""Write a contact sheet of generated drawings.

    python -m benchmarks.pictures.contact_sheet digits sheet.png
    python -m benchmarks.pictures.contact_sheet nondigits sheet.png --count 100
    python -m benchmarks.pictures.contact_sheet 7 sheet.png --by-style

With ``--by-style`` each row is one allograph (or one kind of non-digit), in the order of
``ALLOGRAPHS`` (``NONDIGITS``), and the names are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import command_line
from recognizer.imaging.strokes import Stroke, render
from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.nondigits import NONDIGITS, generate_nondigit
from training.synthesis.strokes import place

_CANVAS = 280


def main() -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("what", choices=["digits", "nondigits", *"0123456789"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--cell", type=int, default=72, help="side of a drawing in px")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by-style", action="store_true")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    drawings = list(_drawings(options.what, options.count, options.columns, options.by_style, rng))
    rows = -(-len(drawings) // options.columns)
    cell = options.cell
    sheet = Image.new("L", (options.columns * cell, rows * cell), 255)
    for index, strokes in enumerate(drawings):
        canvas = Image.fromarray(_draw(strokes, rng)).resize((cell, cell), Image.Resampling.BOX)
        sheet.paste(canvas, (index % options.columns * cell, index // options.columns * cell))
    sheet.save(options.path)
    print(f"{len(drawings)} drawings in {options.path}")


def _drawings(
    what: str, count: int, columns: int, by_style: bool, rng: np.random.Generator
) -> Iterator[list[Stroke]]:
    digits = range(10) if what == "digits" else [] if what == "nondigits" else [int(what)]
    if by_style:
        for digit in digits:
            for name in ALLOGRAPHS[digit]:
                print(digit, name)
                yield from (generate_digit(digit, rng, allograph=name) for _ in range(columns))
        for kind in NONDIGITS if what == "nondigits" else ():
            print(kind)
            yield from (generate_nondigit(rng, kind=kind) for _ in range(columns))
    elif what == "nondigits":
        yield from (generate_nondigit(rng) for _ in range(count))
    else:
        yield from (generate_digit(digits[k * len(digits) // count], rng) for k in range(count))


def _draw(strokes: list[Stroke], rng: np.random.Generator) -> NDArray[np.uint8]:
    placed = place(strokes, canvas=_CANVAS, size=float(rng.uniform(0.6, 0.8)))
    return render(placed, canvas=_CANVAS, brush=float(rng.uniform(7, 24)))


if __name__ == "__main__":
    main()
