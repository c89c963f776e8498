"""PNG: a folder per label with the original drawings, and a manifest.

    0/ ... 9/ not_a_digit/    ID.png
    manifest.json

Or the same in a zip file. It also reads any folder or zip file with image files in folders named 0
to 9 or not_a_digit, at any depth.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from recognizer.transfer.formats import manifest
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import Sink, Source, copy, open_source, read_image
from recognizer.transfer.formats.items import (
    LABEL_NAMES,
    BadItem,
    FormatError,
    Item,
    Spool,
    record_of,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

FOLDERS = LABEL_NAMES
_OURS = re.compile(rf"({'|'.join(FOLDERS)})/[0-9a-f-]+\.png")
_LABELS = {name: label for label, name in enumerate(FOLDERS)}


def write(items: Iterable[Item], sink: Sink, spool: Spool) -> Summary:
    """Write labelled drawings."""
    lines = spool()
    listed = ManifestWriter(lines, "png")
    # Each label has its folder, even an empty one: a loader numbers the classes by them.
    for folder in FOLDERS:
        sink.make_folder(folder)
    for item in items:
        assert isinstance(item.image, bytes)
        assert item.label is not None
        record = record_of(item)
        path = f"{FOLDERS[item.label]}/{record.id}.png"
        sink.put(path, item.image)
        listed.add(record.of_file(item.image), path=path)
    summary = listed.close()
    copy(lines, sink, manifest.NAME)
    return summary


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the images of a folder or zip file; raises FormatError if there are none.

    Without a manifest the label is the name of the nearest parent folder that is a label, so
    ``3/ann/a.png`` and ``test/3/a.jpg`` both work. Files without such a folder are ignored.
    """
    with open_source(path) as source:
        if with_manifest and source.has(manifest.NAME):
            yield from _read_ours(source)
        else:
            yield from _read_tree(source)


def labelled_names(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the files in folders of labels, each with its label."""
    for name in source.names():
        above = PurePosixPath(name).parts[-2::-1]
        label = next((_LABELS[part] for part in above if part in _LABELS), None)
        if label is not None:
            yield name, label


def _read_tree(source: Source) -> Iterator[Item | BadItem]:
    found = False
    for name, label in labelled_names(source):
        found = True
        try:
            yield Item(name, label, read_image(source, name))
        except FormatError as error:
            yield BadItem(name, str(error))
    if not found:
        raise FormatError(
            f"{source.path} has no images in folders 0 to 9 or not_a_digit. To import files of "
            "another format, choose one of the files."
        )


def _read_ours(source: Source) -> Iterator[Item | BadItem]:
    where = f"{source.path}, {manifest.NAME}"
    named = 0
    with source.open(manifest.NAME) as lines:
        for line in manifest.read(lines, "png", where):
            name, record = str(line.more.get("path")), line.record
            # A path that leads outside is never opened.
            if not _OURS.fullmatch(name) or _LABELS[name.partition("/")[0]] != record.label:
                raise FormatError(f"{where}, drawing {line.number}: its path is not allowed.")
            named += 1
            try:
                image = read_image(source, name)
            except FormatError as error:
                yield BadItem(name, str(error))
                continue
            if hashlib.sha256(image).hexdigest() != record.sha256:
                yield BadItem(name, "it does not match the manifest")
                continue
            yield Item(name, record.label, image, record.is_model_input, record)
    found = sum(1 for _ in labelled_names(source))
    if found > named:
        raise FormatError(
            f"{source.path} has {found} images, but its manifest lists {named}. To import all, "
            "with labels from the folder names, add --ignore-manifest."
        )


FORMAT = Format(
    name="png",
    title=gettext_noop("images by label (.zip)"),
    description="one folder per label",
    download_suffix=".zip",
    suffixes=(".zip", ""),
    read=read,
    write_files=write,
    folder=frozenset({manifest.NAME, *FOLDERS}),
    # Any folder may hold folders of images; `read` says what is missing.
    matches=lambda source: True,
)
