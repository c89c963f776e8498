"""Decode damaged files of every format and report what should never happen.

    python -m benchmarks.imaging.fuzzing [--inputs 10000] [--seed 0] [--json PATH]

Small files of each kind are changed at random: bytes, lengths, whole parts, the end, the size in
the header. Checksums and packed rows of PNG are renewed in half of them, so that the damage reaches
the pixels. Each must be decoded or refused with an ``ImageError``, in at most 0.5 s and 60 MB.
Other exceptions are printed with the number of the file: the same seed makes it again.
"""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image

from benchmarks.common import command_line, memory, results
from benchmarks.imaging.bombs import GOAL_MEGABYTES, GOAL_SECONDS, digit, outcome_of, png, saved

SIDE = 72
_NUMBERS = (0, 1, 2, 127, 128, 255, 256, 4096, 4097, 32767, 65535, 2**31 - 1, 2**32 - 1)


def samples() -> dict[str, bytes]:
    """Return a small file of each kind."""
    grey = digit(SIDE, SIDE)
    image = Image.fromarray(grey)
    clear = np.dstack([grey] * 3 + [255 - grey])
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(np.roll(grey, shift, 1)) for shift in (5, 9)]
    rows = b"".join(b"\4" + bytes(range(SIDE)) for _ in range(SIDE))
    files = {
        "PNG, grey": saved(grey, "PNG"),
        "PNG, 1 bit": _converted(image, "1", "PNG"),
        "PNG, palette": _converted(image, "P", "PNG", transparency=3),
        "PNG, RGBA": saved(clear, "PNG"),
        "PNG, 16 bits": saved(grey.astype(np.uint16) * 257, "PNG"),  # type: ignore[arg-type]
        "PNG, interlaced": png(SIDE, SIDE, 8, 0, zlib.compress(rows * 2), 1),
        "PNG, RGBA of 16 bits": png(SIDE // 8, SIDE, 16, 6, zlib.compress(rows)),
        "JPEG": saved(grey, "JPEG"),
        "JPEG, Exif": saved(np.dstack([grey] * 3), "JPEG", exif=exif),
        "JPEG, progressive": saved(np.dstack([grey] * 3), "JPEG", progressive=True),
        "JPEG, CMYK": _converted(image.convert("RGB"), "CMYK", "JPEG"),
        "JPEG, restarts": saved(grey, "JPEG", restart_marker_blocks=3),
        "GIF": saved(grey, "GIF"),
        "GIF, animation": saved(grey, "GIF", save_all=True, append_images=frames),
        "BMP": saved(grey, "BMP"),
        "BMP, 1 bit": _converted(image, "1", "BMP"),
        "BMP, RGB": saved(np.dstack([grey] * 3), "BMP"),
        "BMP, run lengths": _run_lengths(grey),
        "WebP": saved(np.dstack([grey] * 3), "WEBP"),
        "WebP, alpha": saved(clear, "WEBP"),
        "WebP, lossless": saved(clear, "WEBP", lossless=True, exif=exif),
        "WebP, animation": saved(grey, "WEBP", save_all=True, append_images=frames),
    }
    return files


def _converted(image: Image.Image, mode: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _run_lengths(grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    runs = b"".join(bytes((1, level)) for level in grey.ravel()) + b"\0\1"
    header = struct.pack("<2sIII", b"BM", 1078 + len(runs), 0, 1078)
    info = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(runs), 0, 0, 256, 0)
    colours = bytes(byte for level in range(256) for byte in (level, level, level, 0))
    return header + info + colours + runs


# --- damage -------------------------------------------------------------------------------------


def damaged(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in one to six places; ``other`` is a file to take parts from."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not content:
            break
        # Structure is mostly near the beginning.
        near = min(len(content), 80) if rng.random() < 0.4 else len(content)
        at = int(rng.integers(near))
        size = int(rng.integers(1, 1 + min(len(content) - at, 64)))
        match int(rng.integers(7)):
            case 0:
                content[at] = int(rng.integers(256))
            case 1:
                content[at] ^= 1 << int(rng.integers(8))
            case 2:
                number = int(rng.choice(_NUMBERS))
                order = "big" if rng.random() < 0.5 else "little"
                width = int(rng.choice([1, 2, 4]))
                value = (number % 256**width).to_bytes(width, order)
                content[at : at + width] = value
            case 3:
                del content[at : at + size]
            case 4:
                content[at:at] = content[at : at + size] * int(rng.integers(1, 50))
            case 5:
                start = int(rng.integers(len(other)))
                content[at:at] = other[start : start + size]
            case _:
                del content[int(rng.integers(len(content))) :]
    return bytes(content)


def with_other_size(data: bytes, rng: np.random.Generator) -> bytes:
    """Announce another size, up to the largest allowed, in the header of the first frame."""
    content = bytearray(data)
    width, height = (int(side) for side in rng.integers(1, 4097, 2))
    if data.startswith(b"\x89PNG"):
        struct.pack_into(">II", content, 16, width, height)
    elif data.startswith(b"GIF8"):
        struct.pack_into("<HH", content, data.find(b"\x2c\0\0\0\0") + 5, width, height)
    elif data.startswith(b"BM"):
        struct.pack_into("<ii", content, 18, width, height)
    elif data.startswith(b"RIFF"):
        width, height = width // 3 + 1, height // 3 + 1
        if (at := data.find(b"\x9d\x01\x2a")) >= 0:
            struct.pack_into("<HH", content, at + 3, width, height)
        elif (at := data.find(b"VP8L")) >= 0:
            bits = int.from_bytes(content[at + 9 : at + 13], "little") >> 28 << 28
            struct.pack_into("<I", content, at + 9, bits | height - 1 << 14 | width - 1)
    elif match := re.search(rb"\xff[\xc0-\xc2]", data):
        struct.pack_into(">HH", content, match.end() + 3, height, width)
    return bytes(content)


def with_renewed_chunks(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage the unpacked rows of a PNG, or renew the checksums of a damaged one."""
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + size]
        if name == b"IDAT" and rng.random() < 0.5:
            try:
                rows = zlib.decompressobj().decompress(content, 100_000)
                content = zlib.compress(damaged(rows, rows, rng), 1)
            except (zlib.error, ValueError):
                pass
        checksum = struct.pack(">I", zlib.crc32(name + content))
        parts.append(struct.pack(">I", len(content)) + name + content + checksum)
        at += 12 + size
    return b"".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    results.print_title(f"{options.inputs:,} damaged files")
    files = samples()
    names = list(files)
    for data in files.values():
        outcome_of(data)
    outcomes: Counter[str] = Counter()
    slowest, largest = (0.0, ""), (0.0, "")
    for number in range(options.inputs):
        rng = np.random.default_rng([options.seed, number])
        name = names[number % len(names)]
        data = files[name]
        if rng.random() < 0.2:
            data = with_other_size(data, rng)
        if rng.random() < 0.9:
            data = damaged(data, files[names[int(rng.integers(len(names)))]], rng)
        if name.startswith("PNG") and rng.random() < 0.5:
            data = with_renewed_chunks(data, rng)
        memory.forget_peak()
        before, start = memory.resident(), time.process_time()
        try:
            outcome = outcome_of(data)
        except Exception as error:
            outcome = "ANOTHER EXCEPTION"
            print(f"number {number}, {name}: {error!r}", flush=True)
        outcomes[outcome] += 1
        where = f"number {number}, {name}, {outcome}"
        slowest = max(slowest, (time.process_time() - start, where))
        largest = max(largest, (memory.peak() - before, where))
    print(
        f"inputs {options.inputs:,}: " + ", ".join(f"{k} {v:,}" for k, v in outcomes.most_common())
    )
    print(f"slowest {1000 * slowest[0]:.0f} ms ({slowest[1]})")
    print(f"most memory {largest[0]:.0f} MB ({largest[1]})")
    reached = (
        not outcomes["ANOTHER EXCEPTION"]
        and slowest[0] <= GOAL_SECONDS
        and largest[0] <= GOAL_MEGABYTES
    )
    goal = f"goal: no other exception, none over {GOAL_SECONDS} s or {GOAL_MEGABYTES} MB"
    print(results.verdict(goal, reached=reached))
    report = results.Report(inputs=options.inputs, seed=options.seed)
    report.figures = {"outcomes": outcomes, "slowest": slowest, "most_memory": largest}
    report.write(options.json)


if __name__ == "__main__":
    main()
