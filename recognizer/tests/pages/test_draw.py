"""The page without a browser: what the server writes, and the form that needs no JavaScript."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views import defaults
from pytest_django import DjangoAssertNumQueries, Settings

from recognizer.models import Prediction, Verdict
from recognizer.tests.support.reviewing import make_prediction
from recognizer.text import answers as answer_text


def _picture(data: bytes, name: str = "digit.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def _texts(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="texts" type="application/json">(.*?)</script>', page)
    assert found is not None
    texts: dict[str, Any] = json.loads(found[1])
    return texts


@pytest.mark.django_db
def test_it_shows_the_page_to_a_new_visitor_without_starting_a_session(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "sessionid" not in response.cookies
    assert response["Cache-Control"] == "private, no-cache"
    assert "script-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.django_db
def test_it_writes_nothing_that_the_content_security_policy_blocks(client: Client) -> None:
    page = client.get("/").content.decode()
    assert not re.search(r"\sstyle=|\son\w+=|<style", page)
    inline = [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag]
    assert inline == ['<script id="texts" type="application/json">']


@pytest.mark.django_db
def test_it_offers_a_form_without_javascript(client: Client) -> None:
    page = client.get("/").content.decode()
    assert re.search(r"<noscript>\s*<p class=\"notice\">Drawing needs JavaScript", page)
    assert re.search(r"<noscript><link rel=\"stylesheet\" href=\"[^\"]*noscript", page)


@pytest.mark.django_db
def test_it_preloads_every_module_that_the_page_imports(client: Client) -> None:
    page = client.get("/").content.decode()
    preloaded = set(re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page))
    static = Path(django_settings.BASE_DIR) / "static"
    imported = set()
    for path in [static / "recognizer/draw/main.js", *(static / name for name in preloaded)]:
        for name in re.findall(r'^(?:import|\} from).*"(\.[^"]+\.js)";$', path.read_text(), re.M):
            imported.add(str((path.parent / name).resolve().relative_to(static)))
    assert len(imported) > 10
    assert imported == preloaded


@pytest.mark.django_db
def test_it_answers_a_picture_and_shows_it_after_a_redirect(
    client: Client, draw_digit: Any
) -> None:
    response = client.post("/", {"image": _picture(draw_digit(6)), "source": "upload"})
    prediction = Prediction.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/?prediction={prediction.pk}#answer"
    assert prediction.source == "upload"
    page = client.get(response["Location"]).content.decode()
    assert '<p class="answer-digit" data-slot="digit">6</p>' in page
    assert page.count('<li class="entry"') == 2  # The drawing, and the template for new ones.


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({}, 400, "Choose a picture first."),
        ({"image": _picture(b"nonsense")}, 400, "This is not an image."),
    ],
)
def test_it_rejects_files_that_are_not_pictures_with_a_message(
    client: Client, data: dict[str, Any], status: int, sentence: str
) -> None:
    response = client.post("/", data)
    assert response.status_code == status
    assert sentence in response.content.decode()
    assert Prediction.objects.count() == 0


@pytest.mark.django_db
def test_it_refuses_a_picture_that_is_too_large_without_reading_it(client: Client) -> None:
    response = client.post("/", {"image": _picture(bytes(13 * 2**20))})
    assert response.status_code == 413
    assert "at most 8 MB" in response.content.decode()


@pytest.mark.django_db
def test_it_throttles_the_form_as_it_does_the_api(
    client: Client, settings: Settings, draw_digit: Any
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "1/min"},
    }
    assert client.post("/", {"image": _picture(draw_digit(1))}).status_code == 302
    response = client.post("/", {"image": _picture(draw_digit(1))})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


@pytest.mark.django_db
def test_it_rejects_a_form_from_another_site() -> None:
    response = Client(enforce_csrf_checks=True).post("/", {"image": _picture(b"x")})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_rejects_other_methods(client: Client, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405


@pytest.mark.django_db
def test_it_does_not_show_another_visitors_answer(client: Client, draw_digit: Any) -> None:
    location = client.post("/", {"image": _picture(draw_digit(6))})["Location"]
    assert client.get(location).status_code == 200
    stranger = Client()
    assert stranger.get(location).status_code == 404
    assert '<li class="entry"' in client.get("/").content.decode()
    assert stranger.get("/").content.decode().count('<li class="entry"') == 1


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["prediction=1", "prediction=", "cursor=zzz", "cursor=cD1u"])
def test_it_has_no_page_for_a_malformed_address(client: Client, query: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


@pytest.mark.django_db
def test_many_drawings_take_no_more_queries_than_one(
    client: Client, draw_digit: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        client.post("/", {"image": _picture(draw_digit(1))})
    # What is remembered and whether it is, and a page of the history.
    with django_assert_num_queries(3):
        client.get("/")


@pytest.mark.django_db
def test_it_links_to_the_admin_for_staff_only(client: Client, user: User, reviewer: User) -> None:
    client.force_login(user)
    assert "/admin/" not in client.get("/").content.decode()
    client.force_login(reviewer)
    assert "/admin/" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("confidence", "percent", "word"),
    [
        (1.0, "over 99.9\u00a0%", "Sure"),
        (0.9995, "over 99.9\u00a0%", "Sure"),
        (0.9994, "99.9\u00a0%", "Sure"),
        (0.95, "95.0\u00a0%", "Sure"),
        (0.949, "94.9\u00a0%", "Fairly sure"),
        (0.5, "50.0\u00a0%", "A guess"),
    ],
)
def test_confidence_has_words(confidence: float, percent: str, word: str) -> None:
    assert answer_text.confidence_percent(confidence) == percent
    assert answer_text.confidence_word(Verdict.DIGIT, confidence) == word


@pytest.mark.parametrize(
    ("verdict", "word"), [(Verdict.NOT_A_DIGIT, "Unsure"), (Verdict.UNCERTAIN, "Unsure")]
)
def test_an_uncertain_verdict_is_never_called_sure(verdict: Verdict, word: str) -> None:
    assert answer_text.confidence_word(verdict, 0.99) == word


def _shares(**shares: float) -> list[float]:
    """Return ten probabilities: those given as d4=0.6, the rest shared alike."""
    given = {int(name[1:]): share for name, share in shares.items()}
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


@pytest.mark.parametrize(
    ("verdict", "digit", "shares", "sentence"),
    [
        ("digit", 7, _shares(d7=0.99), "That looks like a 7."),
        ("digit", 8, _shares(d8=0.99), "That looks like an 8."),
        ("uncertain", 4, _shares(d4=0.6, d9=0.38), "Maybe a 4. It could also be a 9."),
        ("uncertain", 8, _shares(d8=0.6, d3=0.1), "Maybe an 8. It could also be a 3."),
        ("uncertain", 3, _shares(d3=0.5, d8=0.49), "Maybe a 3. It could also be an 8."),
        ("uncertain", 4, _shares(d4=0.8, d9=0.09), "Maybe a 4."),
        (
            "not_a_digit",
            8,
            _shares(d8=0.6, d3=0.39),
            "That doesn't look like a single digit.",
        ),
    ],
)
@pytest.mark.django_db
def test_the_page_describes_the_verdict_in_simple_words(
    client: Client, user: User, verdict: str, digit: int, shares: list[float], sentence: str
) -> None:
    client.force_login(user)
    row = make_prediction(
        digit, verdict=verdict, confidence=shares[digit], probabilities=shares, user=user
    )
    page = html.unescape(client.get(f"/?prediction={row.pk}").content.decode())
    assert f'<p class="answer-sentence" data-slot="sentence">{sentence}</p>' in page
    # A screen reader says the title of a page that has just been loaded.
    assert f"<title>{sentence} · Draw a digit · DigitSite</title>" in page


@pytest.mark.django_db
def test_a_rejected_drawing_shows_no_confidence(client: Client, user: User) -> None:
    client.force_login(user)
    row = make_prediction(8, verdict="not_a_digit", confidence=0.998, user=user)
    page = client.get(f"/?prediction={row.pk}").content.decode()
    shown = page[page.index('id="answer"') : page.index('<script id="texts"')]
    assert '<p class="answer-digit" data-slot="digit">?</p>' in shown
    assert "No digit matches well" in shown
    assert "not a digit" in shown
    assert "%" not in shown
    assert set(re.findall(r'<rect class="bar-fill" width="([^"]+)"', shown)) == {"0"}


@pytest.mark.django_db
def test_any_other_answer_shows_its_figures(client: Client, user: User) -> None:
    client.force_login(user)
    row = make_prediction(4, verdict="uncertain", confidence=0.55, user=user)
    page = client.get(f"/?prediction={row.pk}").content.decode()
    assert page.count("55.0\u00a0%") == 3  # The answer, its bar, and the history.
    assert 'width="55.00"' in page
    assert "How likely is each digit?" in page


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_neither_database_nor_context(name: str) -> None:
    # No django_db mark: a query would fail the test.
    page = render_to_string(f"{name}.html")
    assert 'href="/"' in page
    assert "<h1>" in page


def test_a_crash_shows_the_error_page() -> None:
    response = defaults.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()


def test_collected_modules_import_each_other_by_hashed_names(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    # Our own files: compressing those of the admin and of the API's documentation takes long.
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "digitsite.staticfiles.HashedWhenCollected"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    for entry in ("draw", "admin/review", "admin/grid"):
        (main,) = (tmp_path / "recognizer" / entry).glob("main.????????????.js")
        imports = re.findall(r'^import .* from "([^"]+)";$', main.read_text(), re.M)
        assert imports
        for name in imports:
            assert re.search(r"\.[0-9a-f]{12}\.js$", name)
            assert (main.parent / name).is_file()


def test_a_browser_that_shows_json_finds_the_icon(client: Client) -> None:
    response = client.get("/favicon.ico")

    assert (response.status_code, response["Location"]) == (302, "/static/img/favicon.svg")
    assert finders.find("img/favicon.svg")


def test_the_browser_gets_every_sentence_it_needs() -> None:
    page = render_to_string(
        "recognizer/draw/page.html",
        {
            "texts": answer_text.page_texts(),
            "bars": answer_text.no_bars(),
        },
    )
    texts = _texts(page)
    declared = (Path(django_settings.BASE_DIR) / "static/recognizer/draw/types.js").read_text()
    block = declared[declared.index("@typedef {object} Texts") :]
    assert set(re.findall(r"@property \{.*\} (\w+)$", block, re.M)) == set(texts)
