"""Measure what files cost that are made to cost much: processor time and peak memory of each.

    python -m benchmarks.imaging.bombs [--only NAME,NAME] [--json PATH]

Each file has at most 8 MB. It is generated, then decoded and prepared for the model in a process of
its own, which has decoded an ordinary drawing before. Memory is the growth of the largest resident
set from there on; the bytes of the file itself are not part of it.
"""

from __future__ import annotations

import io
import multiprocessing
import multiprocessing.connection
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.common import command_line, memory, results
from recognizer import imaging

GOAL_SECONDS = 0.5
GOAL_MEGABYTES = 60
SIDE = imaging.MAX_SIDE
TABLE = results.Table("kB", "CPU ms", "peak MB", name="file", name_width=44)

Maker = Callable[[], bytes]


def saved(pixels: imaging.Pixels, kind: str, **options: object) -> bytes:
    """Return pixels as a file of this kind."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def digit(height: int = 280, width: int = 280, channels: int = 0) -> imaging.Pixels:
    """Return a black 1 on white of any size: uint8 (h, w), or (h, w, channels)."""
    shape = (height, width, channels) if channels else (height, width)
    pixels = np.full(shape, 255, np.uint8)
    ink = pixels[height // 4 : 3 * height // 4, width * 9 // 20 : width * 11 // 20]
    ink[..., : min(3, channels or 3)] = 0
    return pixels


def noise(height: int, width: int, channels: int) -> imaging.Pixels:
    """Return grey noise around a digit, for files that can't be packed well."""
    rng = np.random.default_rng(0)
    rows = digit(height, width)[..., None]
    noisy: imaging.Pixels = rows // 2 + rng.integers(0, 99, (height, width, channels), np.uint8)
    return noisy


# --- JPEG ---------------------------------------------------------------------------------------


def jpeg_with(segments: bytes, pixels: imaging.Pixels | None = None) -> bytes:
    """Return a JPEG with more segments at its beginning."""
    data = saved(digit() if pixels is None else pixels, "JPEG")
    return data[:2] + segments + data[2:]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def empty_scans(count: int, side: int = 1000) -> bytes:
    """Return a progressive JPEG with scans that add nothing."""
    data = saved(digit(side, side), "JPEG", progressive=True)
    # The last AC scan of a grey image; its data end blocks in runs of 32,767.
    table = segment(0xC4, bytes([0x11, 1, *bytes(15), 0xE0]))
    scan = segment(0xDA, bytes([1, 1, 1, 1, 63, 0x10]))
    blocks = (side // 8 + 1) ** 2
    bits = ("0" + "1" * 14) * (blocks // 2**14 + 1)
    coded = int(bits.ljust(-(-len(bits) // 8) * 8, "1"), 2).to_bytes(-(-len(bits) // 8), "big")
    return data[:-2] + table + (scan + coded.replace(b"\xff", b"\xff\0")) * count + data[-2:]


def exif_segments(count: int) -> bytes:
    return jpeg_with(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0") * count)


def quantisation_tables() -> bytes:
    return jpeg_with(segment(0xDB, b"\0" + bytes(range(1, 65))) * 110_000)


def large_quantisation_tables() -> bytes:
    return jpeg_with(segment(0xDB, (b"\0" + bytes(range(1, 65))) * 1000) * 120)


def empty_comments() -> bytes:
    return jpeg_with(segment(0xFE, b"") * 2_000_000)


def restart_markers() -> bytes:
    data = saved(digit(), "JPEG")
    return data[:-2] + b"\xff\xd0" * 4_000_000 + data[-2:]


def large_jpeg(progressive: bool, subsampling: int, height: int = SIDE, width: int = SIDE) -> bytes:
    pixels = digit(height, width, 3)
    return saved(pixels, "JPEG", progressive=progressive, subsampling=subsampling)


def dense_jpeg(progressive: bool, height: int, width: int, quality: int) -> bytes:
    pixels = noise(height, width, 3)
    return saved(pixels, "JPEG", progressive=progressive, subsampling=2, quality=quality)


# --- PNG ----------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png(width: int, height: int, depth: int, colour: int, packed: bytes, lace: int = 0) -> bytes:
    """Return a PNG with these packed rows, whatever they are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def zeros(size: int) -> bytes:
    """Return packed zeros, without ever holding them unpacked."""
    pack = zlib.compressobj(9)
    parts = [pack.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)]
    return b"".join([*parts, pack.flush()])


def large_png(depth: int, colour: int, channels: int, lace: int = 0, side: int = SIDE) -> bytes:
    row = side * channels * depth // 8 + 1
    return png(side, side, depth, colour, zeros(row * side + 8 * side), lace)


def tiny_blocks() -> bytes:
    """Return a PNG whose data are blocks of five zeros, each of which announces its codes."""
    lengths = ["000"] * 18
    lengths[2] = lengths[17] = "100"  # of the lengths 18 (a run of zeros) and 1, in deflate's order
    header = "001" + "00000" + "00000" + "0111" + "".join(lengths)
    # Literal 0 and the end of the block have codes of one bit; what is between them has none.
    codes = "0" + "1" + "1111111" + "1" + "0101011" + "0" + "0"
    bits = header + codes + "00000" + "1"
    block = int(bits[::-1], 2).to_bytes(12, "little")
    return png(SIDE, SIDE, 8, 6, b"\x78\x9c" + block * 650_000)


def empty_blocks() -> bytes:
    return png(SIDE, SIDE, 8, 0, b"\x78\x9c" + b"\0\0\0\xff\xff" * 1_500_000)


def small_chunks() -> bytes:
    data = saved(digit(), "PNG")
    return data[:33] + chunk(b"tEXt", b"") * 650_000 + data[33:]


def packed_text() -> bytes:
    data = saved(digit(), "PNG")
    text = b"Comment\0\0" + zlib.compress(bytes(500_000_000), 9)
    return data[:33] + chunk(b"zTXt", text) + data[33:]


# --- GIF, BMP, WebP and others ------------------------------------------------------------------


def one_byte_comment() -> bytes:
    data = saved(digit(), "GIF")
    colours = 13 + (3 << (data[10] & 7) + 1)
    return data[:colours] + b"\x21\xfe" + b"\1a" * 3_900_000 + b"\0" + data[colours:]


def one_byte_pixels() -> bytes:
    data = saved(noise(1100, 1100, 1)[:, :, 0], "GIF")
    at = data.index(b"\x2c\0\0\0\0") + 11
    if data[at - 2] & 0x80:
        at += 3 << (data[at - 2] & 7) + 1
    pixels = bytearray()
    while size := data[at]:
        for byte in data[at + 1 : at + 1 + size]:
            pixels += bytes((1, byte))
        at += size + 1
    return data[: data.index(b"\x2c\0\0\0\0") + 11] + bytes(pixels) + b"\0;"


def many_frames() -> bytes:
    first = Image.fromarray(digit(SIDE, SIDE))
    others = [Image.fromarray(digit(SIDE, SIDE - 2 * step)) for step in range(4)]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others)
    data = buffer.getvalue()
    return (data[:-1] + data[800:-1] * 40)[: imaging.MAX_BYTES]


def run_lengths(size: int) -> bytes:
    """Return a BMP of runs of one px each."""
    header = struct.pack("<2sIII", b"BM", 1078 + size, 0, 1078)
    info = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, size, 0, 0, 256, 0)
    colours = bytes(byte for level in range(256) for byte in (level, level, level, 0))
    return header + info + colours + b"\1\x40" * (size // 2)


def moving_runs(size: int) -> bytes:
    """Return a BMP whose runs only move on by 255 columns and rows."""
    return run_lengths(2)[:1078] + b"\0\2\xff\xff" * (size // 4)


def one_bit_bmp() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(digit(SIDE, SIDE)).convert("1").save(buffer, "BMP")
    return buffer.getvalue()


def webp(side: int, **options: object) -> bytes:
    return saved(digit(side, side, 3), "WEBP", **options)


def code_sets(side: int, block_bits: int) -> bytes:
    """Return a lossless WebP in which each block of px has a set of codes of its own."""

    def number(value: int, count: int) -> str:
        return f"{value:0{count}b}"[::-1]

    def eight_bits(alphabet: int) -> str:
        # 256 codes of 8 bits, the rest unused; lengths 0 and 8 are coded in one bit each.
        order = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8)
        lengths = "".join(number(length in (0, 8), 3) for length in order)
        return "0" + number(8, 4) + lengths + "0" + "1" * 256 + "0" * (alphabet - 256)

    single = "1000"  # symbol 0, without bits
    blocks = min((-(-side // 2**block_bits)) ** 2, 65_536)
    head = number(side - 1, 14) * 2 + "0000" + "0" + "0" + "1" + number(block_bits - 2, 3)
    image = "0" + eight_bits(280) + eight_bits(256) + single * 3
    image += "".join(f"{block & 255:08b}{block >> 8:08b}" for block in range(blocks))
    bits = head + image + single * 5 * blocks + "0" * 64
    stream = b"\x2f" + int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    stream += bytes(len(stream) % 2)
    size = 12 + len(stream)
    return struct.pack("<4sI4s4sI", b"RIFF", size, b"WEBP", b"VP8L", len(stream)) + stream


def webp_chunks() -> bytes:
    data = saved(digit(), "WEBP")
    return data[:12] + struct.pack("<4sI", b"abcd", 0) * 1_000_000 + data[12:]


def postscript() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n" + b"%%a\n" * 2_000_000


def heif() -> bytes:
    return (
        struct.pack(">I4s4sI4s", 24, b"ftyp", b"heic", 0, b"mif1")
        + struct.pack(">I4s", 8, b"free") * 1_000_000
    )


BOMBS: dict[str, Maker] = {
    "drawing, PNG 280x280": lambda: saved(digit(), "PNG"),
    "photo, JPEG 4000x3000": lambda: dense_jpeg(False, 3000, 4000, 80),
    "JPEG, 2,000 empty scans": lambda: empty_scans(2000),
    "JPEG, 30 empty scans, 4096x4096": lambda: empty_scans(30, SIDE),
    "JPEG, 200,000 Exif segments": lambda: exif_segments(200_000),
    "JPEG, 900 Exif segments": lambda: exif_segments(900),
    "JPEG, 110,000 quantisation tables": quantisation_tables,
    "JPEG, quantisation tables of 64 kB": large_quantisation_tables,
    "JPEG, 2,000,000 empty comments": empty_comments,
    "JPEG, 4,000,000 restart markers": restart_markers,
    "JPEG 4096x4096, 4:2:0": lambda: large_jpeg(False, 2),
    "JPEG 4096x4096, 4:4:4": lambda: large_jpeg(False, 0),
    "JPEG 4096x4096, progressive, 4:4:4": lambda: large_jpeg(True, 0),
    "JPEG 4096x3000, progressive, 4:2:0": lambda: large_jpeg(True, 2, 3000, SIDE),
    "JPEG 4096x4096, noise": lambda: dense_jpeg(False, SIDE, SIDE, 60),
    "JPEG 3000x3000, progressive, noise": lambda: dense_jpeg(True, 3000, 3000, 80),
    "PNG 4096x4096, grey": lambda: large_png(8, 0, 1),
    "PNG 4096x4096, 1 bit": lambda: large_png(1, 0, 1),
    "PNG 4096x4096, palette": lambda: large_png(8, 3, 1),
    "PNG 4096x4096, RGB": lambda: large_png(8, 2, 3),
    "PNG 4096x4096, RGBA": lambda: large_png(8, 6, 4),
    "PNG 4096x4096, grey of 16 bits": lambda: large_png(16, 0, 1),
    "PNG 4096x4096, RGB of 16 bits": lambda: large_png(16, 2, 3),
    "PNG 2280x2280, RGBA of 16 bits": lambda: large_png(16, 6, 4, side=2280),
    "PNG 4096x4096, RGBA, interlaced": lambda: large_png(8, 6, 4, lace=1),
    "PNG 2280x2280, RGBA of 16 bits, interlaced": lambda: large_png(16, 6, 4, 1, 2280),
    "PNG 4096x4096, RGBA, with a digit": lambda: saved(digit(SIDE, SIDE, 4), "PNG"),
    "PNG 1600x1600, RGB, noise": lambda: saved(noise(1600, 1600, 3), "PNG"),
    "PNG, tiny deflate blocks": tiny_blocks,
    "PNG, empty deflate blocks": empty_blocks,
    "PNG, 650,000 chunks": small_chunks,
    "PNG, 500 MB of packed text": packed_text,
    "GIF 4096x4096": lambda: saved(digit(SIDE, SIDE), "GIF"),
    "GIF, comment in one-byte blocks": one_byte_comment,
    "GIF, pixels in one-byte blocks": one_byte_pixels,
    "GIF, many frames of 4096x4096": many_frames,
    "BMP, 8 MB of run lengths": lambda: run_lengths(8_300_000),
    "BMP, 250 kB of run lengths": lambda: run_lengths(250_000),
    "BMP, 250 kB of moves": lambda: moving_runs(250_000),
    "BMP 4096x4096, 1 bit": one_bit_bmp,
    "BMP 1650x1650, RGB": lambda: saved(digit(1650, 1650, 3), "BMP"),
    "BMP 2800x2800, grey": lambda: saved(digit(2800, 2800), "BMP"),
    "WebP 4096x4096": lambda: webp(SIDE),
    "WebP 1890x1890": lambda: webp(1890),
    "WebP 1890x1890, noise": lambda: saved(noise(1890, 1890, 3), "WEBP", quality=80),
    "WebP 1670x1670, noise, without its end": lambda: saved(
        noise(1670, 1670, 3), "WEBP", quality=80
    )[:-50_000],
    "WebP 1440x1440, noise, without its end": lambda: saved(
        noise(1440, 1440, 3), "WEBP", quality=80
    )[:-50_000],
    "WebP 1440x1440, noise, lossless, without its end": lambda: saved(
        noise(1440, 1440, 3), "WEBP", lossless=True
    )[:-50_000],
    "WebP 1670x1670, lossless": lambda: webp(1670, lossless=True),
    "WebP 1670x1670, noise and alpha": lambda: saved(noise(1670, 1670, 4), "WEBP", quality=80),
    "WebP 1600x1600, noise, lossless": lambda: saved(noise(1600, 1600, 3), "WEBP", lossless=True),
    "WebP, lossless, 65,536 sets of codes": lambda: code_sets(1024, 2),
    "WebP, lossless, 2,601 sets of codes": lambda: code_sets(1632, 5),
    "WebP, lossless, 2,500 sets of codes": lambda: code_sets(1600, 5),
    "WebP, 1,000,000 chunks": webp_chunks,
    "EPS of two million lines": postscript,
    "HEIC, 1,000,000 boxes": heif,
}


@dataclass(frozen=True)
class Cost:
    """What one file cost: ``outcome`` is "decoded" or the code of the error."""

    size: int
    seconds: float
    megabytes: float
    outcome: str

    @property
    def is_small(self) -> bool:
        return self.seconds <= GOAL_SECONDS and self.megabytes <= GOAL_MEGABYTES


def outcome_of(data: bytes) -> str:
    """Prepare a file for the model; return "decoded", or the code of the error."""
    try:
        imaging.model_input(imaging.read_drawing(data))
    except imaging.ImageError as error:
        return error.code
    return "decoded"


def measured(data: bytes) -> Cost:
    """Return what a file costs, measured in a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs,))
    process.start()
    mine.send_bytes(data)
    cost: Cost = mine.recv()
    process.join()
    return cost


def _measure(pipe: multiprocessing.connection.Connection) -> None:
    ordinary = saved(digit(), "PNG")
    for _ in range(3):
        outcome_of(ordinary)
    data = pipe.recv_bytes()
    memory.forget_peak()
    before, start = memory.resident(), time.process_time()
    outcome = outcome_of(data)
    seconds = time.process_time() - start
    pipe.send(Cost(len(data), seconds, memory.peak() - before, outcome))


def costs(names: Sequence[str]) -> Iterator[tuple[str, Cost]]:
    """Yield the cost of each bomb of this name."""
    for name in names:
        data = BOMBS[name]()
        assert len(data) <= imaging.MAX_BYTES, f"{name} has {len(data)} bytes"
        yield name, measured(data)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--only", metavar="NAMES", help="some of the files, separated by ;")
    options = parser.parse_args(arguments)
    wanted = list(BOMBS) if options.only is None else options.only.split(";")
    results.print_title(f"Cost of {len(wanted)} files")
    print(TABLE.head)
    report = results.Report()
    for name, cost in costs(wanted):
        report.figures[name] = cost
        cells = (cost.size // 1000, round(1000 * cost.seconds), round(cost.megabytes))
        note = cost.outcome + ("" if cost.is_small else "  MISSED")
        print(TABLE.line(name, *cells, note=note), flush=True)
    all_small = all(cost.is_small for cost in report.figures.values())
    goal = f"goal: at most {GOAL_SECONDS} s of the processor and {GOAL_MEGABYTES} MB each"
    print(results.verdict(goal, reached=all_small))
    report.write(options.json)


if __name__ == "__main__":
    main()
