"""Which format a file has, by its first bytes."""

from __future__ import annotations

from recognizer.imaging.errors import (
    AvifImage,
    HeicImage,
    ImageError,
    NotAnImage,
    UnsupportedImage,
)

_DECODED = ((b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"BM", "BMP"))
_NOT_DECODED = (
    b"II*\0",  # TIFF and most raw photos
    b"MM\0*",
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cJXL ",
    b"\xff\x0a",
    b"8BPS",
    b"\0\0\1\0",  # ICO
    b"%!PS",
    b"%PDF-",
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def kind_of(data: bytes) -> str:
    """Return PNG, JPEG, WEBP, GIF or BMP; raises an ``ImageError`` for any other file."""
    for signature, kind in _DECODED:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP"[: len(data) - 8]:
        return "WEBP"
    raise _refusal(data)


def _refusal(data: bytes) -> ImageError:
    if data[4:8] == b"ftyp":
        # The brand of the file, then those that it is compatible with.
        brands = {data[8:12]} | {data[at : at + 4] for at in range(16, 64, 4)}
        if brands & _AVIF_BRANDS:
            return AvifImage()
        if brands & _HEIC_BRANDS:
            return HeicImage()
    return UnsupportedImage() if data.startswith(_NOT_DECODED) else NotAnImage()
