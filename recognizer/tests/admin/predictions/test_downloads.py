"""Downloads from the admin: what is selected, and all that the list's filters and search leave."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import FileResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognizer.models import Prediction
from recognizer.tests.support.exporting import needs_pyarrow
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    make_prediction,
    make_staff,
    make_version,
)
from recognizer.tests.support.reviewing import prediction as unsaved
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, Format, FormatError

pytestmark = [pytest.mark.django_db, pytest.mark.store]

EACH_FORMAT = [
    pytest.param(format, marks=[needs_pyarrow] if format.package else [])
    for format in FORMATS.values()
]
ENDINGS = {
    FORMATS["npz"]: ".npz",
    FORMATS["png"]: ".zip",
    FORMATS["csv"]: "-csv.zip",
    FORMATS["idx"]: "-idx.zip",
    FORMATS["parquet"]: ".parquet",
    FORMATS["hugging-face"]: "-hugging-face.zip",
    FORMATS["label-studio"]: ".json",
    FORMATS["json-lines"]: ".jsonl",
}


@pytest.fixture
def seven() -> Prediction:
    """A one that was read as a seven."""
    return make_prediction(7, shown=1, label=1, confidence=0.6)


@pytest.fixture
def three() -> Prediction:
    return make_prediction(3, label=3)


@pytest.fixture
def scribble() -> Prediction:
    return make_prediction(8, label=NOT_A_DIGIT)


def post(client: Client, format: Format, *rows: Prediction, **more: Any) -> Any:
    """Run the action of a format on selected drawings."""
    action = f"export_{format.name.replace('-', '_')}"
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    return client.post(LIST, data, follow=True)


def content_of(response: Any) -> bytes:
    assert response.status_code == 200
    assert isinstance(response, FileResponse) or hasattr(response, "streaming_content")
    assert response["Content-Disposition"].startswith('attachment; filename="drawings-')
    return b"".join(response.streaming_content)


def files_in(content: bytes) -> dict[str, bytes]:
    """The files in a zip; of other content the whole. How a zip lists its files is left out."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {"": content}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def ids_in(content: bytes) -> set[str]:
    """The ids in an npz."""
    with np.load(io.BytesIO(content)) as data:
        return {*data["ids"].tolist(), *data["ids_not_a_digit"].tolist()}


def links_of(page: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]+/export/[^"]+)"', page)]


# What is selected -----------------------------------------------------------------------------


@pytest.mark.parametrize("format", EACH_FORMAT)
def test_an_action_for_each_format_sends_what_the_command_writes(
    tmp_path: Path,
    reviewing: Client,
    seven: Prediction,
    three: Prediction,
    scribble: Prediction,
    format: Format,
) -> None:
    name = f"x{ENDINGS[format]}"
    call_command("export_drawings", str(tmp_path / name), "--format", format.name)

    response = post(reviewing, format, seven, three, scribble)

    assert files_in(content_of(response)) == files_in((tmp_path / name).read_bytes())
    assert response["Content-Disposition"].endswith(f'{ENDINGS[format]}"')


def test_only_the_labelled_ones_of_the_selected_are_sent(
    reviewing: Client, seven: Prediction, three: Prediction, scribble: Prediction
) -> None:
    unlabelled = make_prediction(2)

    arrays = content_of(post(reviewing, FORMATS["npz"], three, scribble, unlabelled))
    images = content_of(post(reviewing, FORMATS["png"], seven, scribble))

    assert ids_in(arrays) == {str(three.pk), str(scribble.pk)}
    with zipfile.ZipFile(io.BytesIO(images)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            f"1/{seven.pk}.png",
            f"not_a_digit/{scribble.pk}.png",
            "manifest.json",
        }


def test_label_studio_gets_the_unlabelled_ones_too(reviewing: Client, three: Prediction) -> None:
    unlabelled = make_prediction(2)

    tasks = json.loads(content_of(post(reviewing, FORMATS["label-studio"], three, unlabelled)))

    assert [task["meta"]["id"] for task in tasks] == [str(three.pk), str(unlabelled.pk)]


def test_an_empty_export_shows_a_message(reviewing: Client) -> None:
    page = post(reviewing, FORMATS["npz"], make_prediction(2)).content.decode()

    assert "Nothing to export: no drawing with a label matches." in page


def test_a_damaged_drawing_is_named(reviewing: Client) -> None:
    row = make_prediction(2, label=2, image=b"damaged")

    page = unescape(post(reviewing, FORMATS["npz"], row).content.decode())

    assert f"Drawing {row.pk} can't be read" in page


@pytest.mark.parametrize("name", ["csv", "label-studio", "json-lines", "png"])
def test_a_download_begins_before_all_drawings_are_read(reviewing: Client, name: str) -> None:
    rows = [make_prediction(2, label=2) for _ in range(600)]
    whole = content_of(post(reviewing, FORMATS[name], *rows))

    with CaptureQueriesContext(connection):
        response = post(reviewing, FORMATS[name], *rows)
        first = next(iter(response.streaming_content))
        response.close()

    assert whole.startswith(first[:4])
    assert len(first) < len(whole) / 4


def test_a_drawing_that_is_damaged_ends_the_download_early(reviewing: Client) -> None:
    make_prediction(2, label=2)
    row = make_prediction(3, label=3, image=b"damaged")
    response: Any = reviewing.get(f"{LIST}export/csv/")
    pieces = iter(response.streaming_content)

    assert next(pieces).startswith(b"PK")
    with pytest.raises(FormatError, match=f"Drawing {row.pk} can't be read"):
        list(pieces)
    # Nothing of the interrupted export is left behind in this thread's connection.
    assert files_in(content_of(reviewing.get(f"{LIST}export/json-lines/")))


# All that the list shows ----------------------------------------------------------------------


def test_the_list_offers_downloads_in_every_format(
    reviewing: Client, seven: Prediction, three: Prediction
) -> None:
    page = reviewing.get(LIST, {"digit": "7", "p": "1"}).content.decode()

    links = links_of(page)
    assert [link.split("/")[-2] for link in links] == [
        format.name for format in exporting.available_formats()
    ]
    assert {link.partition("?")[2] for link in links} == {"digit=7"}
    assert ids_in(content_of(reviewing.get(links[0]))) == {str(seven.pk)}


@pytest.mark.parametrize("format", EACH_FORMAT)
def test_each_of_them_works(reviewing: Client, three: Prediction, format: Format) -> None:
    assert content_of(reviewing.get(f"{LIST}export/{format.name}/"))


def test_all_pages_are_exported_and_not_only_the_first(reviewing: Client) -> None:
    version = make_version()
    Prediction.objects.bulk_create(unsaved(3, label=3, model_version=version) for _ in range(120))
    make_prediction(4, label=4)

    found = ids_in(content_of(reviewing.get(f"{LIST}export/npz/?digit=3")))

    assert len(found) == 120


@pytest.mark.parametrize(
    "query",
    [
        "",
        "digit=7",
        "label=3",
        "label=10",
        "outcome=wrong",
        "verdict=uncertain",
        "confidence=50-80",
        "source=upload",
        "digit=7&outcome=right",
        "o=2.-1",
    ],
)
def test_it_respects_the_filters_of_the_list_exactly(
    reviewing: Client, seven: Prediction, three: Prediction, scribble: Prediction, query: str
) -> None:
    make_prediction(7, label=7)
    make_prediction(2, label=2, verdict="uncertain", confidence=0.5, source="upload")
    make_prediction(7)
    page = reviewing.get(f"{LIST}?{query}")
    shown = {str(row.pk) for row in page.context["cl"].queryset if row.label is not None}

    response = reviewing.get(f"{LIST}export/npz/?{query}", follow=True)

    if shown:
        assert ids_in(content_of(response)) == shown
    else:
        assert "Nothing to export" in response.content.decode()


def test_it_respects_the_search(reviewing: Client, seven: Prediction, three: Prediction) -> None:
    found = content_of(reviewing.get(f"{LIST}export/npz/", {"q": str(three.pk)[:8]}))

    assert ids_in(found) == {str(three.pk)}


def test_nothing_to_export_leads_back_to_the_same_list(
    reviewing: Client, seven: Prediction
) -> None:
    response = reviewing.get(f"{LIST}export/npz/?digit=4", follow=True)

    assert response.redirect_chain == [(f"{LIST}?digit=4", 302)]
    assert "Nothing to export" in response.content.decode()


def test_an_invalid_query_is_handled_as_in_the_list(reviewing: Client, seven: Prediction) -> None:
    assert reviewing.get(f"{LIST}export/npz/?digit=x").headers["Location"] == f"{LIST}?e=1"
    assert reviewing.get(f"{LIST}export/npz/?user__password=x").status_code == 400
    assert reviewing.get(f"{LIST}export/npz/?image=x").status_code == 400
    assert reviewing.get(f"{LIST}export/docx/").status_code == 404
    assert reviewing.post(f"{LIST}export/npz/").status_code == 405


def test_a_head_request_costs_no_export(reviewing: Client, seven: Prediction) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = reviewing.head(f"{LIST}export/npz/")

    assert (response.status_code, response.content) == (200, b"")
    assert not any('"recognizer_prediction"."image"' in query["sql"] for query in queries)


def test_parquet_is_not_offered_without_its_package(
    reviewing: Client, seven: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Format, "is_available", lambda format: not format.package)

    assert not any("parquet" in link for link in links_of(reviewing.get(LIST).content.decode()))
    assert reviewing.get(f"{LIST}export/parquet/").status_code == 404


# Who may --------------------------------------------------------------------------------------


def test_users_who_may_only_view_and_label_may_not_export(
    client: Client, seven: Prediction
) -> None:
    client.force_login(make_staff("labeller", "view_prediction", "label_prediction"))
    page = client.get(LIST).content.decode()
    action = {"action": "export_npz", "_selected_action": [str(seven.pk)], "select_across": "1"}

    assert not links_of(page)
    assert "export" not in page.lower()
    assert client.get(f"{LIST}export/npz/").status_code == 403
    assert not isinstance(client.post(LIST, action), FileResponse)


def test_users_with_the_permission_may_export(client: Client, seven: Prediction) -> None:
    client.force_login(make_staff("viewer", "view_prediction", "export_prediction"))

    assert links_of(client.get(LIST).content.decode())
    assert ids_in(content_of(client.get(f"{LIST}export/npz/"))) == {str(seven.pk)}


def test_other_users_may_not(client: Client, seven: Prediction, user: User) -> None:
    address = f"{LIST}export/npz/"
    assert "login" in client.get(address).headers["Location"]
    client.force_login(user)
    assert "login" in client.get(address).headers["Location"]
    client.force_login(make_staff("other"))
    assert client.get(address).status_code == 403


def test_an_export_costs_no_query_for_each_drawing(reviewing: Client) -> None:
    version = make_version()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            content_of(reviewing.get(f"{LIST}export/npz/"))
        return len(captured)

    make_prediction(3, label=3)
    few = queries()
    Prediction.objects.bulk_create(unsaved(3, label=3, model_version=version) for _ in range(450))
    assert queries() == few
