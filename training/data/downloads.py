"""Public data sets: found in ``DIGIT_DATA_DIR``, or downloaded once and verified."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".data"
"""Downloads and prepared arrays; git-ignored."""

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes received, and the total (0 if unknown)."""


class DataUnavailable(Exception):
    """A data set is not on this machine and can't be downloaded."""


class DataDamaged(ValueError):
    """A data file has an unexpected checksum, format, shape or label."""


@dataclass(frozen=True)
class Source:
    """A public file: its URL, the sha256 of the download, and its name in the cache.

    If the sha256 is not known, ``pinned`` says that every download must be the same as the first.
    """

    url: str
    sha256: str
    filename: str
    pinned: bool = False


MNIST = Source(
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "mnist.npz",
)
PEN = Source(
    "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip",
    "",  # UCI repacks its archives; the trajectories inside are verified instead
    "pendigits.zip",
)
OMNIGLOT = Source(
    "https://github.com/brendenlake/omniglot/raw/master/python/images_background_small1.zip",
    "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
    "omniglot-images-background-small1.zip",
)
PEN_FILE = "pendigits-orig.tra"
PEN_SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"


UNIPEN = Source(
    "https://zenodo.org/api/records/1195803/files/unipen-CDROM-train_r01_v07.tgz/content",
    "",  # not known yet
    "unipen-CDROM-train_r01_v07.tgz",
    pinned=True,
)
UNIPEN_DIGITS, UNIPEN_OTHERS = "unipen-digits.jsonl.gz", "unipen-others.jsonl.gz"
"""The packs of JSON lines that ``training.data.unipen_archive`` makes from the archive."""


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def find(filename: str) -> Path | None:
    """Return a data file from ``DIGIT_DATA_DIR`` or the cache, or None."""
    folders = [CACHE]
    if configured := os.environ.get("DIGIT_DATA_DIR"):
        folders.insert(0, Path(configured))
    return next((folder / filename for folder in folders if (folder / filename).is_file()), None)


def download(source: Source, progress: Progress | None = None) -> Path:
    """Download a file into the cache unless it is there, and return its path.

    The checksum of the first download of a pinned source is stored beside it, as
    ``FILENAME.sha256``.

    Raises ``DataUnavailable`` if the URL can't be reached, or ``DataDamaged``, with nothing
    stored, if the checksum differs.
    """
    target = CACHE / source.filename
    if target.is_file():
        return target
    first = target.with_name(f"{source.filename}.sha256")
    expected = source.sha256
    if source.pinned and first.is_file():
        expected = first.read_text().strip()
    CACHE.mkdir(exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(source.url, timeout=20) as reply,  # noqa: S310 - ours, https
            partial.open("wb") as file,
        ):
            total = int(reply.headers.get("Content-Length") or 0)
            done = 0
            while block := reply.read(1 << 16):
                file.write(block)
                digest.update(block)
                done += len(block)
                if progress:
                    progress(source.filename, done, total)
        if expected and digest.hexdigest() != expected:
            raise DataDamaged(f"{source.url}: sha256 is {digest.hexdigest()}, expected {expected}")
        if source.pinned:
            first.write_text(f"{digest.hexdigest()}\n")
        partial.replace(target)
    except (OSError, urllib.error.URLError) as error:
        raise DataUnavailable(f"{source.url}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def mnist_file(progress: Progress | None = None) -> Path:
    """Return the path of MNIST, an npz in Keras' layout. Raises as ``download``."""
    return find(MNIST.filename) or download(MNIST, progress)


def omniglot_file(progress: Progress | None = None) -> Path:
    """Return the path of Omniglot's small background set. Raises as ``download``."""
    return find(OMNIGLOT.filename) or download(OMNIGLOT, progress)


def pen_file(progress: Progress | None = None) -> Path:
    """Return the path of the UCI pen trajectories, unpacked from their archive if necessary.

    In the zip they are a ``.Z`` file (Unix ``compress``). Raises as ``download``.
    """
    if found := find(PEN_FILE):
        return found
    archive = download(PEN, progress)
    target = CACHE / PEN_FILE
    content = _unpack_pen(archive)
    if hashlib.sha256(content).hexdigest() != PEN_SHA256:
        raise DataDamaged(f"{archive}: the trajectories inside have another sha256")
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(target)
    return target


def _unpack_pen(archive: Path) -> bytes:
    import zipfile

    from unlzw3 import unlzw

    try:
        with zipfile.ZipFile(archive) as files:
            name = next(n for n in files.namelist() if n.endswith((PEN_FILE, f"{PEN_FILE}.Z")))
            content = files.read(name)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise DataDamaged(f"{archive}: no {PEN_FILE} inside") from error
    return bytes(unlzw(content)) if name.endswith(".Z") else content
