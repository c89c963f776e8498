"""Exports: labelled drawings to a file or folder, complete or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recognizer.models import Prediction
from recognizer.transfer import formats
from recognizer.transfer.formats import (
    FORMATS,
    Format,
    FormatError,
    Item,
    Record,
    Summary,
    json_lines,
    manifest,
)
from recognizer.transfer.formats.manifest import Tally
from recognizer.transfer.streaming import Started, pieces

__all__ = [
    "ExportError",
    "Format",
    "NothingToExport",
    "Summary",
    "available_formats",
    "export_drawings",
    "infer_format",
    "stream_download",
    "stream_json_lines",
]

# Rows fetched at a time; a row has a PNG of a few kilobytes.
CHUNK = 200


class ExportError(ValueError):
    """An export is not possible; the message says why and what to do."""


class NothingToExport(ExportError):
    """No drawing matches."""


def infer_format(path: Path) -> Format:
    """Return the format for a suffix, a folder of PNG files for none; raises ExportError."""
    suffix = "" if os.path.isdir(path) else path.suffix.lower()
    for format in FORMATS.values():
        if suffix in format.suffixes:
            return format
    known = [suffix for format in FORMATS.values() for suffix in format.suffixes if suffix]
    raise ExportError(
        f"Can't infer the format from the name {path.name!r}. Use one of the suffixes "
        f"{', '.join(known)}, or set --format to {', '.join(FORMATS)}."
    )


def available_formats() -> list[Format]:
    """Return the formats that can be written with what is installed."""
    return [format for format in FORMATS.values() if format.is_available()]


def export_drawings(
    *,
    drawings: QuerySet[Prediction],
    path: Path,
    format: Format,
    force: bool = False,
    unlabelled: bool = False,
    progress: Callable[[], object] = lambda: None,
) -> Summary:
    """Write the labelled drawings among ``drawings`` to ``path``, all or none.

    The file or folder gets its name only when it is complete. The manifest beside a CSV file gets
    its name first, so that there is never a complete table without one. With ``force`` an existing
    file is replaced, and an existing folder if it is an earlier export. ``unlabelled`` adds
    drawings without a label. ``progress`` is called after each drawing.

    Raises ExportError if there is nothing to export, if the path exists or can't be written, or
    if a drawing can't be decoded or a package is missing.
    """
    if unlabelled and not format.takes_unlabelled:
        possible = [each.name for each in FORMATS.values() if each.takes_unlabelled]
        raise ExportError(
            f"{format.name} can't hold drawings without a label. Use --format {possible[0]}."
        )
    try:
        _check_path(path, format, force)
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
        try:
            with _streamed(drawings, unlabelled) as items:
                summary = _write(_counted(items, progress), temporary, path, format)
            _check_not_empty(summary, unlabelled)
            _check_path(path, format, force)
            _put_in_place(temporary, path, format)
        finally:
            _remove(temporary)
    except FormatError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(f"Can't write {path}: {error.strerror or error}.") from error
    return summary


def stream_download(
    *, drawings: QuerySet[Prediction], format: Format, unlabelled: bool = False
) -> Started:
    """Return the pieces of a file of drawings, made while they are sent; several files as a zip.

    Most formats begin with the first drawing; npz and IDX begin with the number of drawings, and
    so with the last one. Raises ExportError as `export_drawings` does; while the pieces are taken,
    an error ends them before their end.
    """
    if not _chosen(drawings, unlabelled).exists():
        raise _nothing(unlabelled)

    def write(items: Iterator[Item], file: IO[bytes]) -> None:
        formats.write_file(format, items, file)

    def stream() -> Iterator[bytes]:
        with _streamed(drawings, unlabelled) as items:
            yield from pieces(write, items)

    try:
        return Started(stream())
    except FormatError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(
            _("The export failed: %(why)s.") % {"why": error.strerror or error}
        ) from error


def stream_json_lines(drawings: QuerySet[Prediction]) -> Iterator[bytes]:
    """Yield the labelled drawings as JSON lines, one at a time; nothing if there are none.

    The last line has the end of the manifest; without it a file is incomplete.
    """
    with _streamed(drawings, unlabelled=False) as items:
        yield from json_lines.lines(items, Tally())


@contextlib.contextmanager
def _streamed(drawings: QuerySet[Prediction], unlabelled: bool) -> Iterator[Iterator[Item]]:
    """The drawings with their records, oldest first, with one chunk in memory at a time.

    Outside a transaction PostgreSQL copies all rows before it returns the first. On SQLite a
    transaction would block all writers, and a single statement is consistent anyway.
    """
    drawings = _chosen(drawings, unlabelled)
    with contextlib.ExitStack() as stack:
        if connections[drawings.db].vendor == "postgresql":
            stack.enter_context(transaction.atomic(using=drawings.db))
        rows = (
            drawings.defer(None)
            .select_related(None)
            .select_related("model_version", "labelled_by")
            .only(
                "id",
                "image",
                "strokes",
                "is_model_input",
                "label",
                "digit",
                "confidence",
                "verdict",
                "source",
                "suggestion",
                "labelled_at",
                "created_at",
                "model_version__name",
                "model_version__sha256",
                "labelled_by__username",
            )
            .order_by("created_at", "id")
            .iterator(chunk_size=CHUNK)
        )
        # Closes the cursor before the transaction ends, also after an error.
        stack.callback(rows.close)  # type: ignore[attr-defined]
        yield map(_item, rows)


def _chosen(drawings: QuerySet[Prediction], unlabelled: bool) -> QuerySet[Prediction]:
    return drawings if unlabelled else drawings.filter(label__isnull=False)


def _item(row: Prediction) -> Item:
    identifier = str(row.pk)
    record = Record(
        id=identifier,
        label=row.label,
        digit=row.digit,
        confidence=row.confidence,
        verdict=row.verdict,
        model_version=row.model_version.name,
        model_sha256=row.model_version.sha256,
        source=row.source,
        is_model_input=row.is_model_input,
        suggestion=row.suggestion,
        created_at=row.created_at,
        labelled_at=row.labelled_at,
        labelled_by=row.labelled_by.username if row.labelled_by else None,
    )
    strokes = None if row.strokes is None else bytes(row.strokes)
    return Item(identifier, row.label, bytes(row.image), row.is_model_input, record, strokes)


def _counted(items: Iterable[Item], progress: Callable[[], object]) -> Iterator[Item]:
    for item in items:
        yield item
        progress()


def _is_folder(path: Path, format: Format) -> bool:
    return format.folder is not None and path.suffix.lower() != ".zip"


def _has_manifest_beside(path: Path, format: Format) -> bool:
    return format.main_file is not None and path.suffix.lower() != ".zip"


def _write(items: Iterator[Item], temporary: Path, path: Path, format: Format) -> Summary:
    def spool() -> IO[bytes]:
        # In the export's folder: the system's temporary folder may be in memory.
        return tempfile.TemporaryFile(dir=path.parent)

    if _is_folder(path, format) or _has_manifest_beside(path, format):
        temporary.mkdir()
        return formats.write_files(format, items, temporary, spool)
    with temporary.open("xb") as file:
        summary = formats.write_file(format, items, file, spool)
        file.flush()
        os.fsync(file.fileno())
    return summary


def _check_not_empty(summary: Summary, unlabelled: bool) -> None:
    if not summary.written:
        raise _nothing(unlabelled)


def _nothing(unlabelled: bool) -> NothingToExport:
    return NothingToExport(
        _("Nothing to export: no drawing matches.")
        if unlabelled
        else _("Nothing to export: no drawing with a label matches.")
    )


def _check_path(path: Path, format: Format, force: bool) -> None:
    if not path.name:
        raise ExportError(f"{path} is not a file name.")
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.")
    wanted = [path]
    if _has_manifest_beside(path, format):
        wanted.append(manifest.path_beside(path))
    for each in filter(os.path.lexists, wanted):
        if _is_folder(path, format):
            if _is_empty_or_export(each):
                continue
        elif each.is_dir():
            raise ExportError(
                f"{each} is a folder, but {format.name} is written to a file. Choose a file name, "
                "or set --format png for a folder of images."
            )
        elif not each.is_file():
            raise ExportError(f"{each} is not a regular file. Choose another name.")
        if not force:
            raise ExportError(
                f"{each} already exists. Choose another name, or overwrite it with --force."
            )


def _is_empty_or_export(path: Path) -> bool:
    """Whether a folder is empty; raises ExportError if it has files of anything but an export."""
    if not path.is_dir() or path.is_symlink():
        raise ExportError(f"{path} is not a folder, but this format is written to a folder.")
    found = {child.name for child in path.iterdir()}
    # --force must never delete another folder.
    ours = [format.folder for format in FORMATS.values() if format.folder is not None]
    if found and (manifest.NAME not in found or not any(found <= names for names in ours)):
        raise ExportError(
            f"{path} is a folder with other files, not an earlier export. Choose another name."
        )
    return not found


def _put_in_place(temporary: Path, path: Path, format: Format) -> None:
    if _has_manifest_beside(path, format):
        (temporary / manifest.NAME).replace(manifest.path_beside(path))
        (temporary / str(format.main_file)).replace(path)
        return
    if not (path.is_dir() and temporary.is_dir()):
        temporary.replace(path)
        return
    old = path.parent / f".{path.name}.{secrets.token_hex(4)}.old"
    path.replace(old)
    try:
        temporary.replace(path)
    except OSError:
        old.replace(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
