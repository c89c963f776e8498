"""Damaged and malicious files: refused with a message, or their bad drawings reported."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recognizer import imaging
from recognizer.models import Prediction
from recognizer.tests.support.exporting import (
    TARGETS,
    Target,
    export_to,
    files_of,
    make_item,
    needs_pyarrow,
    refused_import,
    store_some,
)
from recognizer.tests.support.reviewing import drawing
from recognizer.transfer import formats
from recognizer.transfer.formats import (
    FORMATS,
    BadItem,
    Format,
    FormatError,
    Item,
    containers,
)

ONE_FILE = [
    target
    for target in TARGETS
    if target.name.endswith((".npz", ".zip", ".parquet", ".json", ".csv"))
]
# No limits of time, which a busy machine would exceed.
damaging = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def some_items() -> list[Item]:
    """Three drawings with records, without a database."""
    return [
        make_item(number, drawing(digit), digit=digit, label=label)
        for number, (digit, label) in enumerate([(3, 3), (1, 7), (8, 10)])
    ]


@functools.lru_cache
def content_of(target: Target) -> tuple[bytes, bytes]:
    """The bytes of an export, and those of the manifest beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if target.name.endswith(".csv"):
            formats.write_files(target.format, some_items(), folder)
            table, manifest = folder / "drawings.csv", folder / "manifest.json"
            return table.read_bytes(), manifest.read_bytes()
        with (folder / "x").open("wb") as file:
            formats.write_file(target.format, some_items(), file)
        return (folder / "x").read_bytes(), b""


def write(target: Target, path: Path) -> bytes:
    content, beside = content_of(target)
    if beside:
        path.with_name(f"{path.name}.manifest.json").write_bytes(beside)
    path.write_bytes(content)
    return content


def read_all(path: Path, **options: Any) -> list[Item | BadItem]:
    """Read a file to its end, as an import does, the drawings too."""
    found = list(formats.read(path, **options))
    for item in found:
        if isinstance(item, Item):
            with contextlib.suppress(imaging.ImageError):
                item.model_input()
        else:
            assert item.name
            assert item.why
    return found


# Damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ONE_FILE, ids=lambda target: target.name)
@damaging
@given(data=st.data())
def test_a_file_cut_off_anywhere_is_refused(
    tmp_path: Path, target: Target, data: st.DataObject
) -> None:
    if target.format is FORMATS["parquet"]:
        pytest.importorskip("pyarrow")
    path = tmp_path / target.name
    whole = write(target, path)
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])

    try:
        found = read_all(path)
    except FormatError as error:
        assert str(error)  # noqa: PT017 - both are valid
    else:
        # In a table only the last row may be damaged.
        assert target.format is FORMATS["csv"]
        assert isinstance(found[-1], BadItem)


@pytest.mark.parametrize(
    "target",
    [target for target in ONE_FILE if target.format is not FORMATS["parquet"]],
    ids=lambda target: target.name,
)
@damaging
@given(data=st.data())
def test_changed_bytes_are_detected_or_harmless(
    tmp_path: Path, target: Target, data: st.DataObject
) -> None:
    path = tmp_path / target.name
    content = bytearray(write(target, path))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    expected = {(item.name, item.label) for item in some_items()}

    try:
        found = read_all(path)
    except FormatError:
        return

    for item in found:
        # A drawing with a valid record is unchanged.
        if isinstance(item, Item) and item.record is not None and "row" not in item.name:
            assert (item.record.id, item.label) in expected or target.format is FORMATS[
                "label-studio"
            ]


@pytest.mark.parametrize("name", ["x.npz", "x.csv", "x.json", "x.zip", "x-images-idx3-ubyte", "x"])
@damaging
@given(content=st.binary(max_size=400))
@example(content=b"{}")
def test_random_bytes_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    assert is_refused(tmp_path / name)
    for format in FORMATS.values():
        if format is not FORMATS["parquet"]:
            assert is_refused(tmp_path / name, format=format)


def is_refused(path: Path, **options: Any) -> bool:
    """Whether the file is refused, or each of its drawings: {} is a line of JSON without one."""
    try:
        found = read_all(path, **options)
    except FormatError:
        return True
    return bool(found) and all(isinstance(item, BadItem) for item in found)


@damaging
@given(content=st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "image", "annotations", "result", "value", "choices", "meta", "sha256", "id"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
))  # fmt: skip
def test_any_json_is_bad_tasks_or_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / "x.json").write_text(json.dumps([content]))

    (item,) = read_all(tmp_path / "x.json", format=FORMATS["label-studio"])

    assert isinstance(item, BadItem)


# Malicious files -----------------------------------------------------------------------------


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize("format", [None, *FORMATS.values()])
def test_pickles_are_never_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format | None
) -> None:
    monkeypatch.chdir(tmp_path)
    trap = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "x.npz", x_train=trap, y_train=trap)
    np.savez(tmp_path / "y.npz", manifest=trap, drawings=trap, drawing_ends=trap)
    np.save(tmp_path / "z.npy", trap)

    for name in ("x.npz", "y.npz", "z.npy"):
        with pytest.raises(FormatError):
            read_all(tmp_path / name, format=format)

    assert not (tmp_path / "pwned").exists()


def npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape: tuple[int, ...], dtype: str = "|u1", fortran: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
        buffer, {"descr": dtype, "fortran_order": fortran, "shape": shape}
    )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (header((10**12, 28, 28)) + bytes(784), "not have the length in its header"),
        (header((1, 10**6, 10**6)), "can't be read"),
        (header((1, 0, 28)), "can't be read|not have the length"),
        (header((-1, 28, 28)) + bytes(784), "not a list of rows"),
        (header((1, 28, 28), fortran=True) + bytes(784), "Fortran"),
        (header((1, 28)) + bytes(28), "has shape"),
        (header((1, 28, 28), "<c16") + bytes(16 * 784), "complex"),
        (header((1, 28, 28), "<U0"), "can't be read"),
        (header(()) + b"\0", "not a list of rows"),
        (b"\x93NUMPY\x09\x00" + bytes(90), "not supported"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"[" * 65535, "can't be read"),
        (b"not an array", "can't be read"),
    ],
)
def test_arrays_with_false_headers(tmp_path: Path, image: bytes, said: str) -> None:
    path = npz(tmp_path / "x.npz", x_train=image, y_train=header((1,)) + b"\3")

    with pytest.raises(FormatError, match=said):
        read_all(path)


@pytest.mark.parametrize(
    "label",
    [header((2,)) + b"\3\3", header((1, 9)) + bytes(9), header((1,), "<U1") + bytes(4)],
)
def test_labels_of_other_shapes_or_types(tmp_path: Path, label: bytes) -> None:
    image = header((1, 28, 28)) + bytes(784)

    with pytest.raises(FormatError, match="not whole numbers"):
        read_all(npz(tmp_path / "x.npz", x_train=image, y_train=label))


def test_a_bomb_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3/bomb.png", b"\x89PNG" + bytes(64 << 20))
    assert (tmp_path / "x.zip").stat().st_size < 1 << 20

    (item,) = formats.read(tmp_path / "x.zip")

    assert isinstance(item, Item)
    assert len(item.image) == imaging.MAX_BYTES + 1
    with pytest.raises(imaging.FileTooLarge):
        item.drawing()


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    png = bytearray(drawing(3))
    png[16:24] = struct.pack(">2I", 50_000, 50_000)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "x.png").write_bytes(bytes(png))

    (item,) = formats.read(tmp_path)

    assert isinstance(item, Item)
    with pytest.raises(imaging.ImageError):
        item.drawing()


def test_a_zip_of_too_many_files_is_refused_before_its_list_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(TARGETS[2], tmp_path / "x.zip")
    monkeypatch.setattr(containers, "MAX_MEMBERS", 3)

    with pytest.raises(FormatError, match="Unpack it"):
        read_all(tmp_path / "x.zip")


def test_an_encrypted_zip_is_refused_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    content = bytearray(write(TARGETS[2], path))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 1)
    path.write_bytes(bytes(content))

    with pytest.raises(FormatError, match="encrypted"):
        read_all(path)


@pytest.mark.parametrize(
    "name", ["../3/x.png", "3/../../x.png", "/3/x.png", "..\\3\\x.png", "C:\\3\\x.png"]
)
def test_paths_in_a_zip_can_not_lead_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing is extracted to disk; a path only provides the label, if any."""
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    with zipfile.ZipFile(tmp_path / "deep" / "x.zip", "w") as archive:
        archive.writestr(name, drawing(3))
        archive.writestr("3/good.png", drawing(3))
    before = sorted(tmp_path.rglob("*"))

    found = read_all(tmp_path / "deep" / "x.zip")

    assert "3/good.png" in {item.name for item in found}
    assert sorted(tmp_path.rglob("*")) == before


def change_manifest(path: Path, /, **changes: object) -> None:
    """Write other values into the first drawing of a manifest, and a hash that fits them."""
    head, first, *rest, end = path.read_text().splitlines()
    values = {**json.loads(first.removesuffix(",")), **changes}
    lines = [json.dumps(values, ensure_ascii=False), *(line.removesuffix(",") for line in rest)]

    whole = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    tail = {**json.loads("{" + end[3:]), "sha256": whole}
    text = ",\n".join(lines)
    path.write_text(f"{head}\n{text}\n], {json.dumps(tail)[1:]}\n")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    formats.write_files(FORMATS["png"], some_items(), folder)
    return folder


def test_a_changed_manifest_with_a_new_hash_is_accepted(tree: Path) -> None:
    """Otherwise the tests below would pass for the wrong reason."""
    change_manifest(tree / "manifest.json", labelled_by="somebody")

    first = read_all(tree)[0]

    assert isinstance(first, Item)
    assert first.record is not None
    assert first.record.labelled_by == "somebody"


@pytest.mark.parametrize(
    "path",
    ["../../secret.png", "/etc/passwd", "3/../../secret.png", "3\\secret.png", "7/x.png", "", None],
)
def test_a_path_in_a_manifest_can_not_lead_outside(tree: Path, path: str | None) -> None:
    (tree.parent / "secret.png").write_bytes(drawing(3))
    change_manifest(tree / "manifest.json", path=path)

    with pytest.raises(FormatError, match="its path is not allowed"):
        read_all(tree)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1; DROP TABLE"},
        {"id": 5},
        {"label": "11"},
        {"label": 3},
        {"label": None},
        {"digit": 12},
        {"digit": True},
        {"digit": "3"},
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"verdict": "perhaps"},
        {"created_at": "yesterday"},
        {"created_at": "2026-03-31T00:00:00"},
        {"created_at": "0001-01-01T00:00:00+00:00"},
        {"labelled_at": None},
        {"suggestion": "x"},
        {"model_version": "x" * 300},
        {"labelled_by": "a\0b"},
        {"sha256": "short"},
        {"source": None},
    ],
)
def test_a_manifest_with_invalid_values_is_refused(tree: Path, changes: dict[str, Any]) -> None:
    change_manifest(tree / "manifest.json", **changes)

    with pytest.raises(FormatError):
        read_all(tree)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 5000,
        "\xff\xfe",
        '{"manifest": "digitsite-drawings", "version": 2, "format": "png", "drawings": [\n]}',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "csv", "drawings": [\n]}',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "png", "drawings": [\n',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "png", "drawings": [\n], x}',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "png", "drawings": [\n{}\n',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "png", "drawings": [\n5\n',
        '{"manifest": "digitsite-drawings", "version": 1, "format": "png", "drawings": []}',
    ],
)
def test_a_damaged_manifest_is_refused_and_can_be_ignored(tree: Path, text: str) -> None:
    (tree / "manifest.json").write_text(text, encoding="latin-1")

    with pytest.raises(FormatError, match="--ignore-manifest"):
        read_all(tree, format=FORMATS["png"])

    assert len(read_all(tree, format=FORMATS["png"], with_manifest=False)) == 3


# Through the command --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("target", ONE_FILE, ids=lambda target: target.name)
def test_a_damaged_file_imports_nothing_even_with_skip_bad(tmp_path: Path, target: Target) -> None:
    if target.format is FORMATS["parquet"]:
        pytest.importorskip("pyarrow")
    store_some()
    export_to(tmp_path / target.name, *target.options)
    Prediction.objects.all().delete()
    path = tmp_path / target.name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    said = refused_import(path, "--skip-bad")

    assert "Nothing was imported" in said
    assert list(files_of(path))


@pytest.mark.django_db
def test_a_duplicate_id_is_reported(tmp_path: Path) -> None:
    store_some()
    export_to(tmp_path / "tasks.json")
    Prediction.objects.all().delete()
    tasks = json.loads((tmp_path / "tasks.json").read_bytes())
    for number, task in enumerate(tasks):
        task["id"] = number
        task["meta"]["id"] = tasks[0]["meta"]["id"]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))

    said = refused_import(tmp_path / "tasks.json")

    assert said.count("another drawing in this file has the same id") == 4


# Files that never end, and small files of large drawings ------------------------------------------


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of Unix")
@pytest.mark.parametrize("make", [os.mkfifo, link_to_a_device], ids=["pipe", "device"])
@pytest.mark.parametrize(
    "name", ["x.npz", "x.csv", "x.json", "x.jsonl", "x.parquet", "x-images-idx3-ubyte.gz"]
)
def test_what_never_ends_is_not_a_file(tmp_path: Path, make: Any, name: str) -> None:
    make(tmp_path / name)

    for format in (None, *FORMATS.values()):
        if format is not FORMATS["parquet"] or format.is_available():
            with pytest.raises(FormatError):
                list(formats.read(tmp_path / name, format))


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of Unix")
@pytest.mark.parametrize("make", [os.mkfifo, link_to_a_device], ids=["pipe", "device"])
def test_what_never_ends_in_a_folder_is_reported(tmp_path: Path, make: Any) -> None:
    (tmp_path / "3").mkdir()
    make(tmp_path / "3" / "endless.png")
    (tmp_path / "3" / "three.png").write_bytes(drawing(3))
    (tmp_path / "3" / "link.png").symlink_to(tmp_path / "3" / "three.png")

    endless, link, three = formats.read(tmp_path)

    assert isinstance(endless, BadItem)
    assert "not a regular file" in endless.why
    assert isinstance(link, Item)
    assert isinstance(three, Item)


PEAK = """
import resource, sys
from pathlib import Path
import pyarrow.parquet
from recognizer.transfer import formats
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(1 for _ in formats.read(Path(sys.argv[1])))
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) >> 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory in Linux's units")
@needs_pyarrow
def test_a_value_that_many_rows_share_is_not_unpacked_for_all_of_them(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, image = tmp_path / "shared.parquet", drawing(3) + bytes(4 << 20)
    columns = [pa.array([image] * 100, pa.binary()), pa.array(["x"] * 100)]
    images = pa.StructArray.from_arrays(columns, ["bytes", "path"])
    table = pa.table({"image": images, "label": pa.array([3] * 100)})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=1 << 28)
    del columns, images, table

    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )

    rows, megabytes = map(int, done.stdout.split())
    # Unpacked for all rows: 400 MB, and as much again as Python objects.
    assert (rows, path.stat().st_size < 8000, megabytes < 350) == (100, True, True)
