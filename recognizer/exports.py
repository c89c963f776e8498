"""Labelled drawings out of the database and into a file or a folder, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from django.db.models import QuerySet

from recognizer import export_formats
from recognizer.export_formats import FOLDERS, MANIFEST, ExportError, Format, Summary
from recognizer.models import Prediction

__all__ = ["ExportError", "Format", "Summary", "export_drawings", "guess_format"]


def guess_format(path: Path) -> Format:
    """The format that a path's name stands for; a name without suffix is a folder of PNG files.

    Raises ExportError for any other suffix.
    """
    suffix = path.suffix.lower()
    if suffix in {".npz", ".csv"}:
        return Format(suffix[1:])
    if not suffix or os.path.isdir(path):
        return Format.PNG
    raise ExportError(
        f"Can't tell the format from the name {path.name!r}: end it in .npz or .csv, "
        "or give --format npz, png or csv."
    )


def export_drawings(
    *, drawings: QuerySet[Prediction], path: Path, format: Format, force: bool = False
) -> Summary:
    """Write the labelled ones of ``drawings`` to ``path``, whole or not at all.

    The file (the folder, for PNG) appears under its name only when it is complete. With ``force``
    an existing file is replaced, and an existing folder if it is an earlier export.

    Raises ExportError if there is nothing to export, if something is in the way, or if the path
    can't be written.
    """
    try:
        _refuse_what_is_in_the_way(path, format, force)
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
        try:
            if format is Format.PNG:
                temporary.mkdir()
                summary = export_formats.write_png_tree(drawings, temporary)
            else:
                write = export_formats.STREAMS[format]
                with temporary.open("xb") as file:
                    summary = write(drawings, file)
                    file.flush()
                    os.fsync(file.fileno())
            if not summary.written:
                raise ExportError(export_formats.nothing_to_export(summary))
            _refuse_what_is_in_the_way(path, format, force)
            _put_in_place(temporary, path)
        finally:
            _remove(temporary)
    except OSError as error:
        raise ExportError(f"Can't write {path}: {error.strerror or error}.") from error
    return summary


def _refuse_what_is_in_the_way(path: Path, format: Format, force: bool) -> None:
    if not path.name:
        raise ExportError(f"{path} is not a name to write to.")
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.")
    if not os.path.lexists(path):
        return
    if format is Format.PNG:
        if not path.is_dir() or path.is_symlink():
            raise ExportError(f"{path} exists and is not a folder; PNG files go into a folder.")
        found = {child.name for child in path.iterdir()}
        if not found:
            return
        # --force must never cost anybody a folder of something else.
        if MANIFEST not in found or not found <= {MANIFEST, *FOLDERS}:
            raise ExportError(
                f"{path} is a folder with other things in it, not an earlier export. "
                "Choose another name."
            )
    elif path.is_dir():
        raise ExportError(
            f"{path} is a folder; {format.value} goes into a file. Give a file name, "
            "or --format png for a folder of images."
        )
    elif not path.is_file():
        raise ExportError(f"{path} is not an ordinary file. Choose another name.")
    if not force:
        raise ExportError(
            f"{path} exists already. Choose another name, or overwrite it with --force."
        )


def _put_in_place(temporary: Path, path: Path) -> None:
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
