"""The site learns from one visitor at once: seen in a browser, with the real model."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from recognizer.models import Prediction, RememberedDrawing
from recognizer.tests.browser.draw_page import DrawPage, send_picture
from recognizer.tests.support import drawings


def _draw_cross(draw_page: DrawPage, *, lean: float = 0.0) -> None:
    """Draw a 4 as a cross, which the model refuses, and wait for the answer."""
    draw_page.page.evaluate("scrollTo(0, 0)")
    draw_page.clear.click()
    entries = draw_page.entries.count()
    for stroke in drawings.CROSS:
        draw_page.drag([draw_page.at(x + lean * (0.5 - y), y) for x, y in stroke])
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(entries + 1)
    expect(draw_page.answer).to_have_attribute("aria-busy", "false")


def _personal(draw_page: DrawPage) -> Locator:
    return draw_page.page.locator("#personal")


def _memory(page: Page) -> Locator:
    return page.get_by_role("region", name="Personal learning")


def _expect_refused(draw_page: DrawPage) -> None:
    expect(draw_page.sentence).to_contain_text("That doesn't look like a single digit.")
    expect(_personal(draw_page)).to_be_hidden()


def test_a_correction_is_learned_at_once(draw_page: DrawPage) -> None:
    _draw_cross(draw_page)
    _expect_refused(draw_page)
    first = Prediction.objects.get()
    draw_page.page.keyboard.press("4")
    expect(draw_page.status).to_contain_text("Thank you. You said: a 4.")
    expect(_memory(draw_page.page)).to_contain_text("Drawings learned from: 1")

    # The next one like it is a 4; the page says why, and shows which drawing decided.
    _draw_cross(draw_page, lean=0.03)
    draw_page.expect_answer(4)
    expect(_personal(draw_page)).to_contain_text("From your corrections.")
    expect(_personal(draw_page)).to_contain_text("Without your corrections: not a digit.")
    expect(draw_page.status).to_contain_text("That looks like a 4.")
    expect(draw_page.status).to_contain_text("From your corrections.")
    second = Prediction.objects.exclude(pk=first.pk).get()
    picture = _personal(draw_page).get_by_role("img", name="The earlier drawing it looks like")
    assert str(first.pk) in str(picture.get_attribute("src"))
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 512
    expect(draw_page.entries.first).to_contain_text("from your corrections")
    assert (second.verdict, second.personal_digit) == ("not_a_digit", 4)

    # Off: the network's answer again. On: the visitor's own.
    _memory(draw_page.page).get_by_role("button", name="Turn off personal learning").click()
    expect(draw_page.status).to_contain_text("Personal learning is off: your corrections")
    _draw_cross(draw_page, lean=-0.03)
    _expect_refused(draw_page)
    _memory(draw_page.page).get_by_role("button", name="Turn on personal learning").click()
    _draw_cross(draw_page, lean=0.05)
    draw_page.expect_answer(4)
    expect(_personal(draw_page)).to_be_visible()

    # Forgotten: in two steps, of which the first does nothing.
    _memory(draw_page.page).get_by_text("Reset…").click()
    assert RememberedDrawing.objects.count() == 1
    _memory(draw_page.page).get_by_role(
        "button", name="Reset personal learning", exact=True
    ).click()
    expect(_memory(draw_page.page)).to_contain_text("Drawings learned from: 0")
    expect(draw_page.status).to_have_text("Personal learning has been reset.")
    expect(_memory(draw_page.page).get_by_role("heading")).to_be_focused()
    expect(_memory(draw_page.page).get_by_text("Reset…")).to_be_hidden()
    assert RememberedDrawing.objects.count() == 0
    _draw_cross(draw_page)
    _expect_refused(draw_page)


def test_another_visitor_gets_the_networks_answer(draw_page: DrawPage, open_draw_page: Any) -> None:
    _draw_cross(draw_page)
    draw_page.page.keyboard.press("4")
    expect(draw_page.status).to_contain_text("Thank you.")
    stranger = open_draw_page()
    _draw_cross(stranger)
    _expect_refused(stranger)
    expect(_memory(stranger.page)).to_contain_text("Drawings learned from: 0")


def test_the_note_on_personal_learning_disappears_with_its_answer(draw_page: DrawPage) -> None:
    _draw_cross(draw_page)
    draw_page.page.keyboard.press("4")
    expect(draw_page.status).to_contain_text("Thank you.")
    _draw_cross(draw_page)
    expect(_personal(draw_page)).to_be_visible()
    draw_page.clear.click()
    expect(_personal(draw_page)).to_be_hidden()
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    expect(_personal(draw_page)).to_be_hidden()


def test_a_personal_answer_fits_a_phone_with_large_text(open_draw_page: Any) -> None:
    draw_page = open_draw_page(viewport={"width": 320, "height": 800}, color_scheme="dark")
    draw_page.page.evaluate("document.documentElement.style.fontSize = '200%'")
    _draw_cross(draw_page)
    draw_page.page.keyboard.press("4")
    expect(draw_page.status).to_contain_text("Thank you.")
    _draw_cross(draw_page)
    expect(_personal(draw_page)).to_be_visible()
    _memory(draw_page.page).get_by_text("Reset…").click()
    assert draw_page.has_no_sideways_scroll()


def test_a_switch_that_fails_says_so_and_can_be_pressed_again(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    off = _memory(draw_page.page).get_by_role("button", name="Turn off personal learning")
    draw_page.page.context.set_offline(True)
    off.click()
    expect(_memory(draw_page.page).get_by_role("alert")).to_contain_text("Can't reach the site.")
    draw_page.page.context.set_offline(False)
    off.click()
    on = _memory(draw_page.page).get_by_role("button", name="Turn on personal learning")
    expect(on).to_be_visible()
    expect(_memory(draw_page.page).locator("[data-slot=memory-error]")).to_be_empty()
    # It holds after a reload.
    expect(_memory(draw_page.open().page)).to_contain_text("Personal learning is off")
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_the_memory_can_be_used_with_the_keyboard_alone(draw_page: DrawPage) -> None:
    _draw_cross(draw_page)
    draw_page.page.keyboard.press("4")
    expect(_memory(draw_page.page)).to_contain_text("Drawings learned from: 1")
    _memory(draw_page.page).get_by_role("button", name="Turn off personal learning").focus()
    for _ in range(2):
        draw_page.page.keyboard.press("Tab")
        draw_page.page.keyboard.press("Enter")
    expect(_memory(draw_page.page)).to_contain_text("Drawings learned from: 0")


def test_without_javascript_the_site_learns_just_as_well(browser: Any, live_server: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page: Page = context.new_page()
    page.goto(live_server.url)
    send_picture(page, drawings.cross_png())
    form = page.get_by_role("form", name="What did you draw?")
    form.get_by_role("button", name="4", exact=True).click()
    expect(form).to_contain_text("Thank you. You said: a 4.")
    four = form.get_by_role("button", name="4", exact=True)
    expect(four).to_have_attribute("aria-pressed", "true")

    send_picture(page, drawings.cross_png(lean=0.03))
    expect(page.locator("#answer [data-slot=digit]")).to_have_text("4")
    expect(page.locator("#personal")).to_contain_text("From your corrections.")

    # The history leads to an earlier drawing, where it can be changed.
    page.locator("#history .entry").nth(1).get_by_role("link").click()
    expect(form).to_contain_text("You said: a 4.")
    form.get_by_role("button", name="Not a digit", exact=True).click()
    expect(form).to_contain_text("Thank you. You said: not a digit.")
    form.get_by_role("button", name="Undo my answer").click()
    expect(form).to_contain_text("Your answer has been removed.")
    expect(_memory(page)).to_contain_text("Drawings learned from: 0")

    form.get_by_role("button", name="4", exact=True).click()
    _memory(page).get_by_role("button", name="Turn off personal learning").click()
    expect(_memory(page)).to_contain_text("Personal learning is off")
    _memory(page).get_by_text("Reset…").click()
    _memory(page).get_by_role("button", name="Reset personal learning", exact=True).click()
    expect(_memory(page)).to_contain_text("Drawings learned from: 0")
    context.close()
