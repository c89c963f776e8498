"""Parquet in the layout of Hugging Face's image data sets.

Columns ``image`` (struct of ``bytes``, a PNG, and ``path``) and ``label`` (int64), and one for each
field of the manifest. With the schema's ``huggingface`` metadata ``load_dataset`` loads the two as
``Image`` and ``ClassLabel``. The end of the manifest is in the file's metadata as ``digitsite``.

It also reads any Parquet file (or folder of them) with these two columns. Needs pyarrow.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from recognizer import imaging
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import (
    UNREADABLE,
    Source,
    is_zip,
    open_file,
    open_source,
    unreadable,
)
from recognizer.transfer.formats.items import (
    LABEL_NAMES,
    BadItem,
    FormatError,
    Item,
    Record,
    Spool,
    label_of,
    record_of,
)
from recognizer.transfer.formats.manifest import Summary, Tally

if TYPE_CHECKING:
    import pyarrow

_ROWS = 500
"""Rows written or read at a time."""
_MAX_GROUP = 1 << 30  # bytes, uncompressed
_MAX_UNPACKED = 4 << 30  # bytes of a zip file's content
_MAX_ROWS = 48 << 20  # bytes of the rows read at a time
_DTYPES = {"int64": "int64", "double": "float64", "bool": "bool", "string": "string"}
_KEY = b"digitsite"


def require() -> None:
    """Raise FormatError if pyarrow is not installed."""
    if not FORMAT.is_available():
        raise FormatError("Parquet needs pyarrow, which is not installed: pip install pyarrow")


def schema() -> pyarrow.Schema:
    """Return the columns of an export, with the metadata for Hugging Face's loader."""
    import pyarrow as pa

    text = pa.string()
    fields: dict[str, Any] = {
        "image": pa.struct([("bytes", pa.binary()), ("path", text)]),
        "label": pa.int64(),
        "id": text,
        "digit": pa.int64(),
        "confidence": pa.float64(),
        "verdict": text,
        "model_version": text,
        "model_sha256": text,
        "source": text,
        "is_model_input": pa.bool_(),
        "suggestion": text,
        "created_at": text,
        "labelled_at": text,
        "labelled_by": text,
        "sha256": text,
    }
    features: dict[str, Any] = {
        name: {"dtype": _DTYPES[str(kind)], "_type": "Value"}
        for name, kind in fields.items()
        if name != "image"
    }
    features["image"] = {"_type": "Image"}
    features["label"] = {"names": [*LABEL_NAMES], "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}}, sort_keys=True)}
    return pa.schema(list(fields.items()), metadata=metadata)


def write(items: Iterable[Item], file: IO[bytes], spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError without pyarrow."""
    require()
    import pyarrow as pa
    import pyarrow.parquet as pq

    tally = Tally()
    columns = schema()
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(file, columns, compression="zstd") as writer:

        def flush() -> None:
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=columns))
                rows.clear()

        for item in items:
            assert isinstance(item.image, bytes)
            record = record_of(item).of_file(item.image)
            tally.add(record)
            image = {"bytes": item.image, "path": f"{record.id}.png"}
            rows.append({**record.to_json(), "label": item.label, "image": image})
            if len(rows) == _ROWS:
                flush()
        flush()
        summary = tally.summary()
        writer.add_key_value_metadata({_KEY: json.dumps(summary.to_json())})
    return summary


def read(
    path: Path, *, with_manifest: bool = True, column: str = "label"
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a file, or of all files of a folder or zip file; raises FormatError.

    ``column`` is that of the labels.
    """
    require()
    if not path.is_dir() and is_zip(path):
        with _unpacked(path) as folder:
            yield from read(folder, with_manifest=with_manifest, column=column)
        return
    for file in files(path):
        yield from _read_file(file, with_manifest, column)


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Unpack the Parquet files of a zip file, which must be read from their end first."""
    left = _MAX_UNPACKED
    with open_source(path) as source, tempfile.TemporaryDirectory() as folder:
        names = list(filter(_is_parquet, source.names()))
        if not names:
            raise FormatError(f"{path} has no Parquet file.")
        for number, name in enumerate(names):
            with source.open(name) as packed, Path(folder, f"{number:06}.parquet").open("xb") as to:
                try:
                    while piece := packed.read(1 << 16):
                        left -= len(piece)
                        if left < 0:
                            raise FormatError(f"{path} is too large. Unpack it and import that.")
                        to.write(piece)
                except UNREADABLE as error:
                    raise unreadable(path, error) from error
        yield Path(folder)


def files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(child for child in path.rglob("*.parquet") if not child.name.startswith("."))


def count(path: Path) -> int | None:
    """Return the number of drawings in the files' metadata, None for a zip file."""
    require()
    if not path.is_dir() and is_zip(path):
        return None
    total = 0
    for each in files(path):
        with _opened(each) as file:
            total += file.metadata.num_rows
    return total


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with (
            open_file(path) as source,
            pq.ParquetFile(source, buffer_size=1 << 16, pre_buffer=False) as file,
        ):
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise FormatError(f"{path} is not a readable Parquet file: {reason[:200]}") from error


def _read_file(path: Path, with_manifest: bool, column: str) -> Iterator[Item | BadItem]:
    with _opened(path) as file:
        names = _class_names(file, path, column)
        end = (file.metadata.metadata or {}).get(_KEY)
        ours = with_manifest and end is not None
        wanted = schema().names if ours else ["image", column]
        _check_groups(file, path)
        tally = Tally()
        number = 0
        for batch in file.iter_batches(_at_a_time(file), columns=wanted, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                name = f"{path.name}, row {number}"
                try:
                    record = _record(row) if ours else None
                    if record is not None:
                        tally.add(record)
                    yield _item(row, row[column], record, names, name)
                except (ValueError, TypeError) as error:
                    if isinstance(error, FormatError):
                        raise
                    yield BadItem(name, str(error))
        if ours:
            tally.check(_parsed(end), str(path))


def _at_a_time(file: Any) -> int:
    """Return how many rows fit into memory, even if all are the largest value of a dictionary.

    A value that many rows share is stored once, so the file may be much smaller than its rows.
    """
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    largest = max((_shared(group) for group in groups), default=0)
    return max(1, min(_ROWS, _MAX_ROWS // max(1, largest)))


def _shared(group: Any) -> int:
    """Return the bytes of a row group that may be values of many rows."""
    columns = map(group.column, range(group.num_columns))
    return sum(each.total_uncompressed_size for each in columns if each.has_dictionary_page)


def _parsed(end: Any) -> Mapping[str, Any]:
    try:
        values = json.loads(end)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _class_names(file: Any, path: Path, column: str) -> list[int | None] | None:
    """Check the columns; return the label of each class if the file has names for them."""
    import pyarrow as pa

    arrow = file.schema_arrow
    for name in ("image", column):
        if name not in arrow.names:
            hint = "" if name == "image" else " Say which one has the labels with --label-column."
            raise FormatError(
                f"{path} has no column {name}, only {', '.join(arrow.names) or 'none'}.{hint}"
            )
    image, label = arrow.field("image").type, arrow.field(column).type
    if not pa.types.is_struct(image) or image.get_field_index("bytes") < 0:
        raise FormatError(f"{path}: the column image has no files (a struct with bytes).")
    if not pa.types.is_integer(label):
        raise FormatError(f"{path}: the column {column} is {label}, not whole numbers.")
    stored = (arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(stored)["info"]["features"][column]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [label_of(name) for name in names] if isinstance(names, list) else None


def _check_groups(file: Any, path: Path) -> None:
    """Raise FormatError if a row group would not fit into memory."""
    groups = file.metadata
    sizes = (groups.row_group(index).total_byte_size for index in range(groups.num_row_groups))
    if max(sizes, default=0) > _MAX_GROUP:
        raise FormatError(f"{path}: a row group is over 1 GB. Write the file with smaller ones.")


def _record(row: Mapping[str, Any]) -> Record:
    label = row["label"]
    name = LABEL_NAMES[label] if label in range(len(LABEL_NAMES)) else label
    return Record.from_json({**row, "label": name})


def _item(
    row: Mapping[str, Any],
    number: int | None,
    record: Record | None,
    names: list[int | None] | None,
    name: str,
) -> Item | BadItem:
    image = (row["image"] or {}).get("bytes")
    if not image:
        return BadItem(name, "its image is not in the file")
    if len(image) > imaging.MAX_BYTES:
        return BadItem(name, imaging.FileTooLarge().message)
    if record is not None:
        if hashlib.sha256(image).hexdigest() != record.sha256:
            return BadItem(name, "its image does not match its row")
        return Item(record.id, record.label, image, record.is_model_input, record)
    if number is None or number < 0:
        # Hugging Face writes -1 in a test set without labels.
        return Item(name, None, image)
    label = label_of(number) if names is None else (names[number : number + 1] or [None])[0]
    if label is None and number in range(10) and names is not None and len(names) == 10:
        # Classes with other names ("zero", "1 - one"), but ten of them.
        label = int(number)
    if label is None:
        return BadItem(name, f"its label is {number}, not 0-9 or 10 (not a digit)", number)
    return Item(name, label, image)


def _has_parquet(source: Source) -> bool:
    return any(map(_is_parquet, source.names()))


def _is_parquet(name: str) -> bool:
    return name.endswith(".parquet")


FORMAT = Format(
    name="parquet",
    title=gettext_noop("Hugging Face (.parquet)"),
    description="as on Hugging Face",
    download_suffix=".parquet",
    suffixes=(".parquet",),
    read=read,
    read_column=lambda path, column: read(path, with_manifest=False, column=column),
    write_file=write,
    count=count,
    starts=lambda head: head.startswith(b"PAR1"),
    matches=_has_parquet,
    package="pyarrow",
)
