"""A data set for Hugging Face's `datasets`: Parquet, a card, and the manifest.

    README.md                                 the card: features, counts, where the labels come from
    data/train-00000-of-00001.parquet         as `parquet` writes it
    manifest.json

``datasets.load_dataset(folder)`` reads it, and so does the Hub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from recognizer.transfer.formats import manifest, parquet
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import Sink, copy
from recognizer.transfer.formats.items import LABEL_NAMES, BadItem, Item, Spool, record_of
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

CARD = "README.md"
_FOLDER = "data"
_DATA = f"{_FOLDER}/train-00000-of-00001.parquet"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))

FIELDS = {
    "image": "the drawing as it was made, or the 28x28 input of the model (`is_model_input`)",
    "label": "the reviewer's label: 0-9, or 10 for a drawing that is not a digit",
    "id": "the drawing's id on the site",
    "digit": "the digit that the model predicted",
    "confidence": "the prediction's confidence, 0-1",
    "verdict": "`digit`, `uncertain`, or `not_a_digit` if the model rejected the drawing",
    "model_version": "the model that made the prediction",
    "model_sha256": "the hash of that model",
    "source": "`canvas`, `upload`, `api` or `import`",
    "is_model_input": "whether the image is the model's input",
    "suggestion": "the label that the visitor suggested",
    "created_at": "when the drawing was made",
    "labelled_at": "when it was labelled",
    "labelled_by": "the reviewer's user name",
    "sha256": "the hash of the image",
}
_KINDS = {"digit": "int64", "confidence": "float64", "is_model_input": "bool"}


def write(items: Iterable[Item], sink: Sink, spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError without pyarrow."""
    lines, data = spool(), spool()
    listed = ManifestWriter(lines, FORMAT.name)
    counts: Counter[int | None] = Counter()

    def noted() -> Iterator[Item]:
        for item in items:
            assert isinstance(item.image, bytes)
            listed.add(record_of(item).of_file(item.image))
            counts[item.label] += 1
            yield item

    summary = parquet.write(noted(), data, spool)
    sink.make_folder(_FOLDER)
    copy(data, sink, _DATA)
    with sink.open(CARD) as file:
        file.write(card(summary, counts).encode())
    listed.close()
    copy(lines, sink, manifest.NAME)
    return summary


def card(summary: Summary, counts: Counter[int | None]) -> str:
    """Return the card, whose head tells the loader where the data is and what its columns are."""
    size = next((name for most, name in _SIZES if summary.written < most), "1M<n<10M")
    features = [
        "  - name: image\n    dtype: image",
        "  - name: label\n    dtype:\n      class_label:\n        names:",
        *(f"          '{number}': '{name}'" for number, name in enumerate(LABEL_NAMES)),
        *(
            f"  - name: {name}\n    dtype: {_KINDS.get(name, 'string')}"
            for name in FIELDS
            if name not in ("image", "label")
        ),
    ]
    head = [
        "---",
        "pretty_name: Handwritten digits",
        "task_categories:\n- image-classification",
        f"size_categories:\n- {size}",
        "configs:\n- config_name: default\n  data_files:\n  - split: train",
        f"    path: {_FOLDER}/train-*.parquet",
        "dataset_info:\n  features:",
        *features,
        f"  splits:\n  - name: train\n    num_examples: {summary.written}",
        "---",
    ]
    rows = [f"| {name} | {counts[label]} |" for label, name in enumerate(LABEL_NAMES)]
    fields = [f"| `{name}` | {text} |" for name, text in FIELDS.items()]
    return "\n".join([*head, "", _TEXT, "", *_COUNTS, *rows, "", *_FIELDS, *fields, "", _USE, ""])


_TEXT = """# Handwritten digits

Drawings that visitors of a DigitSite made, with the label that a reviewer of the site gave each of
them and the model's prediction. Reviewers saw the prediction. What was exported may be a selection,
for example only the drawings that the model misclassified: accuracy on this data set is then not
the model's accuracy.

## Labels"""
_COUNTS = ("| label | drawings |", "| --- | ---: |")
_FIELDS = ("## Fields", "", "| field | what it is |", "| --- | --- |")
_USE = """## Before you publish it

Handwriting can be personal, and `labelled_by` has user names: remove that column. Choose a licence
that the people who drew have agreed to, and add it to the head of this file as `license`.

## How to read it

```python
from datasets import load_dataset

digits = load_dataset("path/to/this/folder", split="train")
digits[0]["image"], digits.features["label"].int2str(digits[0]["label"])
```"""


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the drawings; raises FormatError. The records are in the Parquet file too."""
    yield from parquet.read(path, with_manifest=with_manifest)


FORMAT = Format(
    name="hugging-face",
    title=gettext_noop("Hugging Face data set (.zip)"),
    description="a folder with Parquet and a card",
    download_suffix="-hugging-face.zip",
    read=read,
    write_files=write,
    folder=frozenset({CARD, _FOLDER, manifest.NAME}),
    package="pyarrow",
)
