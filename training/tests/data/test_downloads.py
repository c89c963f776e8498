"""Data is downloaded once and verified; damaged files are not stored."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.data import datasets, downloads
from training.data.downloads import DataDamaged, DataUnavailable, Source

PEN_TEXT = b'.SEGMENT DIGIT 0 ? "3"\n.COMMENT 3 7 1\n.PEN_DOWN\n 1 9\n 5 2\n.PEN_UP\n.DT 1\n'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A web server on this machine: the folder it serves and its address."""
    folder = tmp_path / "home"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_fetched_once_and_its_progress_shown(home: tuple[Path, str], cache: Path) -> None:
    folder, address = home
    content = b"digits" * 50_000
    (folder / "digits.npz").write_bytes(content)
    source = Source(f"{address}/digits.npz", sha256(content), "digits.npz")
    steps: list[tuple[str, int, int]] = []

    path = downloads.download(source, lambda *step: steps.append(step))
    assert path.read_bytes() == content
    assert steps[-1] == ("digits.npz", len(content), len(content))
    assert len(steps) > 2

    (folder / "digits.npz").unlink()
    assert downloads.download(source) == path


def test_a_wrong_checksum_is_rejected_and_nothing_is_stored(
    home: tuple[Path, str], cache: Path
) -> None:
    folder, address = home
    (folder / "digits.npz").write_bytes(b"not what it was")
    with pytest.raises(DataDamaged, match="expected 0000"):
        downloads.download(Source(f"{address}/digits.npz", "0" * 64, "digits.npz"))
    assert list(cache.iterdir()) == []


def test_a_pinned_file_must_be_the_same_when_it_is_downloaded_again(
    home: tuple[Path, str], cache: Path
) -> None:
    folder, address = home
    source = Source(f"{address}/archive.tgz", "", "archive.tgz", pinned=True)
    (folder / "archive.tgz").write_bytes(b"strokes")
    downloads.download(source).unlink()
    assert (cache / "archive.tgz.sha256").read_text() == f"{sha256(b'strokes')}\n"
    downloads.download(source).unlink()
    (folder / "archive.tgz").write_bytes(b"others")
    with pytest.raises(DataDamaged, match=f"expected {sha256(b'strokes')}"):
        downloads.download(source)
    assert [path.name for path in cache.iterdir()] == ["archive.tgz.sha256"]


def test_an_unreachable_or_missing_file_is_reported(home: tuple[Path, str], cache: Path) -> None:
    for url in ("http://127.0.0.1:9/digits.npz", f"{home[1]}/none.npz"):
        with pytest.raises(DataUnavailable, match=r"127\.0\.0\.1"):
            downloads.download(Source(url, "", "digits.npz"))
    assert list(cache.iterdir()) == []


def test_the_configured_folder_comes_first(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (cache, tmp_path / "mine"):
        folder.mkdir()
        (folder / "mnist.npz").write_bytes(b"")
    assert downloads.find("mnist.npz") == cache / "mnist.npz"
    monkeypatch.setenv("DIGIT_DATA_DIR", str(tmp_path / "mine"))
    assert downloads.find("mnist.npz") == tmp_path / "mine" / "mnist.npz"
    assert downloads.find("other.npz") is None


def compress(content: bytes) -> bytes:
    """Return Unix ``compress`` (.Z) bytes: literal 9-bit codes, low bit first.

    Codes stay 9 bits wide for the first 256, which is more than the test needs.
    """
    assert len(content) < 256
    bits = sum(byte << 9 * place for place, byte in enumerate(content))
    return b"\x1f\x9d\x90" + bits.to_bytes(-(-9 * len(content) // 8), "little")


@pytest.mark.parametrize("compressed", [True, False])
def test_the_pen_archive_is_unpacked(
    home: tuple[Path, str], cache: Path, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    folder, address = home
    with zipfile.ZipFile(folder / "pen.zip", "w") as archive:
        name = "pendigits-orig.tra" + (".Z" if compressed else "")
        archive.writestr(name, compress(PEN_TEXT) if compressed else PEN_TEXT)
    monkeypatch.setattr(downloads, "PEN", Source(f"{address}/pen.zip", "", "pendigits.zip"))
    with pytest.raises(DataDamaged, match="another sha256"):
        downloads.pen_file()
    monkeypatch.setattr(downloads, "PEN_SHA256", sha256(PEN_TEXT))

    (digit,) = datasets.read_pen(downloads.pen_file())
    assert (digit.label, digit.writer) == (3, 7)
    assert [stroke.tolist() for stroke in digit.strokes] == [[[1, -9], [5, -2]]]


def test_an_archive_without_the_trajectories_is_rejected(
    home: tuple[Path, str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = home
    (folder / "pen.zip").write_bytes(b"no zip at all")
    monkeypatch.setattr(downloads, "PEN", Source(f"{address}/pen.zip", "", "pendigits.zip"))
    with pytest.raises(DataDamaged, match=r"no pendigits-orig\.tra inside"):
        downloads.pen_file()
