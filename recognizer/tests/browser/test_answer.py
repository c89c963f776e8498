"""From a drawing to its answer, and what is said when there is none."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings

from recognizer.models import Prediction, Verdict
from recognizer.tests.browser.draw_page import DrawPage, send_picture
from recognizer.text import answers as answer_text
from recognizer.text import numbers

API = "**/api/v1/predictions/"


@pytest.mark.parametrize("digit", range(10))
def test_a_drawn_digit_is_recognised_and_stored(draw_page: DrawPage, digit: int) -> None:
    draw_page.draw(digit, seed=1)
    draw_page.save.click()
    draw_page.expect_answer(digit)
    prediction = Prediction.objects.get()
    assert prediction.digit == digit
    assert prediction.source == "canvas"
    assert prediction.user is None
    assert bytes(prediction.image)[:8] == b"\x89PNG\r\n\x1a\n"
    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.entries.first.locator("[data-slot=digit]")).to_have_text(str(digit))


def test_the_answer_says_how_sure_it_is_and_what_the_model_saw(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.page.keyboard.press("Enter")
    draw_page.expect_answer(3)
    prediction = Prediction.objects.select_related("model_version").get()
    answer = draw_page.answer
    expect(answer.locator("[data-slot=word]")).to_have_text(
        re.compile("^(Sure|Fairly sure|A guess)$")
    )
    expect(answer.locator("[data-slot=percent]")).to_have_text(re.compile(r"\d\d\.\d\s%$"))
    expect(answer.locator("[data-slot=model]")).to_have_text(prediction.model_version.name)
    for digit, share in enumerate(prediction.probabilities):
        expect(draw_page.bar(digit)).to_contain_text(numbers.short_percent(share))
    seen = answer.get_by_alt_text("The drawing as 28 by 28 pixels")
    expect(seen).to_be_visible()
    expect(seen).to_have_js_property("complete", True)
    assert seen.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [28, 28]


def test_the_answer_is_announced_once(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.status).to_have_text(re.compile(r"3\..*%\.$"))
    assert draw_page.status.get_attribute("role") == "status"


def test_a_rejected_drawing_is_described_in_plain_words(draw_page: DrawPage) -> None:
    shares = [0.4, 0, 0, 0.05, 0, 0, 0, 0, 0.55, 0]

    def body(verdict: Verdict) -> dict[str, Any]:
        answer = {"digit": 8, "confidence": 0.55, "verdict": verdict.value}
        words = answer_text.answer_words(
            digit=8, confidence=0.55, probabilities=shares, verdict=verdict.value
        )
        return {
            **answer,
            "id": "00000000-0000-4000-8000-000000000000",
            "probabilities": shares,
            "personal": False,
            "network": answer,
            "remembered_id": None,
            "remembered_image_url": None,
            "number": None,
            "parts": [],
            "model_version": "m",
            "source": "canvas",
            "suggested_digit": None,
            "suggested_not_a_digit": False,
            "words": asdict(words),
            # Any image will do; a wrong scheme must not matter.
            "image_url": f"https://{draw_page.url.split('//')[1]}/static/img/favicon.svg",
            "model_input_url": "/static/img/favicon.svg",
            "created_at": "2026-01-01T00:00:00Z",
        }

    verdict = Verdict.NOT_A_DIGIT
    draw_page.page.route(API, lambda route: route.fulfill(status=201, json=body(verdict)))
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.sentence).to_have_text("That doesn't look like a single digit.")
    expect(draw_page.status).to_have_text("That doesn't look like a single digit.")
    # No digit stands for it, large or small, and what to do is said.
    expect(draw_page.digit).to_have_text("?")
    expect(draw_page.answer.locator("[data-slot=second]")).to_have_text(
        "Draw one digit, or say what it is."
    )
    expect(draw_page.answer.locator(".bar--best")).to_have_count(0)
    expect(draw_page.entries.first).to_have_text(re.compile(r"^\?\s*not a digit\s*$"))
    # No figure and no bar that looks sure.
    expect(draw_page.answer.get_by_role("list", name="No digit matches well")).to_be_visible()
    expect(draw_page.answer).not_to_contain_text("%")
    expect(draw_page.bar(8).locator("rect")).to_have_attribute("width", "0.00")

    verdict = Verdict.UNCERTAIN
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.sentence).to_have_text("Maybe an 8. It could also be a 0.")
    expect(draw_page.status).to_have_text(
        "Maybe an 8. It could also be a 0. Unsure, 55.0\u00a0%.", use_inner_text=True
    )
    expect(draw_page.answer.get_by_role("list", name="How likely is each digit?")).to_be_visible()
    expect(draw_page.bar(8)).to_contain_text("55.0")


def _said(draw_page: DrawPage) -> dict[str, Any]:
    """Return all that the page says of its answer and of the newest drawing in the history."""
    slots = ("digit", "sentence", "word", "percent", "second", "bars-heading", "model")
    said: dict[str, Any] = {
        name: draw_page.answer.locator(f"[data-slot={name}]").text_content() for name in slots
    }
    said["bars"] = [draw_page.bar(digit).text_content() for digit in range(10)]
    said["widths"] = [
        float(draw_page.bar(digit).locator("rect").get_attribute("width") or "")
        for digit in range(10)
    ]
    said["feedback"] = draw_page.page.locator("#feedback [data-slot=thanks]").text_content()
    said["entry"] = draw_page.entries.first.text_content()
    said["opened"] = draw_page.entries.first.get_attribute("data-sentence")
    return said


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_the_page_says_the_same_with_and_without_javascript(
    open_draw_page: Any, locale: str
) -> None:
    draw_page = open_draw_page(locale=locale)
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    row = Prediction.objects.get()
    address = f"{draw_page.url}/api/v1/predictions/{row.pk}/"
    page = f"/?prediction={row.pk}"

    def ask_again() -> None:
        draw_page.open()
        draw_page.page.route(
            API,
            lambda route: route.fulfill(
                status=201, response=route.fetch(url=address, method="GET", post_data=b"")
            ),
        )
        draw_page.draw(3)
        draw_page.save.click()
        expect(draw_page.entries).to_have_count(2)
        expect(draw_page.answer).to_have_attribute("aria-busy", "false")

    close, far = {4: 0.6, 9: 0.4}, {8: 0.94, 3: 0.06}
    for verdict, shares, suggestion in (
        ("digit", {8: 0.9997, 3: 0.0003}, None),
        ("digit", close, 4),
        ("uncertain", far, 10),
        ("uncertain", {0: 0.5, 1: 0.1, 2: 0.4}, 1),
        ("not_a_digit", close, 10),
    ):
        digit = max(shares, key=lambda each: shares[each])
        Prediction.objects.update(
            digit=digit,
            confidence=shares[digit],
            probabilities=[shares.get(each, 0.0) for each in range(10)],
            verdict=verdict,
            suggestion=suggestion,
        )
        ask_again()
        here = _said(draw_page)
        assert here == _said(draw_page.open(page))

    form = draw_page.page.locator("#feedback")
    for button, outcome in (("[value='5']", "5"), ("[name=take_back]", "")):
        ask_again()
        form.locator(button).last.click()
        expect(form).to_have_attribute("data-state", "saved")
        here = _said(draw_page)
        assert outcome in str(here["feedback"])
        assert here["feedback"] == _said(draw_page.open(f"{page}&said=1"))["feedback"]


def test_an_empty_canvas_asks_for_a_drawing_and_sends_nothing(draw_page: DrawPage) -> None:
    requests: list[str] = []
    draw_page.page.on("request", lambda request: requests.append(request.url))
    draw_page.page.keyboard.press("Enter")
    expect(draw_page.message).to_have_text("The canvas is empty. Draw a digit first.")
    assert requests == []
    draw_page.draw(3)
    expect(draw_page.message).to_be_empty()


def test_a_second_click_on_the_same_drawing_stores_it_once(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.save.dblclick()
    draw_page.expect_answer(3)
    draw_page.save.click()
    draw_page.page.wait_for_timeout(200)
    assert Prediction.objects.count() == 1


def test_the_next_stroke_begins_a_new_drawing_and_undo_brings_the_last_one_back(
    draw_page: DrawPage,
) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    draw_page.page.keyboard.press("8")
    feedback = draw_page.page.locator("#feedback")
    expect(feedback).to_contain_text("You said: an 8.")
    ink = draw_page.ink()

    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    draw_page.expect_answer(1)
    assert draw_page.ink() < 0.7 * ink
    expect(draw_page.save).to_have_text("Save")
    expect(feedback.locator("[aria-pressed=true]")).to_have_count(0)

    draw_page.page.keyboard.press("Control+z")
    draw_page.expect_answer(3)
    assert draw_page.ink() == pytest.approx(ink, rel=0.02)
    expect(draw_page.save).to_have_text("Saved")
    expect(feedback).to_contain_text("You said: an 8.")
    assert Prediction.objects.count() == 1


def test_the_page_shows_that_it_is_busy_and_sends_one_request(draw_page: DrawPage) -> None:
    held: list[Route] = []
    draw_page.page.route(API, lambda route: held.append(route))
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.answer).to_have_attribute("aria-busy", "true")
    expect(draw_page.save).to_have_text("Saving…")
    expect(draw_page.save).to_have_attribute("aria-disabled", "true")
    draw_page.page.keyboard.press("Enter")
    draw_page.save.click(force=True)
    assert len(held) == 1
    held[0].continue_()
    draw_page.expect_answer(3)
    expect(draw_page.save).to_have_text("Saved")


def test_an_answer_to_a_cleared_drawing_is_only_in_the_history(draw_page: DrawPage) -> None:
    held: list[Route] = []
    draw_page.page.route(API, lambda route: held.append(route))
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.page.keyboard.press("Escape")
    held[0].continue_()
    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.digit).to_be_empty()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, json.dumps({"errors": [{"code": "error", "detail": "It broke."}]}), "It broke."),
        (500, "<h1>Internal Server Error</h1>", "Something went wrong on our side."),
        (502, "", "The site is temporarily unavailable."),
        (413, "<html>nginx</html>", "This picture is too large."),
        (403, "<html>CSRF</html>", "Reload the page"),
        (429, "", "Too many requests."),
        (200, "not JSON", "Something went wrong on our side."),
    ],
)  # fmt: skip
def test_an_error_says_what_happened_and_the_drawing_stays(
    draw_page: DrawPage, complaints: list[str], status: int, body: str, sentence: str
) -> None:
    draw_page.page.route(API, lambda route: route.fulfill(status=status, body=body))
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_kept(sentence)
    expect(draw_page.entries).to_have_count(0)
    draw_page.page.unroute(API)
    draw_page.save.click()
    draw_page.expect_answer(3)
    expect(draw_page.message).to_be_empty()
    complaints[:] = [text for text in complaints if "Failed to load resource" not in text]


def test_a_lost_connection_loses_no_drawing(draw_page: DrawPage, complaints: list[str]) -> None:
    draw_page.draw(3)
    draw_page.page.context.set_offline(True)
    draw_page.save.click()
    draw_page.expect_kept("Can't reach the site.")
    draw_page.page.context.set_offline(False)
    draw_page.page.keyboard.press("Enter")
    expect(draw_page.message).to_be_empty()
    draw_page.expect_answer(3)
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_the_servers_own_sentence_is_shown_when_it_throttles(
    draw_page: DrawPage, complaints: list[str], settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "1/min"},
    }
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    draw_page.clear.click()
    draw_page.draw(4)
    draw_page.save.click()
    draw_page.expect_kept("Too many requests.")
    complaints[:] = [text for text in complaints if "429" not in text]


def test_a_user_who_logged_in_in_another_tab_can_still_predict(
    draw_page: DrawPage, log_in: Any, user: User
) -> None:
    log_in(draw_page.page.context, user)
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    assert Prediction.objects.get().user == user


def test_the_picture_form_answers_without_leaving_the_page(
    draw_page: DrawPage, draw_digit: Any
) -> None:
    draw_page.draw(3)
    send_picture(draw_page.page, draw_digit(4))
    expect(draw_page.entries).to_have_count(1)
    draw_page.expect_answer(4)
    assert Prediction.objects.get().source == "upload"
    assert draw_page.ink() > 0.01
    draw_page.save.click()
    draw_page.expect_answer(3)


def test_a_file_that_is_not_a_picture_is_rejected_beside_the_form(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    send_picture(draw_page.page, b"not a picture")
    expect(draw_page.page.locator("#upload-message")).to_contain_text("This is not an image.")
    expect(draw_page.message).to_be_empty()
    complaints[:] = [text for text in complaints if "400" not in text]


@pytest.fixture
def plain_page(browser: Any, live_server: Any) -> Any:
    """Yield the page in a browser whose scripts are off."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url)
    yield page
    context.close()


def test_without_javascript_a_picture_is_recognised(plain_page: Page, draw_digit: Any) -> None:
    send_picture(plain_page, draw_digit(5))
    expect(plain_page.locator("#answer [data-slot=digit]")).to_have_text("5")
    expect(plain_page.locator("#history .entry")).to_have_count(1)
    # Reloading shows the answer again and sends nothing again.
    plain_page.reload()
    expect(plain_page.locator("#answer [data-slot=digit]")).to_have_text("5")
    assert Prediction.objects.count() == 1


def test_without_javascript_a_bad_file_is_rejected_with_a_message(plain_page: Page) -> None:
    send_picture(plain_page, b"not a picture")
    expect(plain_page.locator("#upload-message")).to_contain_text("This is not an image.")
    assert Prediction.objects.count() == 0
