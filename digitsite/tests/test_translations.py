"""The site in each of its languages: whole catalogues, and pages that speak the visitor's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polib
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.translation import to_locale
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.insights import PAGE as INSIGHTS
from recognizer.tests.support.insights import store, words
from recognizer.tests.support.reviewing import LIST, make_prediction, make_version
from training.evaluation import gate

LANGUAGES = [code for code, _name in settings.LANGUAGES if not code.startswith("en")]
# What the texts stand in, and the programs that Django's makemessages runs to find them.
SOURCES = ("benchmarks", "digitsite", "recognizer", "templates", "training")
GETTEXT = ("xgettext", "msguniq", "msgmerge", "msgattrib")

PREDICTIONS = "/api/v1/predictions/"
NO_BREAK = "\u00a0"
# Attributes of an SVG, or of a meter, that hold numbers and are spoilt by a decimal comma.
NUMERIC = re.compile(r"x|y|[xyr][12]?|c[xy]|d[xy]|width|height|opacity|fill-opacity|value|max|min")
NUMBER = re.compile(r"-?\d+(\.\d+)?(%|r?em)?")


def catalogue(code: str, ending: str = "po") -> Path:
    return Path(settings.LOCALE_PATHS[0], to_locale(code), "LC_MESSAGES", f"django.{ending}")


def messages(file: polib.POFile | polib.MOFile) -> dict[tuple[str | None, str], tuple[str, ...]]:
    """Each message, by context and text, with its translation in each plural form."""
    return {
        (entry.msgctxt, entry.msgid): tuple(
            form for _n, form in sorted(entry.msgstr_plural.items())
        )
        or (entry.msgstr,)
        for entry in file
    }


def marks(text: str) -> list[str]:
    """What a translation has to keep: placeholders and tags."""
    return sorted(re.findall(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|<[^>]+>", text))


# The catalogues -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_is_translated(code: str) -> None:
    file = polib.pofile(str(catalogue(code)))

    assert file.metadata["Language"] == to_locale(code)
    assert not file.metadata_is_fuzzy
    assert [entry.msgid for entry in file.untranslated_entries()] == []
    assert [entry.msgid for entry in file.fuzzy_entries()] == []
    assert file.obsolete_entries() == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(code: str) -> None:
    written, compiled = polib.pofile(str(catalogue(code))), polib.mofile(str(catalogue(code, "mo")))

    assert messages(compiled) == messages(written)
    # When the texts were last extracted is of no use to who is served.
    del written.metadata["POT-Creation-Date"]
    assert compiled.metadata == written.metadata


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_keep_placeholders_and_tags(code: str) -> None:
    for entry in polib.pofile(str(catalogue(code))):
        if not entry.msgid_plural:
            assert marks(entry.msgstr) == marks(entry.msgid), entry.msgid
            continue
        for form in entry.msgstr_plural.values():
            # Where there is one of it, a text may name the number instead of filling it in.
            assert marks(form) in (marks(entry.msgid), marks(entry.msgid_plural)), entry.msgid


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_keep_spaces_that_do_not_break(code: str) -> None:
    for entry in polib.pofile(str(catalogue(code))):
        if NO_BREAK in entry.msgid:
            assert NO_BREAK in entry.msgstr, entry.msgid


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_is_written_with_an_escape(code: str) -> None:
    """Python reads \\u00a0 as one character, xgettext as six: such a text is never found."""
    escaped = [
        entry.msgid
        for entry in polib.pofile(str(catalogue(code)))
        if re.search(r"\\[uUxN]", entry.msgid)
    ]

    assert escaped == []


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """All messages of the code, found in a copy of it."""
    missing = [program for program in GETTEXT if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} of GNU gettext not found")
    folder = tmp_path_factory.mktemp("sources")

    def unread(directory: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            if not (name.endswith((".py", ".html")) or Path(directory, name).is_dir())
            or name == "__pycache__"
        }

    for name in SOURCES:
        shutil.copytree(settings.BASE_DIR / name, folder / name, ignore=unread)
    (folder / "locale").mkdir()
    environment = {
        name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
    }
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "xx", "--no-wrap"],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    return polib.pofile(str(folder / "locale" / "xx" / "LC_MESSAGES" / "django.po"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_catalogue_holds_the_texts_of_the_code_and_no_others(
    code: str, extracted: polib.POFile
) -> None:
    written = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in extracted}
    known = {
        (entry.msgctxt, entry.msgid, entry.msgid_plural)
        for entry in polib.pofile(str(catalogue(code)))
    }

    # Otherwise: django-admin makemessages -l de --no-obsolete --no-wrap, translate, msgfmt.
    assert sorted(map(str, written - known)) == []
    assert sorted(map(str, known - written)) == []


# The pages ------------------------------------------------------------------------------------


@pytest.fixture
def german(client: Client) -> Client:
    """A browser whose owner reads German."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de-AT,de;q=0.9,en;q=0.5"
    return client


def page(client: Client, address: str, **fields: Any) -> str:
    response = client.get(address, **fields)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
def test_a_german_visitor_sees_german(german: Client) -> None:
    shown = page(german, "/")

    assert '<html lang="de"' in shown
    assert "Zeichne eine Ziffer" in words(shown)
    assert "Draw a digit" not in shown


@pytest.mark.django_db
def test_a_visitor_may_choose_another_language_and_go_back(german: Client) -> None:
    for code, title in (("en-gb", "Draw a digit"), ("de", "Zeichne eine Ziffer")):
        response = german.post("/language/", {"language": code, "next": "/about/"})

        assert response.status_code == 302
        assert response["Location"] == "/about/"
        assert f'<html lang="{code}"' in page(german, "/about/")
        assert title in words(page(german, "/"))


@pytest.mark.django_db
def test_every_language_has_its_own_name(german: Client) -> None:
    shown = page(german, "/")

    for code, name in settings.LANGUAGES:
        assert re.search(rf'<button [^>]*value="{code}" lang="{code}"[^>]*>{name}</button>', shown)


@pytest.mark.django_db
def test_figures_about_the_model_have_decimal_commas(german: Client) -> None:
    shown = words(page(german, "/about/"))

    assert re.search(r"MNIST .*\d\d,\d\d\u00a0%", shown)
    assert not re.search(r"\d\.\d+\u00a0%", shown)


@pytest.mark.django_db
def test_an_answer_is_a_german_sentence(german: Client, draw_digit: DrawDigit) -> None:
    file = SimpleUploadedFile("acht.png", draw_digit(8), "image/png")

    answer = words(german.post("/", {"image": file}, follow=True).content.decode())

    assert "Das sieht aus wie eine 8." in answer
    assert re.search(r"Sicher (über 99,9|9\d,\d)\u00a0%", answer)
    assert "Modell: " in answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("image", "code", "detail"),
    [
        (b"", "empty_image", "Die Datei ist leer."),
        (b"no image", "not_an_image", "Das ist kein Bild."),
        (b"x" * (imaging.MAX_BYTES + 1), "image_too_large", "Die Datei ist zu groß: höchstens 8"),
        (None, "required", "Sende die Zeichnung im Feld image oder ihre Striche in strokes."),
    ],
)
def test_errors_of_the_api_are_in_the_callers_language_and_their_codes_are_not(
    api: APIClient,
    data_url: Callable[[bytes], str],
    image: bytes | None,
    code: str,
    detail: str,
) -> None:
    body = {} if image is None else {"image": data_url(image)}
    errors = {}
    for language in ("en-gb", "de"):
        response = api.post(PREDICTIONS, body, format="json", HTTP_ACCEPT_LANGUAGE=language)
        errors[language] = response.json()["errors"][0]

    assert errors["de"]["code"] == errors["en-gb"]["code"] == code
    assert errors["de"]["detail"].startswith(detail)
    assert errors["en-gb"]["detail"] != errors["de"]["detail"]


def test_the_schema_is_in_the_one_language_that_its_docstrings_are_in(client: Client) -> None:
    english = page(client, "/api/schema/")

    assert page(client, "/api/schema/", HTTP_ACCEPT_LANGUAGE="de") == english
    assert "Of the digits 0 to 9" in english


# The admin ------------------------------------------------------------------------------------


def svgs_of(markup: str) -> Iterator[str]:
    """The outermost SVGs of a page."""
    depth, start = 0, 0
    for tag in re.finditer(r"<svg\b|</svg>", markup):
        if tag[0] == "<svg":
            start = start if depth else tag.start()
            depth += 1
        else:
            depth -= 1
            if not depth:
                yield markup[start : tag.end()]
    assert depth == 0


def assert_numbers_are_numbers(markup: str) -> int:
    """Check every number of the SVGs and meters of a page; return how many SVGs there are."""
    svgs = list(svgs_of(markup))
    meters = [f"{tag}/>" for tag in re.findall(r"<(?:meter|progress)\b[^>]*(?=>)", markup)]
    for part in [*svgs, *meters]:
        for element in ElementTree.fromstring(part.replace("xlink:", "")).iter():
            for name, value in element.attrib.items():
                if NUMERIC.fullmatch(name):
                    assert NUMBER.fullmatch(value), (element.tag, name, value)
                if name in ("viewBox", "transform", "points", "d"):
                    assert not re.search(r"\d,\d", value), (element.tag, name, value)
    return len(svgs)


@pytest.mark.django_db
def test_the_insights_are_german_and_their_charts_well_formed(
    german: Client, reviewing: Client
) -> None:
    store(94, 3, 3, confidence=0.987, suggestion=3)
    store(7, 3, 8, confidence=0.61, verdict="uncertain", suggestion=8)
    store(9, 8, 10, verdict="not_a_digit")

    markup = page(reviewing, INSIGHTS + "?version=all")
    shown = words(markup)

    assert '<html lang="de"' in markup
    assert "93,6\u00a0% 87,4 bis 96,9\u00a0%, von 110 in der Stichprobe geprüften" in shown
    assert "Prozentpunkte" in shown
    assert assert_numbers_are_numbers(markup) > 6
    assert not re.search(r"\d\.\d+\u00a0%", shown)


@pytest.mark.django_db
def test_pages_for_reviewers_are_german_and_their_numbers_stay_numbers(
    german: Client, reviewing: Client
) -> None:
    row = make_prediction(3, confidence=0.923)
    addresses = {
        f"{LIST}review/": "Warteschlange",
        f"{LIST}grid/?digit=3&page={uuid.uuid4().hex}": "Zeichnung 1, als 3 erkannt, 92,3\u00a0%",
        LIST: "92,3\u00a0%",
        f"{LIST}{row.pk}/change/": "Wahrscheinlichkeit jeder Ziffer",
    }

    for address, expected in addresses.items():
        markup = page(reviewing, address)
        assert expected in words(markup)
        assert_numbers_are_numbers(markup)


@pytest.mark.django_db
def test_the_review_describes_a_drawing_in_german(german: Client, reviewing: Client) -> None:
    noon = timezone.now().replace(2026, 3, 5, 12, 30)
    make_prediction(3, created_at=noon)

    found = reviewing.post(
        f"{LIST}review/next/",
        {"order": "newest", "digit": None, "have": [], "wanted": 1, "page": str(uuid.uuid4())},
        content_type="application/json",
    ).json()

    assert found["drawings"][0]["drawn"] == "5. Mär 2026, 12:30"
    assert found["drawings"][0]["percent"] == "90,0\u00a0%"


@pytest.mark.django_db
def test_a_stored_gate_result_is_shown_in_german(german: Client, admin_client: Client) -> None:
    right = np.arange(100) >= 3
    decision = gate.decide({"pen": right}, {"pen": right})
    version = make_version("judged", card={"gate": decision.to_json()})
    address = f"/admin/recognizer/modelversion/{version.pk}/change/"

    assert "Mistakes in total: 3, active model 3" in words(page(admin_client, address))
    shown = words(page(admin_client, address, HTTP_ACCEPT_LANGUAGE="de"))
    assert "Fehler insgesamt: 3, aktives Modell 3." in shown
    assert "97,00\u00a0% (3)" in shown
