"""Lossless WebP: how many sets of codes a stream has, without decoding its pixels.

The decoder builds some kB of tables for each set, and a file of 300 kB can have 65,536. Before
their number come small images, of the transforms, that have to be stepped over.

Layout: RFC 9649, sections 3.4 to 3.7.
"""

from __future__ import annotations

from recognizer.imaging.errors import TruncatedImage, UnusualImage

MAX_SETS = 2600
"""As many as libwebp writes."""

_MAX_STEPS = 60_000  # px and runs of the images of transforms
_PREDICTOR, _COLOUR, _INDEXING = 0, 1, 3
_LITERALS, _RUNS, _DISTANCES = 256, 24, 40
_LENGTHS_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LONGEST = 15  # bits of a code

_Table = list[tuple[int, int]]  # symbol and bits of its code, by the bits that come next


class _Bits:
    """Reads numbers from their lowest bit on; raises ``TruncatedImage`` far past the end."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = data
        self._at = 0
        self._end = 8 * len(data) + 64

    def take(self, count: int) -> int:
        value = self._next() & (1 << count) - 1
        self._at += count
        return value

    def symbol(self, table: _Table) -> int:
        symbol, size = table[self._next() & len(table) - 1]
        self._at += size
        return symbol

    def _next(self) -> int:
        if self._at > self._end:
            raise TruncatedImage
        byte = self._at >> 3
        return int.from_bytes(self._data[byte : byte + 4], "little") >> (self._at & 7)


def check_sets(stream: bytes | memoryview, width: int, height: int) -> None:
    """Check how many sets of codes a stream, after its header, can have for an image of this size.

    Raises ``UnusualImage`` for more than any program writes.
    """
    bits = _Bits(stream)
    steps = 0
    seen: set[int] = set()
    while bits.take(1):
        kind = bits.take(2)
        if kind in seen:
            raise TruncatedImage
        seen.add(kind)
        if kind in (_PREDICTOR, _COLOUR):
            block = 1 << bits.take(3) + 2
            steps = _step_over(bits, -(-width // block) * -(-height // block), steps)
        elif kind == _INDEXING:
            colours = bits.take(8) + 1
            steps = _step_over(bits, colours, steps)
            # Up to eight indices share a px.
            width = -(-width // (8 if colours <= 2 else 4 if colours <= 4 else 2 - colours // 17))
    if bits.take(1):
        bits.take(4)
    if bits.take(1):
        block = 1 << bits.take(3) + 2
        if -(-width // block) * -(-height // block) > MAX_SETS:
            raise UnusualImage


def _step_over(bits: _Bits, pixels: int, steps: int) -> int:
    """Move past the image of a transform; return the number of steps so far."""
    cached = 1 << bits.take(4) if bits.take(1) else 0
    green = _table(bits, _LITERALS + _RUNS + cached)
    others = [_table(bits, _LITERALS) for _ in range(3)]
    distances = _table(bits, _DISTANCES)
    # Codes without bits need no reading.
    others = [table for table in others if len(table) > 1]
    while pixels > 0:
        steps += 1
        if steps > _MAX_STEPS:
            raise UnusualImage
        symbol = bits.symbol(green)
        if symbol < _LITERALS:
            for table in others:
                bits.symbol(table)
            pixels -= 1
        elif symbol < _LITERALS + _RUNS:
            pixels -= _number(bits, symbol - _LITERALS)
            _number(bits, bits.symbol(distances))
        else:
            pixels -= 1
    return steps


def _number(bits: _Bits, prefix: int) -> int:
    """Read the rest of a length or a distance."""
    if prefix < 4:
        return prefix + 1
    extra = prefix - 2 >> 1
    return (2 + (prefix & 1) << extra) + bits.take(extra) + 1


def _table(bits: _Bits, symbols: int) -> _Table:
    """Read a prefix code."""
    lengths = [0] * symbols
    if bits.take(1):
        has_two, is_wide = bits.take(1), bits.take(1)
        lengths[bits.take(8 if is_wide else 1)] = 1
        if has_two:
            lengths[bits.take(8)] = 1
        return _built(lengths)
    of_lengths = [0] * len(_LENGTHS_ORDER)
    for place in range(4 + bits.take(4)):
        of_lengths[_LENGTHS_ORDER[place]] = bits.take(3)
    table = _built(of_lengths)
    left = 2 + bits.take(2 + 2 * bits.take(3)) if bits.take(1) else symbols
    at, previous = 0, 8
    while at < symbols and left:
        left -= 1
        length = bits.symbol(table)
        if length <= _LONGEST:
            lengths[at] = length
            previous = length or previous
            at += 1
        elif length == 16:
            count = 3 + bits.take(2)
            lengths[at : at + count] = [previous] * count
            at += count
        else:
            at += 3 + bits.take(3) if length == 17 else 11 + bits.take(7)
    return _built(lengths[:symbols])


def _built(lengths: list[int]) -> _Table:
    """Return the table of the canonical code with these lengths; a single symbol takes no bits."""
    used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    if not used:
        raise TruncatedImage
    if len(used) == 1:
        return [(used[0][1], 0)]
    longest = used[-1][0]
    table: _Table = [(0, longest)] * (1 << longest)
    code = 0
    for length, symbol in used:
        first = code >> longest - length
        if first >> length:
            raise TruncatedImage
        reversed_code = int(f"{first:0{length}b}"[::-1], 2)
        table[reversed_code :: 1 << length] = [(symbol, length)] * (1 << longest - length)
        code += 1 << longest - length
    return table
