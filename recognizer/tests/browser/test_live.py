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
from recognizer.tests.browser.desk import Desk
from recognizer.text.answers import answer_words

PREVIEW = "**/api/v1/preview/"
pytestmark = pytest.mark.django_db


def test_it_guesses_while_somebody_draws_and_keeps_nothing(desk: Desk) -> None:
    desk.draw(7)

    desk.expect_answer(7)
    expect(desk.answer).to_have_attribute("data-live", "")
    expect(desk.answer.locator("[data-slot=seen]")).to_be_visible()
    expect(desk.page.locator("#feedback")).to_be_hidden()
    expect(desk.status).to_be_empty()
    assert not Prediction.objects.exists()


def test_predict_keeps_what_was_guessed(desk: Desk) -> None:
    desk.draw(7)
    desk.expect_answer(7)

    desk.predict.click()

    expect(desk.entries).to_have_count(1)
    expect(desk.answer).not_to_have_attribute("data-live", "")
    expect(desk.page.locator("#feedback")).to_be_visible()
    assert Prediction.objects.get().digit == 7


def test_it_follows_undo(desk: Desk) -> None:
    desk.drag([desk.at(0.5, 0.2), desk.at(0.5, 0.8)])
    desk.expect_answer(1)
    desk.drag([desk.at(0.1, 0.1), desk.at(0.9, 0.9), desk.at(0.1, 0.9), desk.at(0.9, 0.1)])
    expect(desk.answer).to_have_attribute("data-verdict", "not_a_digit")

    desk.page.keyboard.press("Control+z")

    desk.expect_answer(1)
    expect(desk.answer).to_have_attribute("data-verdict", "digit")


def test_switched_off_it_asks_nothing_and_stays_off(desk: Desk) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.get_by_label("Guess while I draw").uncheck()
    expect(desk.answer).to_contain_text("Off. Press Predict for an answer.")

    desk.draw(7)
    desk.page.reload()
    desk.page.wait_for_selector("html[data-ready]")
    desk.draw(7)
    desk.page.wait_for_timeout(300)

    expect(desk.page.get_by_label("Guess while I draw")).not_to_be_checked()
    assert not [url for url in asked if "preview" in url]


def test_a_slow_server_is_never_asked_twice_at_once(desk: Desk) -> None:
    """Each new stroke calls the question before it off."""
    unanswered: set[str] = set()
    most = 0

    def asked(request: Request) -> None:
        nonlocal most
        if "preview" in request.url:
            unanswered.add(str(id(request)))
            most = max(most, len(unanswered))

    desk.page.on("request", asked)
    desk.page.on("requestfailed", lambda request: unanswered.discard(str(id(request))))
    # Never answered.
    desk.page.route(PREVIEW, lambda route: None)
    for number in range(5):
        desk.drag([desk.at(0.2, 0.1 + number / 10), desk.at(0.8, 0.1 + number / 10)])
        desk.page.wait_for_timeout(150)

    assert most == 1
    desk.page.unroute(PREVIEW)


def _refuse(status: int, headers: dict[str, str] | None = None) -> Callable[[Route], None]:
    body = {"type": "client_error", "errors": [{"code": "throttled", "detail": "Slow down."}]}

    def handle(route: Route) -> None:
        route.fulfill(status=status, headers=headers or {}, body=json.dumps(body))

    return handle


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_makes_it_pause_and_predict_still_works(
    desk: Desk, complaints: list[str], status: int
) -> None:
    asked: list[int] = []

    def handle(route: Route) -> None:
        asked.append(status)
        _refuse(status, {"Retry-After": "60"})(route)

    desk.page.route(PREVIEW, handle)
    desk.draw(7)
    expect(desk.answer).to_contain_text("The site is busy. Live guesses are paused.")
    for _ in range(3):
        desk.page.keyboard.press("Control+z")
        desk.page.keyboard.press("Control+y")
    desk.page.wait_for_timeout(300)
    assert len(asked) == 1

    desk.predict.click()
    desk.expect_answer(7)
    expect(desk.entries).to_have_count(1)
    complaints[:] = [text for text in complaints if str(status) not in text]


def test_its_own_limit_leaves_drawings_alone(
    desk: Desk, complaints: list[str], settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": None, "user": None, "preview": "1/min"},
    }
    desk.drag([desk.at(0.5, 0.2), desk.at(0.5, 0.8)])
    desk.expect_answer(1)
    desk.drag([desk.at(0.3, 0.8), desk.at(0.7, 0.8)])
    expect(desk.answer).to_contain_text("The site is busy")

    desk.predict.click()

    expect(desk.entries).to_have_count(1)
    complaints[:] = [text for text in complaints if "429" not in text]


def test_what_a_guess_says_is_personal_too(desk: Desk) -> None:
    desk.draw(7)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)
    desk.page.keyboard.press("3")
    expect(desk.page.locator("#feedback")).to_contain_text("Thank you.")
    desk.clear.click()

    desk.draw(7)

    desk.expect_answer(3)
    assert Prediction.objects.count() == 1


def test_a_close_second_guess_is_named(desk: Desk) -> None:
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

    desk.page.route(PREVIEW, handle)
    desk.draw(7)

    expect(desk.answer).to_contain_text("Second guess: a 1, 20.0\u00a0%.")
