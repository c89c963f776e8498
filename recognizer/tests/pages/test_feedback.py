"""Corrections and the switches of personal learning without JavaScript: forms over HTTP."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from recognizer.models import Label, MemorySwitchedOff, Prediction, RememberedDrawing
from recognizer.tests.support import drawings
from recognizer.tests.support.reviewing import make_prediction
from recognizer.text import answers as answer_text

pytestmark = pytest.mark.django_db

AT_ONCE = "Used for your drawings from now on."


def _send(client: Client, png: bytes) -> Prediction:
    """Send a picture by the page's form; return what is kept of it."""
    picture = SimpleUploadedFile("digit.png", png, content_type="image/png")
    location = client.post("/", {"image": picture, "source": "upload"})["Location"]
    return Prediction.objects.get(pk=location.split("prediction=")[1].split("#")[0])


def _say(client: Client, row: Prediction, **choice: str) -> Any:
    return client.post(f"/predictions/{row.pk}/suggestion/", choice)


def _page(client: Client, address: str = "/") -> str:
    return html.unescape(client.get(address).content.decode())


def _shown(page: str, name: str) -> str:
    """Return the text of a part of the page, without its tags; the answer's part comes first."""
    start = page.index(f'data-slot="{name}"')
    return re.split(r"</p>|</span>", page[start:])[0].split(">", 1)[1]


def _pressed(page: str) -> list[str]:
    """Return the names and values of the buttons that are pressed below the answer."""
    form = page[page.index('id="feedback"') : page.index('id="answer-keys"')]
    buttons = re.findall(r'<button[^>]*name="(\w+)" value="(\w+)" aria-pressed="true"', form)
    return [f"{name}={value}" for name, value in buttons]


@pytest.fixture
def four(client: Client) -> Prediction:
    """Return the first drawing of `client`'s visitor: a 4 as a cross."""
    row = _send(client, drawings.cross_png())
    assert row.verdict == "not_a_digit"
    return row


def test_the_answer_has_feedback_buttons(client: Client, draw_digit: Any) -> None:
    row = _send(client, draw_digit(3))
    page = _page(client, f"/?prediction={row.pk}")
    form = page[page.index('<form class="feedback"') : page.index('id="personal"')]
    assert f'action="/predictions/{row.pk}/suggestion/"' in form
    assert "What did you draw?" in form
    assert ">Correct</button>" in form
    names = re.findall(r'<button[^>]*name="(\w+)" value="(\w+)"', form)
    digits = [("digit", str(digit)) for digit in range(10)]
    assert names == [
        *digits,
        ("digit", "3"),
        ("not_a_digit", "true"),
        ("take_back", "true"),
    ]
    assert _pressed(page) == []


def test_a_correction_is_stored_and_thanked_for(client: Client, four: Prediction) -> None:
    response = _say(client, four, digit="4")
    assert response.status_code == 302
    assert response["Location"] == f"/?prediction={four.pk}&said=1#feedback"
    four.refresh_from_db()
    assert four.suggestion == 4
    assert four.label is None
    page = _page(client, response["Location"])
    thanks = f"Thank you. You said: a 4. {AT_ONCE}"
    assert _shown(page, "thanks") == thanks
    # A screen reader says the title of a page that has just been loaded.
    assert f"<title>{thanks} · Draw a digit" in page
    assert _pressed(page) == ["digit=4"]
    assert _shown(page, "memory-count") == "Drawings learned from: 1"


def test_an_earlier_correction_is_shown_without_thanks(client: Client, four: Prediction) -> None:
    _say(client, four, digit="8")
    page = _page(client, f"/?prediction={four.pk}")
    assert _shown(page, "thanks") == "You said: an 8."
    assert "Thank you. You said" not in page[: page.index('<script id="texts"')]


def test_correct_confirms_the_answer(client: Client, draw_digit: Any) -> None:
    row = _send(client, draw_digit(3))
    page = _page(client, _say(client, row, digit="3")["Location"])
    assert _pressed(page) == ["digit=3", "digit=3"]
    assert _shown(page, "said") == "You: correct"


def test_correct_for_a_rejected_drawing_confirms_not_a_digit(
    client: Client, four: Prediction
) -> None:
    page = _page(client, f"/?prediction={four.pk}")
    # "Right, no digit" and "Not a digit" are one button.
    assert re.search(r'data-slot="right"[^>]* hidden', page)
    assert page.count('name="not_a_digit" value="true" aria-pressed="false" data-answered') == 1
    page = _page(client, _say(client, four, not_a_digit="true")["Location"])
    assert "Thank you. You said: not a digit." in _shown(page, "thanks")
    assert Prediction.objects.get().suggestion == Label.NOT_A_DIGIT


def test_a_correction_can_be_changed_and_undone(client: Client, four: Prediction) -> None:
    _say(client, four, digit="7")
    page = _page(client, _say(client, four, digit="4")["Location"])
    assert _pressed(page) == ["digit=4"]
    assert RememberedDrawing.objects.get().label == 4
    page = _page(client, _say(client, four, take_back="true")["Location"])
    assert _pressed(page) == []
    assert _shown(page, "thanks") == ("Your answer has been removed. The drawing is still saved.")
    assert Prediction.objects.get().suggestion is None
    assert RememberedDrawing.objects.count() == 0


@pytest.mark.parametrize(
    "choice",
    [{}, {"digit": ""}, {"digit": "10"}, {"digit": "-1"}, {"digit": "٣"}, {"not_a_digit": "false"}],
)
def test_a_form_without_a_choice_is_rejected_with_a_message(
    client: Client, four: Prediction, choice: dict[str, str]
) -> None:
    response = _say(client, four, **choice)
    assert response.status_code == 400
    page = response.content.decode()
    assert _shown(page, "feedback-error") == "Choose what the drawing shows."
    assert f'action="/predictions/{four.pk}/suggestion/"' in page
    assert Prediction.objects.get().suggestion is None


def test_only_own_drawings_can_be_corrected(client: Client, four: Prediction) -> None:
    stranger = Client()
    assert _say(stranger, four, digit="7").status_code == 404
    assert _say(stranger, four, take_back="true").status_code == 404
    assert _say(stranger, four).status_code == 404
    address = "/predictions/00000000-0000-4000-8000-000000000000/suggestion/"
    assert client.post(address, {"digit": "7"}).status_code == 404
    assert Prediction.objects.get().suggestion is None


@pytest.mark.parametrize("address", ["/predictions/{pk}/suggestion/", "/memory/"])
def test_the_forms_require_a_post_from_this_site(
    client: Client, four: Prediction, address: str
) -> None:
    address = address.format(pk=four.pk)
    assert client.get(address).status_code == 405
    wary = Client(enforce_csrf_checks=True)
    wary.cookies = client.cookies
    assert wary.post(address, {"digit": "4", "memory": "off"}).status_code == 403
    assert Prediction.objects.get().suggestion is None
    assert MemorySwitchedOff.objects.count() == 0


def test_the_forms_are_throttled_as_the_api_is(
    client: Client, four: Prediction, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "1/min"},
    }
    assert _say(client, four, digit="4").status_code == 302
    for response, slot in [
        (_say(client, four, digit="5"), "feedback-error"),
        (client.post("/memory/", {"memory": "forget"}), "memory-error"),
    ]:
        assert response.status_code == 429
        assert int(response["Retry-After"]) > 0
        assert "Too many requests." in _shown(response.content.decode(), slot)
    assert Prediction.objects.get().suggestion == 4
    assert RememberedDrawing.objects.count() == 1


def test_a_user_corrects_the_drawings_of_their_account(client: Client, user: User) -> None:
    client.force_login(user)
    row = make_prediction(3, user=user)
    assert _say(client, row, digit="8").status_code == 302
    row.refresh_from_db()
    assert row.suggestion == 8


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({}, ""),
        ({"suggestion": 3}, "You: correct"),
        ({"suggestion": 8}, "You: 8"),
        ({"suggestion": 10}, "You: not a digit"),
        ({"suggestion": 10, "verdict": "not_a_digit"}, "You: correct"),
        ({"suggestion": 3, "verdict": "not_a_digit"}, "You: 3"),
    ],
)
def test_the_history_shows_corrections_and_links_to_where_they_can_be_changed(
    client: Client, user: User, fields: dict[str, Any], note: str
) -> None:
    client.force_login(user)
    row = make_prediction(3, user=user, **fields)
    page = _page(client)
    entry = page[page.index('<li class="entry"') :]
    assert _shown(entry, "said") == note
    assert f'href="/?prediction={row.pk}#feedback"' in entry


# What is learned --------------------------------------------------------------------------------


def test_a_corrected_drawing_is_recognised_the_next_time(client: Client, four: Prediction) -> None:
    _say(client, four, digit="4")
    again = _send(client, drawings.cross_png(lean=0.03))
    assert again.verdict == "not_a_digit"
    page = _page(client, f"/?prediction={again.pk}")
    assert '<p class="answer-digit" data-slot="digit">4</p>' in page
    personal = page[page.index('id="personal"') : page.index('class="answer-details"')]
    assert "From your corrections." in personal
    assert (
        _shown(personal, "personal-why")
        == "Your answer for a similar drawing: a 4. Without your corrections: not a digit."
    )
    pictures = re.findall(r'src="([^"]+)"', personal)
    assert pictures == [f"/api/v1/predictions/{four.pk}/image/"]
    assert client.get(pictures[0]).status_code == 200
    # The correction can be undone there.
    assert f'action="/predictions/{four.pk}/suggestion/"' in personal
    # Its bars, and its place in the history, are the answer's and not the network's.
    assert '<li class="bar bar--best">\n        <span class="bar-digit">4</span>' in page
    assert 'data-digit="4" data-verdict="digit"' in page
    assert _shown(page[page.index('<li class="entry"') :], "note") == "from your corrections"


def test_another_visitor_gets_the_networks_answer(client: Client, four: Prediction) -> None:
    _say(client, four, digit="4")
    stranger = Client()
    other = _send(stranger, drawings.cross_png())
    page = _page(stranger, f"/?prediction={other.pk}")
    assert "That doesn't look like a single digit." in page
    assert re.search(r'id="personal"[^>]* hidden>', page)


def test_personal_learning_can_be_turned_off_and_on(client: Client, four: Prediction) -> None:
    _say(client, four, digit="4")
    page = _page(client)
    assert re.search(r'name="memory" value="off"[^>]*>Turn off personal learning<', page)
    response = client.post("/memory/", {"memory": "off"})
    assert response["Location"] == "/#memory"
    page = _page(client)
    assert "Personal learning is off" in _shown(page, "memory-state")
    assert re.search(r'name="memory" value="on"[^>]*>Turn on personal learning<', page)
    again = _send(client, drawings.cross_png())
    assert not again.is_personal
    # Honest about what becomes of it now.
    page = _page(client, _say(client, again, digit="4")["Location"])
    assert "The model learns it after a review." in _shown(page, "thanks")
    assert _shown(page, "memory-count") == "Drawings learned from: 1"
    client.post("/memory/", {"memory": "on"})
    assert _send(client, drawings.cross_png()).is_personal


def test_remembered_drawings_can_be_forgotten(client: Client, four: Prediction) -> None:
    assert re.search(r'data-slot="forget" hidden>', _page(client))
    _say(client, four, digit="4")
    page = _page(client)
    assert re.search(r'data-slot="forget">', page)
    assert "This can't be undone." in page
    assert client.post("/memory/", {"memory": "forget"})["Location"] == "/#memory"
    assert _shown(_page(client), "memory-count") == "Drawings learned from: 0"
    assert not _send(client, drawings.cross_png()).is_personal
    # What was said stays for the reviewer.
    assert Prediction.objects.get(pk=four.pk).suggestion == 4


def test_a_new_visitor_can_turn_personal_learning_off_first(client: Client) -> None:
    assert client.post("/memory/", {"memory": "off"}).status_code == 302
    assert "Personal learning is off" in _shown(_page(client), "memory-state")


def test_a_form_without_a_choice_is_refused_with_a_sentence(client: Client) -> None:
    response = client.post("/memory/", {"memory": "everything"})
    assert response.status_code == 400
    assert _shown(response.content.decode(), "memory-error") == "Press one of the buttons."


def test_a_personal_answer_costs_the_page_no_query_more(
    client: Client, four: Prediction, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _say(client, four, digit="4")
    again = _send(client, drawings.cross_png())
    assert again.is_personal
    for row in (four, again):
        # The answer, its public link, what is remembered and whether it is, a page of the history.
        with django_assert_num_queries(5):
            client.get(f"/?prediction={row.pk}")


def test_the_browser_gets_every_sentence_of_the_feedback() -> None:
    declared = (Path(django_settings.BASE_DIR) / "static/recognizer/draw/types.js").read_text()
    block = declared[declared.index("@typedef {object} FeedbackTexts") :].split("*/")[0]
    names = set(re.findall(r"@property \{.*\} (\w+)$", block, re.M))
    assert names == set(answer_text.page_texts()["feedback"])
