"""Imports of annotation tools: images beside the file, JSON lines, and several annotators."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from recognizer.models import LabelEvent, Prediction, Via
from recognizer.tests.support.exporting import export_to, import_from, refused_import, store
from recognizer.tests.support.reviewing import drawing
from recognizer.tests.transfer.test_foreign_files import annotation, data_uri

pytestmark = pytest.mark.django_db

CASES = Path(__file__).with_name("cases")


def labels() -> list[int | None]:
    return list(Prediction.objects.order_by("created_at").values_list("label", flat=True))


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A folder with what Label Studio exports, and its uploaded images."""
    folder = tmp_path / "tasks"
    shutil.copytree(CASES / "label-studio", folder)
    return folder


def only(folder: Path, name: str) -> Path:
    """Delete all tasks but those in this file."""
    for path in folder.iterdir():
        if path.is_file() and path.name != name:
            path.unlink()
    return folder / name


# Images beside the file -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export.json", "export-min.json", "export.csv"])
@pytest.mark.parametrize("place", ["data/upload/3", "upload/3", "3", "images", "."])
def test_uploaded_images_are_found(tasks: Path, name: str, place: str) -> None:
    uploaded = tasks / "data" / "upload" / "3"
    if place != "data/upload/3":
        shutil.move(uploaded, tasks / "kept")
        (tasks / place).mkdir(parents=True, exist_ok=True)
        for image in (tasks / "kept").iterdir():
            image.rename(tasks / place / image.name)

    import_from(tasks / name)

    assert labels() == [3, 7, 5, 0]


def test_images_of_label_studios_own_machine_are_found(tasks: Path) -> None:
    shutil.move(tasks / "data" / "upload" / "3", tasks / "images")

    import_from(tasks / "local-files.json")

    assert labels() == [3, 7, 5, 0]


@pytest.mark.parametrize("packed", [False, True])
def test_the_folder_itself_is_imported_with_the_labels_of_its_file(
    tasks: Path, packed: bool
) -> None:
    """Not with the number of the project as label."""
    path = tasks
    only(tasks, "export.json")
    if packed:
        path = tasks.with_suffix(".zip")
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(tasks.rglob("*")):
                archive.write(file, file.relative_to(tasks))

    import_from(path)

    assert labels() == [3, 7, 5, 0]


def test_images_elsewhere_are_named_as_not_fetched(tasks: Path) -> None:
    said = refused_import(tasks / "s3.json")

    assert "s3://bucket/ab12cd0-digit_3.png is not fetched" in said
    assert "4 of 4" in said


def test_missing_images_are_named(tasks: Path) -> None:
    (tasks / "data" / "upload" / "3" / "ab12cd1-digit_7.png").unlink()

    said = refused_import(tasks / "export.json")

    assert "task 2: its image /data/upload/3/ab12cd1-digit_7.png is not in" in said
    assert "copy the folder of the images there" in said


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "/data/upload/../../secret.png",
        "/data/local-files/?d=../secret.png",
        "/data/local-files/?d=..%2fsecret.png",
        "images\\..\\..\\secret.png",
        "file:///secret.png",
        "link.png",
        "linked/secret.png",
        "pipe.png",
        "images.png",
        "a\0.png",
        f"{'x' * 300}.png",
    ],
)
def test_images_outside_the_folder_are_never_opened(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "tasks"
    (folder / "images.png").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(drawing(3))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    task = {"data": {"image": name}, "annotations": [annotation("3")]}
    (folder / "x.json").write_text(json.dumps([task]))

    said = refused_import(folder / "x.json")

    assert "is not in" in said or "outside the folder" in said


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawing(3))
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "x.csv").write_text("filename,label\nb.png,3\n")

    import_from(tmp_path / "x.csv")

    assert labels() == [3]


def test_a_table_of_image_files(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for digit in (3, 8, 5):
        (tmp_path / "photos" / f"{digit}.png").write_bytes(drawing(digit))
    rows = ["path;class;who", "photos/3.png;3;ann", "photos/8.png;;ann", "photos/5.png;x;ann"]
    (tmp_path / "x.csv").write_text("\n".join(rows))

    said = refused_import(tmp_path / "x.csv")

    assert "row 4: its label is 'x'" in said
    assert "Ignored 1 unlabelled." in import_from(tmp_path / "x.csv", "--skip-bad")
    assert labels() == [3]


# JSON of other tools ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accept.jsonl", "label.jsonl", "tasks.jsonl", "list-flat.json"])
def test_three_drawings(name: str) -> None:
    import_from(CASES / "json" / name)

    assert labels() == [1, 2, 4]


@pytest.mark.parametrize("name", ["one-task.json", "wrapped.json"])
@pytest.mark.parametrize("indent", [None, 1])
def test_one_task(tmp_path: Path, name: str, indent: int | None) -> None:
    content = json.loads((CASES / "json" / name).read_bytes())
    (tmp_path / name).write_text(json.dumps(content, indent=indent))

    import_from(tmp_path / name)

    assert labels() == [1]


def test_objects_that_follow_each_other_are_refused_with_advice(tmp_path: Path) -> None:
    content = json.dumps(json.loads((CASES / "json" / "one-task.json").read_bytes()), indent=1)
    (tmp_path / "x.json").write_text(f"{content}\n{content}")

    assert "more than one JSON object" in refused_import(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"label": ["3"]}, 3),
        ({"labels": 3}, 3),
        ({"digit": {"choices": ["3"]}}, 3),
        ({"accept": ["3"], "answer": "accept", "_annotator_id": "ann"}, 3),
        ({"accept": ["3"], "answer": "reject"}, None),
        ({"label": "3", "answer": "ignore"}, None),
        ({"accept": [], "answer": "accept"}, None),
        # As in our own exports, where the digit is the prediction.
        ({"label": None, "digit": 3}, None),
        ({"label": "3", "digit": 8}, 3),
    ],
)
def test_where_the_label_is(tmp_path: Path, values: dict[str, Any], label: int | None) -> None:
    lines = [{"image": data_uri(3), **values}, {"image": data_uri(8), "label": 8}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))

    import_from(tmp_path / "x.jsonl")

    assert labels() == ([8] if label is None else [label, 8])


def test_another_value_is_the_label(tmp_path: Path) -> None:
    lines = [{"image": data_uri(digit), "label": 9, "written": digit} for digit in (3, 8, 5, 0)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))

    assert "add --label-column written" in refused_import(tmp_path / "x.jsonl")
    import_from(tmp_path / "x.jsonl", "--label-column", "written")
    assert labels() == [3, 8, 5, 0]


# Several annotators -----------------------------------------------------------------------------


def history(row: Prediction) -> list[tuple[int | None, int | None, str | None]]:
    events = LabelEvent.objects.filter(prediction=row, via=Via.IMPORT).order_by("pk")
    return [(e.old, e.new, e.by.username if e.by else None) for e in events]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("votes.json", [3, 7, 5]),
        ("tie.json", [None, 7]),
        ("min-list.json", [None, 7]),
        ("ground-truth.json", [3]),
    ],
)
def test_the_majority_or_unlabelled_for_review(name: str, expected: list[int | None]) -> None:
    printed = import_from(CASES / "annotators" / name)

    assert labels() == expected
    assert ("have no label: their annotators don't agree" in printed) == (None in expected)
    unlabelled = Prediction.objects.unlabelled()
    assert not unlabelled.exclude(labelled_by=None, labelled_at=None, audit_key=None).exists()


def test_each_annotation_is_in_the_history(tmp_path: Path, user: User, reviewer: User) -> None:
    task = {
        "data": {"image": data_uri(3)},
        "annotations": [
            annotation("3", completed_by={"username": user.username}),
            annotation("8", completed_by={"email": "nobody@example.com"}),
            annotation("3", completed_by=4, created_at="2026-01-02T03:04:05Z"),
        ],
    }
    tie = {"data": {"image": data_uri(8)}, "annotations": [annotation("8"), annotation("3")]}
    (tmp_path / "x.json").write_text(json.dumps([task, tie]))

    import_from(tmp_path / "x.json", "--by", reviewer.username)

    three, eight = Prediction.objects.order_by("created_at")
    assert (three.label, three.labelled_by) == (3, reviewer)
    assert history(three) == [
        (None, 3, user.username), (None, 8, None), (None, 3, None), (None, 3, reviewer.username),
    ]  # fmt: skip
    assert eight.label is None
    assert history(eight) == [(None, 8, None), (None, 3, None)]


def test_the_only_annotator_with_an_account_is_the_labeller(tmp_path: Path, user: User) -> None:
    task = {
        "data": {"image": data_uri(3)},
        "annotations": [annotation("3", completed_by={"username": user.username})],
    }
    (tmp_path / "x.json").write_text(json.dumps([task]))

    import_from(tmp_path / "x.json")

    row = Prediction.objects.get()
    assert (row.label, row.labelled_by) == (3, user)
    assert history(row) == [(None, 3, None)]


def test_rows_of_one_image_are_votes(tmp_path: Path) -> None:
    """JSON-MIN has an object for each annotation."""
    rows = [
        {"id": 1, "image": data_uri(3), "digit": label, "annotation_id": number}
        for number, label in enumerate(("8", "3", "3"))
    ]
    (tmp_path / "x.json").write_text(json.dumps([*rows, {"image": data_uri(5), "digit": "5"}]))

    import_from(tmp_path / "x.json")

    assert labels() == [3, 5]


def test_tasks_of_ours_that_annotators_do_not_agree_on_keep_their_drawing(tmp_path: Path) -> None:
    row = store(3)
    export_to(tmp_path / "tasks.json", "--include-unlabelled")
    (task,) = json.loads((tmp_path / "tasks.json").read_bytes())
    task |= {"id": 1, "annotations": [annotation("3"), annotation("8")]}
    (tmp_path / "done.json").write_text(json.dumps([task]))

    printed = import_from(tmp_path / "done.json")

    assert "Skipped 1: already stored." in printed
    assert [each.pk for each in Prediction.objects.all()] == [row.pk]


# Export in parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tasks", "tasks.zip"])
def test_tasks_are_exported_in_parts(tmp_path: Path, name: str) -> None:
    rows = [store(digit, label=digit) for digit in range(5)]
    store(7)

    printed = export_to(tmp_path / name, "--tasks-per-file", 2, "--include-unlabelled")

    assert "Exported 6 drawings" in printed
    assert "5 digits, 0 not a digit, 1 without a label" in printed
    if name == "tasks":
        parts = sorted(path.name for path in (tmp_path / name).iterdir())
        assert parts == ["tasks-0001.json", "tasks-0002.json", "tasks-0003.json"]
        sizes = [len(json.loads((tmp_path / name / part).read_bytes())) for part in parts]
        assert sizes == [2, 2, 2]
    Prediction.objects.all().delete()

    assert "Imported 5 drawings" in import_from(tmp_path / name)
    assert {*Prediction.objects.values_list("pk", flat=True)} == {row.pk for row in rows}


def test_a_part_alone_is_complete(tmp_path: Path) -> None:
    for digit in range(5):
        store(digit, label=digit)
    export_to(tmp_path / "tasks", "--tasks-per-file", 3)
    Prediction.objects.all().delete()

    assert "Imported 2 drawings" in import_from(tmp_path / "tasks" / "tasks-0002.json")
    assert labels() == [3, 4]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tasks.json", ("--tasks-per-file", 2)),
        ("tasks", ("--tasks-per-file", 2, "--format", "png")),
        ("tasks", ("--tasks-per-file", 0)),
    ],
)
def test_parts_need_a_folder_or_zip_file(
    tmp_path: Path, name: str, options: tuple[object, ...]
) -> None:
    store(3, label=3)

    with pytest.raises(CommandError, match="--tasks-per-file"):
        export_to(tmp_path / name, *options)


def test_parts_never_replace_a_folder(tmp_path: Path) -> None:
    store(3, label=3)
    export_to(tmp_path / "tasks", "--tasks-per-file", 2)

    with pytest.raises(CommandError, match="folder with other files"):
        export_to(tmp_path / "tasks", "--tasks-per-file", 2, "--force")


def test_other_json_in_a_folder_of_images_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "a.png").write_bytes(drawing(3))
    (tmp_path / "info.json").write_text('{"name": "my digits", "data": "none"}')
    (tmp_path / "broken.json").write_text("[{")

    import_from(tmp_path)

    assert labels() == [3]
