"""PNG: decoded from the chunks that pixels need; large or deep ones strip by strip.

Pillow undoes the filters of the rows, which refer to the row above: it is given each strip
below the last row of the one before, as an image of its own.

Layout: W3C, "Portable Network Graphics (PNG) Specification", third edition.
"""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer.imaging.errors import (
    EndMissing,
    TooLargeForItsKind,
    TruncatedImage,
    UnusualImage,
)
from recognizer.imaging.files.orientation import upright
from recognizer.imaging.files.reducing import (
    ENOUGH_PIXELS,
    check_size,
    factor_for,
    first_rows,
    plain,
    stacked,
    taking_turns,
)

Bytes = NDArray[np.uint8]
Samples = NDArray[np.uint8] | NDArray[np.uint16]

_MAX_CHUNKS = 50_000
_MAX_RAW = 72 * 2**20  # bytes of unpacked rows: 4096x4096 px with 8 bits and alpha
_MAX_DEEP_RAW = 40 * 2**20  # of those with 16 bits, which take longer
_MAX_SECONDS = 0.4  # of the processor; the largest ordinary image takes a third of it
_STRIP_BYTES = 2**18
_PIECE = 2**15  # bytes of packed rows that are unpacked at a time

_FEW_BYTES = 2**20
_FEW_CHUNKS = 200

_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 4}
_DEPTHS = {
    _GREY: (1, 2, 4, 8, 16),
    _RGB: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16),
    _RGB_ALPHA: (8, 16),
}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LANES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_PASSES = (  # of an interlaced image: first column and row, steps between columns and rows
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_HALF_PASSES = 5  # have every second px of every second row


@dataclass
class _File:
    """The chunks of a file that its pixels need."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    palette: bytes
    transparency: bytes
    exif: bytes
    packed: list[memoryview]
    is_complete: bool

    @property
    def channels(self) -> int:
        return _CHANNELS[self.colour]

    @property
    def is_ordinary(self) -> bool:
        """Whether Pillow can decode it at once: small, complete, of up to 8 bits."""
        is_small = self.width * self.height <= ENOUGH_PIXELS and len(self.packed) <= _FEW_CHUNKS
        is_plain = self.depth <= 8 and not self.interlaced and self.is_complete
        return is_small and is_plain and sum(map(len, self.packed)) <= _FEW_BYTES

    def row_bytes(self, width: int) -> int:
        return (width * self.channels * self.depth + 7) // 8


def read(data: bytes) -> Image.Image:
    """Decode a PNG file as mode L, RGB or RGBA; raises an ``ImageError``."""
    file = _walk(data)
    check_size(file.width, file.height)
    most = _MAX_DEEP_RAW if file.depth == 16 else _MAX_RAW
    if file.row_bytes(file.width) * file.height > most:
        raise TooLargeForItsKind
    if file.is_ordinary:
        return upright(plain(_whole(file)), file.exif)
    with taking_turns(file.width, file.height):
        image = _interlaced(file) if file.interlaced else _in_rows(file)
        return upright(image, file.exif)


# --- chunks -------------------------------------------------------------------------------------


def _walk(data: bytes) -> _File:
    """Find the chunks that the pixels need; a bad checksum of any other does not matter."""
    view = memoryview(data)
    found: dict[bytes, bytes] = {}
    packed: list[memoryview] = []
    is_complete = False
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + size
        content = view[at + 8 : end]
        checksum = data[end : end + 4]
        is_valid = len(checksum) < 4 or zlib.crc32(view[at + 4 : end]) == int.from_bytes(
            checksum, "big"
        )
        if name in (b"IHDR", b"PLTE", b"IDAT") and not is_valid:
            raise TruncatedImage
        if name == b"IDAT":
            packed.append(content)
        elif name in (b"IHDR", b"PLTE", b"tRNS", b"eXIf") and is_valid:
            found.setdefault(name, bytes(content))
        at = end + 4
        if name == b"IEND":
            is_complete = True
            break
    else:
        raise UnusualImage
    header = found.get(b"IHDR", b"")
    if len(header) != 13:
        raise TruncatedImage if is_complete else EndMissing
    width, height, depth, colour, _packing, _filter, interlaced = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()):
        raise TruncatedImage
    return _File(
        width,
        height,
        depth,
        colour,
        interlaced == 1,
        found.get(b"PLTE", b"")[:768],
        found.get(b"tRNS", b""),
        found.get(b"eXIf", b""),
        packed,
        is_complete,
    )


class _Unpacker:
    """Unpacks the rows of a file on demand; raises ``UnusualImage`` if that takes too long."""

    def __init__(self, packed: list[memoryview]) -> None:
        self._pieces = (
            chunk[start : start + _PIECE]
            for chunk in packed
            for start in range(0, len(chunk), _PIECE)
        )
        self._unpack = zlib.decompressobj()
        self._rest: bytes | memoryview = b""
        self._start = time.thread_time()

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer where there are no more."""
        taken = bytearray()
        while len(taken) < size and not self._unpack.eof:
            if time.thread_time() - self._start > _MAX_SECONDS:
                raise UnusualImage
            piece = self._rest or next(self._pieces, b"")
            try:
                content = self._unpack.decompress(piece, size - len(taken))
            except zlib.error as error:
                raise TruncatedImage from error
            self._rest = self._unpack.unconsumed_tail
            if not piece and not content:
                break
            taken += content
        return bytes(taken)


def _whole(file: _File) -> Image.Image:
    """Let Pillow decode a file of the chunks that its pixels need."""
    header = struct.pack(">IIBBBBB", file.width, file.height, file.depth, file.colour, 0, 0, 0)
    parts = [SIGNATURE, *chunk(b"IHDR", header)]
    for name, content in ((b"PLTE", file.palette), (b"tRNS", file.transparency)):
        parts += chunk(name, content) if content else []
    for packed in file.packed:
        parts += chunk(b"IDAT", packed)
    image = Image.open(io.BytesIO(b"".join([*parts, *chunk(b"IEND", b"")])), formats=["PNG"])
    image.load()
    return image


def chunk(name: bytes, content: bytes | memoryview) -> list[bytes | memoryview]:
    """Return the pieces of a chunk: length, name, content and checksum."""
    checksum = zlib.crc32(content, zlib.crc32(name))
    return [struct.pack(">I4s", len(content), name), content, struct.pack(">I", checksum)]


# --- rows ---------------------------------------------------------------------------------------


def _strips(
    file: _File, unpacker: _Unpacker, width: int, height: int, multiple: int = 1
) -> Iterator[Samples]:
    """Yield samples (rows, width, channels), a multiple of rows at a time, as many as there are."""
    lanes = max(1, file.channels * file.depth // 8)
    row_bytes = file.row_bytes(width)
    rows = max(1, _STRIP_BYTES // row_bytes // multiple) * multiple
    above = bytes(row_bytes)
    top = 0
    while top < height:
        wanted = min(rows, height - top)
        packed = unpacker.take(wanted * (1 + row_bytes))
        there = len(packed) // (1 + row_bytes)
        if not there:
            return
        filtered = np.frombuffer(packed, np.uint8, there * (1 + row_bytes)).reshape(there, -1)
        unfiltered = _unfiltered(above, filtered, lanes)
        above = unfiltered[-1].tobytes()
        yield _samples(unfiltered, file, width)
        if there < wanted:
            return
        top += there


def _unfiltered(above: bytes, filtered: Bytes, lanes: int) -> Bytes:
    """Undo the filters of some rows, (n, 1 + bytes) to (n, bytes).

    ``lanes`` is the number of bytes of a pixel; each is filtered by itself.
    """
    first = np.frombuffer(b"\0" + above, np.uint8)
    rows = np.concatenate((first[None], filtered))
    if lanes <= 4:
        return _decoded(rows, lanes)[1:]
    half = lanes // 2
    pixels = rows[:, 1:].reshape(len(rows), -1, lanes)
    whole = np.empty_like(pixels[1:])
    for part in (slice(half), slice(half, lanes)):
        lane = np.concatenate((rows[:, :1], pixels[:, :, part].reshape(len(rows), -1)), axis=1)
        whole[:, :, part] = _decoded(lane, half)[1:].reshape(len(whole), -1, half)
    return whole.reshape(len(whole), -1)


def _decoded(rows: Bytes, lanes: int) -> Bytes:
    """Undo the filters of rows with 1 to 4 bytes a pixel; the first has none above it."""
    size = ((rows.shape[1] - 1) // lanes, len(rows))
    packed = zlib.compress(rows.tobytes(), 0)
    mode = _LANES[lanes]
    try:
        image = Image.frombytes(mode, size, packed, "zip", mode, 0)
    except (OSError, ValueError, SyntaxError) as error:
        raise TruncatedImage from error
    return np.asarray(image).reshape(len(rows), -1)


def _samples(rows: Bytes, file: _File, width: int) -> Samples:
    """Return the samples of unfiltered rows, (rows, width, channels), uint8 or uint16."""
    if file.depth == 16:
        return rows.view(">u2").astype(np.uint16).reshape(len(rows), width, file.channels)
    if file.depth < 8:
        per_byte = 8 // file.depth
        shifts = np.arange(per_byte - 1, -1, -1, dtype=np.uint8) * np.uint8(file.depth)
        spread = rows[:, :, None] >> shifts & np.uint8((1 << file.depth) - 1)
        rows = spread.reshape(len(rows), -1)[:, :width]
    return rows.reshape(len(rows), width, file.channels)


# --- pixels -------------------------------------------------------------------------------------


def _in_rows(file: _File) -> Image.Image:
    factor = factor_for(file.width, file.height)
    images: list[Image.Image] = []
    deep: list[NDArray[np.uint16]] = []
    rows = 0
    for samples in _strips(file, _Unpacker(file.packed), file.width, file.height, factor):
        rows += len(samples)
        if file.depth == 16:
            deep.append(_reduced(_with_key(samples, file), factor))
        else:
            image = Image.fromarray(_coloured(samples, file))
            images.append(image if factor == 1 else image.reduce(factor))
    if not rows or (file.is_complete and rows < file.height):
        raise TruncatedImage if file.is_complete else EndMissing
    image = _rgb(_scaled(np.concatenate(deep)) if deep else stacked(images))
    return first_rows(image, image.height, -(-file.height // factor))


def _interlaced(file: _File) -> Image.Image:
    """Decode an interlaced image; of a large one, only every second px of every second row."""
    step = 2 if file.width * file.height > ENOUGH_PIXELS else 1
    shape = (-(-file.height // step), -(-file.width // step), file.channels)
    whole = np.zeros(shape, np.uint16 if file.depth == 16 else np.uint8)
    unpacker = _Unpacker(file.packed)
    passes = _PASSES[: _HALF_PASSES if step == 2 else None]
    for index, (left, top, across, down) in enumerate(passes):
        width, height = -(-(file.width - left) // across), -(-(file.height - top) // down)
        if width < 1 or height < 1:
            continue
        part = whole[top // step :: down // step, left // step :: across // step]
        row = 0
        for samples in _strips(file, unpacker, width, height):
            part[row : row + len(samples)] = samples
            row += len(samples)
        if row < height:
            if file.is_complete or index < _HALF_PASSES:
                raise TruncatedImage if file.is_complete else EndMissing
            # What the last two passes lack is like the px to the left of it, or above it.
            part[row:] = whole[::2, ::across][row:height, :width]
    factor = factor_for(whole.shape[1], whole.shape[0])
    if file.depth == 16:
        return _rgb(_scaled(_reduced(_with_key(whole, file), factor)))
    image = Image.fromarray(_coloured(whole, file))
    return _rgb(image if factor == 1 else image.reduce(factor))


def _coloured(samples: Samples, file: _File) -> Bytes:
    """Return samples of up to 8 bits as grey, (h, w), or with 2 to 4 channels, (h, w, c)."""
    if file.colour == _PALETTE:
        colours = np.zeros((256, 4), np.uint8)
        colours[:, 3] = 255
        known = np.frombuffer(file.palette[: len(file.palette) // 3 * 3], np.uint8).reshape(-1, 3)
        colours[: len(known), :3] = known
        alpha = np.frombuffer(file.transparency[:256], np.uint8)
        colours[: len(alpha), 3] = alpha
        shown: Bytes = colours[samples[:, :, 0], : 4 if len(alpha) else 3]
        return shown
    pixels = _with_key(samples, file)
    if file.depth < 8:
        scaled = pixels[:, :, :1] * np.uint8(255 // ((1 << file.depth) - 1))
        pixels = np.concatenate((scaled, pixels[:, :, 1:]), axis=2)
    pixels = pixels.astype(np.uint8, copy=False)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels)


def _with_key(samples: Samples, file: _File) -> Samples:
    """Add alpha where one grey or colour is to be transparent."""
    if file.colour not in (_GREY, _RGB) or len(file.transparency) != 2 * file.channels:
        return samples
    key = np.frombuffer(file.transparency, ">u2")
    opaque = (samples != key).any(2, keepdims=True)
    alpha = opaque * samples.dtype.type(np.iinfo(samples.dtype).max)
    with_alpha: Samples = np.concatenate((samples, alpha), axis=2)
    return with_alpha


def _reduced(samples: Samples, factor: int) -> NDArray[np.uint16]:
    """Average squares of ``factor`` px of 16-bit samples."""
    if factor == 1:
        return samples.astype(np.uint16, copy=False)
    height, width, channels = samples.shape
    edges = ((0, -height % factor), (0, -width % factor), (0, 0))
    padded = np.pad(samples, edges, "edge") if height % factor or width % factor else samples
    tall = padded.reshape(-1, factor, *padded.shape[1:]).sum(1, dtype=np.uint32)
    wide = tall.reshape(len(tall), -1, factor, channels).sum(2, dtype=np.uint32)
    means: NDArray[np.uint16] = (wide // np.uint32(factor * factor)).astype(np.uint16)
    return means


def _scaled(samples: NDArray[np.uint16]) -> Image.Image:
    """Return 16-bit samples as 8 bits, scaled to the range that they use: 0-4095, 0-1, ..."""
    has_alpha = samples.shape[2] in (2, 4)
    colours = samples[:, :, :-1] if has_alpha else samples
    low, high = int(colours.min()), int(colours.max())
    scaled = np.empty(samples.shape, np.uint8)
    for channel in range(colours.shape[2]):
        above = colours[:, :, channel].astype(np.uint32) - np.uint32(low)
        scaled[:, :, channel] = above * np.uint32(255) // np.uint32(max(1, high - low))
    if has_alpha:
        scaled[:, :, -1] = samples[:, :, -1] >> 8
    return Image.fromarray(scaled[:, :, 0] if samples.shape[2] == 1 else scaled)


def _rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGBA") if image.mode == "LA" else image
