"""The archive's format, on files of its kind: includes, ranges, cuts, columns, writers."""

from __future__ import annotations

import gzip
import itertools
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from training.data import downloads, unipen, unipen_archive
from training.data.downloads import DataDamaged

FIRST = """\
.VERSION 1.0
.COMMENT Written on a Monday
 1 2 3
.WRITER_ID Jane_Doe
.COORD T X Y
.PEN_UP
 0 900 900
.PEN_DOWN
 0 100 500
 1 100 500
 2 200 700
 3 300 500
.PEN_UP
 4 999 999
.PEN_DOWN
 5 150 600
 6 250 600
"""
SECOND = """\
.COORD X Y
.PEN_DOWN
0 10
10 10
5 0
10 0
20 20
0 20
20 0
.PEN_DOWN
1 1
9 9
"""
NESTED = ".INCLUDE aga/first.txt\n.INCLUDE aga/second.txt\n"
DIGITS = """\
.HIERARCHY CHARACTER
.INCLUDE aga/both.txt
.SEGMENT CHARACTER 0-1 OK "4"
.SEGMENT CHARACTER 2:0-2:2 OK "7"
.SEGMENT CHARACTER 0:1-0:3,1 OK "1"
.SEGMENT CHARACTER 3 OK "5"
.SEGMENT CHARACTER 2:2-2:6 ? "8"
.SEGMENT CHARACTER 9 OK "2"
.SEGMENT WORD 0-3 OK "4718"
"""
LETTERS = '.INCLUDE aga/both.txt\n.SEGMENT CHARACTER 0-1 OK "A"\n.SEGMENT CHARACTER 2 OK "B"\n'
SIGNS = '.INCLUDE aga/second.txt\n.SEGMENT CHARACTER 0 OK "\\""\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "extracted" / "CDROM" / "train_r01_v07"
    for name, text in {
        "include/aga/first.txt": FIRST,
        "include/aga/second.txt": SECOND,
        "include/aga/both.txt": NESTED,
        "data/1a/aga/digits.dat": DIGITS,
        # A site that is left out, and one whose file has nothing to cut.
        "data/1a/tos/digits.dat": DIGITS,
        "data/1a/zzz/empty.dat": ".VERSION 1.0\n",
        "data/1b/aga/capitals.dat": LETTERS,
        "data/1d/aga/signs.dat": SIGNS,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1")
    return tmp_path / "extracted"


def rows(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_characters_are_cut_out_of_the_included_files(folder: Path) -> None:
    digits = rows(unipen_archive.read_folder(folder)[0])
    assert [(row["label"], row["writer"]) for row in digits] == [
        ("4", "aga-01"), ("7", "aga-02"), ("1", "aga-01"), ("8", "aga-02"),
    ]  # fmt: skip
    # Moved to 0, 1000 across, repeated points dropped; columns as .COORD says.
    assert digits[0]["strokes"] == [[0, 0, 500, 1000, 1000, 0], [250, 500, 750, 500]]
    assert digits[1]["strokes"] == [[0, 1000, 1000, 1000, 500, 0]]
    # Cut at points, both included; a second component after the comma.
    assert digits[2]["strokes"] == [[0, 0, 500, 1000, 1000, 0], [250, 500, 750, 500]]
    assert digits[3]["strokes"] == [[250, 0, 500, 0, 1000, 1000, 0, 1000, 1000, 0]]


def test_straight_lines_and_missing_components_are_omitted(folder: Path) -> None:
    labels = {row["label"] for row in rows(unipen_archive.read_folder(folder)[0])}
    assert not labels & {"5", "2"}


def test_letters_and_signs_are_numbered_with_the_writers_of_the_digits(folder: Path) -> None:
    others = rows(unipen_archive.read_folder(folder)[1])
    assert [(row["label"], row["writer"]) for row in others] == [
        ('"', "aga-02"), ("A", "aga-01"), ("B", "aga-02"),
    ]  # fmt: skip


def test_parts_far_from_each_other_are_no_character(folder: Path) -> None:
    path = next(folder.rglob("first.txt"))
    path.write_text(FIRST.replace(" 5 150 600\n 6 250 600", " 5 650 600\n 6 750 600"))
    assert "4" not in {row["label"] for row in rows(unipen_archive.read_folder(folder)[0])}


def test_no_name_is_kept(folder: Path) -> None:
    assert "Jane" not in "".join(itertools.chain(*unipen_archive.read_folder(folder)))


def test_at_most_150_of_a_letter_are_kept_from_all_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unipen_archive, "EACH", 1)
    path = next(folder.rglob("capitals.dat"))
    path.write_text(LETTERS + LETTERS.replace('"B"', '"A"'))
    labels = [row["label"] for row in rows(unipen_archive.read_folder(folder)[1])]
    assert labels == ['"', "A", "B"]


def test_the_archive_becomes_packs_that_can_be_loaded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr(downloads, "CACHE", cache)
    with tarfile.open(cache / downloads.UNIPEN.filename, "w:gz") as archive:
        archive.add(folder, ".")
    packs = unipen.load()
    assert [digit.character for digit in packs.digits] == ["4", "7", "1", "8"]
    assert sorted(path.name for path in cache.iterdir()) == sorted(
        (downloads.UNIPEN.filename, downloads.UNIPEN_DIGITS, downloads.UNIPEN_OTHERS)
    )
    with gzip.open(cache / downloads.UNIPEN_DIGITS, "rt") as lines:
        assert next(lines).startswith('{"writer":"aga-01","label":"4","strokes":[[0,0,500,')


@pytest.mark.parametrize("damage", ["no tar", "no characters", "includes itself"])
def test_another_archive_is_named(folder: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "other.tgz"
    if damage == "includes itself":
        next(folder.rglob("both.txt")).write_text(".INCLUDE aga/both.txt\n")
    with tarfile.open(path, "w:gz") as archive:
        if damage != "no characters":
            archive.add(folder, ".")
    if damage == "no tar":
        path.write_bytes(b"something else")
    with pytest.raises(DataDamaged):
        unipen_archive.make_packs(path, tmp_path)
    assert not list(tmp_path.glob("*.jsonl.gz"))
