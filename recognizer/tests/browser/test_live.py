"""The live guess: after each stroke, without keeping anything, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect
from pytest_django import Settings

from recognizer.models import Prediction
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.text.answers import answer_words

PREVIEW = "**/api/v1/preview/"
pytestmark = pytest.mark.django_db


def test_it_guesses_while_a_visitor_draws_and_stores_nothing(draw_page: DrawPage) -> None:
    draw_page.draw(7)

    draw_page.expect_answer(7)
    expect(draw_page.answer).to_have_attribute("data-live", "")
    expect(draw_page.answer.locator("[data-slot=seen]")).to_be_visible()
    expect(draw_page.page.locator("#feedback")).to_contain_text("Nothing is saved until you press")
    expect(draw_page.status).to_be_empty()
    assert not Prediction.objects.exists()


def test_save_stores_the_drawing(draw_page: DrawPage) -> None:
    draw_page.draw(7)
    draw_page.expect_answer(7)

    draw_page.save.click()

    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.answer).not_to_have_attribute("data-live", "")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Saved.")
    assert Prediction.objects.get().digit == 7


def test_it_follows_undo(draw_page: DrawPage) -> None:
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    draw_page.expect_answer(1)
    draw_page.drag(
        [
            draw_page.at(0.1, 0.1),
            draw_page.at(0.9, 0.9),
            draw_page.at(0.1, 0.9),
            draw_page.at(0.9, 0.1),
        ]
    )
    expect(draw_page.answer).to_have_attribute("data-verdict", "not_a_digit")

    draw_page.page.keyboard.press("Control+z")

    draw_page.expect_answer(1)
    expect(draw_page.answer).to_have_attribute("data-verdict", "digit")


def test_turned_off_it_sends_nothing_and_stays_off(draw_page: DrawPage) -> None:
    asked: list[str] = []
    draw_page.page.on("request", lambda request: asked.append(request.url))
    draw_page.page.get_by_label("Guess while I draw").uncheck()
    expect(draw_page.answer).to_contain_text("Off. Press Save for an answer.")

    draw_page.draw(7)
    draw_page.page.reload()
    draw_page.page.wait_for_selector("html[data-ready]")
    draw_page.draw(7)
    draw_page.page.wait_for_timeout(300)

    expect(draw_page.page.get_by_label("Guess while I draw")).not_to_be_checked()
    assert not [url for url in asked if "preview" in url]


def test_a_slow_server_gets_one_request_at_a_time(draw_page: DrawPage) -> None:
    """Each new stroke calls the question before it off."""
    unanswered: set[str] = set()
    most = 0

    def asked(request: Request) -> None:
        nonlocal most
        if "preview" in request.url:
            unanswered.add(str(id(request)))
            most = max(most, len(unanswered))

    draw_page.page.on("request", asked)
    draw_page.page.on("requestfailed", lambda request: unanswered.discard(str(id(request))))
    # Never answered.
    draw_page.page.route(PREVIEW, lambda route: None)
    for number in range(5):
        draw_page.drag([draw_page.at(0.2, 0.1 + number / 10), draw_page.at(0.8, 0.1 + number / 10)])
        draw_page.page.wait_for_timeout(150)

    assert most == 1
    draw_page.page.unroute(PREVIEW)


def _refuse(status: int, headers: dict[str, str] | None = None) -> Callable[[Route], None]:
    body = {"type": "client_error", "errors": [{"code": "throttled", "detail": "Slow down."}]}

    def handle(route: Route) -> None:
        route.fulfill(status=status, headers=headers or {}, body=json.dumps(body))

    return handle


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_makes_it_pause_and_saving_still_works(
    draw_page: DrawPage, complaints: list[str], status: int
) -> None:
    asked: list[int] = []

    def handle(route: Route) -> None:
        asked.append(status)
        _refuse(status, {"Retry-After": "60"})(route)

    draw_page.page.route(PREVIEW, handle)
    draw_page.draw(7)
    expect(draw_page.answer).to_contain_text("Live guesses are paused: press Save for an answer.")
    for _ in range(3):
        draw_page.page.keyboard.press("Control+z")
        draw_page.page.keyboard.press("Control+y")
    draw_page.page.wait_for_timeout(300)
    assert len(asked) == 1

    draw_page.save.click()
    draw_page.expect_answer(7)
    expect(draw_page.entries).to_have_count(1)
    complaints[:] = [text for text in complaints if str(status) not in text]


def test_its_rate_limit_does_not_affect_drawings(
    draw_page: DrawPage, complaints: list[str], settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": None, "user": None, "preview": "1/min"},
    }
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    draw_page.expect_answer(1)
    draw_page.drag([draw_page.at(0.3, 0.8), draw_page.at(0.7, 0.8)])
    expect(draw_page.answer).to_contain_text("The site is busy")

    draw_page.save.click()

    expect(draw_page.entries).to_have_count(1)
    complaints[:] = [text for text in complaints if "429" not in text]


def test_guesses_use_personal_learning_too(draw_page: DrawPage) -> None:
    draw_page.draw(7)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    draw_page.page.keyboard.press("3")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Thank you.")
    draw_page.draw(7)

    draw_page.expect_answer(3)
    assert Prediction.objects.count() == 1


def test_a_close_second_guess_is_named(draw_page: DrawPage) -> None:
    def handle(route: Route) -> None:
        answer = route.fetch().json()
        given: Any = {
            "digit": 7,
            "confidence": 0.8,
            "probabilities": [0, 0.2, 0, 0, 0, 0, 0, 0.8, 0, 0],
            "verdict": "digit",
        }
        answer.update(given, words=asdict(answer_words(**given)))
        route.fulfill(body=json.dumps(answer), content_type="application/json")

    draw_page.page.route(PREVIEW, handle)
    draw_page.draw(7)

    expect(draw_page.answer).to_contain_text("Second guess: a 1, 20.0\u00a0%.")
