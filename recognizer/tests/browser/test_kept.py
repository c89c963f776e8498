"""Nothing drawn is lost: reloads, lost connections, two tabs; and what is deleted is gone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from recognizer.labelling import labels
from recognizer.models import Prediction
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support.drawings import DrawDigit

PREDICTIONS = "**/api/v1/predictions/"
pytestmark = pytest.mark.django_db


def test_a_drawing_survives_a_reload(draw_page: DrawPage) -> None:
    draw_page.draw(4)
    ink = draw_page.ink()

    draw_page.page.reload()
    draw_page.page.wait_for_selector("html[data-ready]")

    assert draw_page.ink() == pytest.approx(ink, rel=0.02)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4


def test_an_answered_drawing_is_not_restored(draw_page: DrawPage) -> None:
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)

    draw_page.page.reload()
    draw_page.page.wait_for_selector("html[data-ready]")

    assert draw_page.ink() == 0


def test_two_tabs_keep_separate_drawings(draw_page: DrawPage) -> None:
    other = DrawPage(draw_page.page.context.new_page(), draw_page.url).open()
    draw_page.draw(4)
    other.draw(7)

    for tab in (draw_page, other):
        tab.page.reload()
        tab.page.wait_for_selector("html[data-ready]")
    other.save.click()
    expect(other.entries).to_have_count(1)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)

    assert sorted(Prediction.objects.values_list("digit", flat=True)) == [4, 7]


def test_an_unsent_drawing_is_sent_when_the_network_is_back(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    draw_page.page.get_by_label("Guess while I draw").uncheck()
    draw_page.draw(4)
    draw_page.page.context.set_offline(True)
    draw_page.save.click()
    expect(draw_page.message).to_contain_text(
        "It will be sent automatically when the site can be reached again."
    )

    draw_page.page.context.set_offline(False)

    draw_page.expect_answer(4)
    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.message).to_be_empty()
    assert Prediction.objects.count() == 1
    complaints.clear()


def test_a_drawing_that_waits_is_sent_after_the_page_was_left(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    draw_page.page.get_by_label("Guess while I draw").uncheck()
    draw_page.page.route(PREDICTIONS, lambda route: route.abort())
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.message).to_contain_text("It will be sent automatically")
    draw_page.clear.click()
    draw_page.page.unroute(PREDICTIONS)

    draw_page.page.reload()

    expect(draw_page.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4
    complaints.clear()


def test_a_drawing_whose_response_was_lost_is_stored_once(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    draw_page.page.get_by_label("Guess while I draw").uncheck()
    # The visitor is known already.
    draw_page.draw(1)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    draw_page.clear.click()

    def lose_the_answer(route: Any) -> None:
        route.fetch()
        route.abort()

    draw_page.page.route(PREDICTIONS, lose_the_answer)
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.message).to_contain_text("It will be sent automatically")
    assert Prediction.objects.count() == 2
    draw_page.page.unroute(PREDICTIONS)

    draw_page.save.click()

    draw_page.expect_answer(4)
    assert Prediction.objects.count() == 2
    complaints.clear()


# A picture ----------------------------------------------------------------------------------------


def test_a_picture_is_shown_with_its_crop_before_it_is_sent(
    draw_page: DrawPage, draw_digit: DrawDigit
) -> None:
    png = draw_digit(4, size=0.3, centre=(196, 84))
    draw_page.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": png}
    )

    expect(draw_page.page.locator("[data-slot=picture-caption]")).to_have_text(
        "Only the framed part is used."
    )
    frame = draw_page.page.locator("[data-slot=picture-box]").bounding_box()
    whole = draw_page.page.locator("[data-slot=picture-image]").bounding_box()
    assert frame is not None
    assert whole is not None
    middle_x = (frame["x"] + frame["width"] / 2 - whole["x"]) / whole["width"]
    middle_y = (frame["y"] + frame["height"] / 2 - whole["y"]) / whole["height"]
    assert [middle_x, middle_y] == pytest.approx([0.7, 0.3], abs=0.05)
    draw_page.expect_answer(4)
    assert not Prediction.objects.exists()

    draw_page.page.get_by_role("button", name="Recognise picture").click()

    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.page.locator("[data-slot=picture]")).to_be_hidden()
    assert Prediction.objects.get().source == "upload"


def test_a_picture_can_be_removed(draw_page: DrawPage, draw_digit: DrawDigit) -> None:
    draw_page.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": draw_digit(4)}
    )
    draw_page.page.get_by_role("button", name="Remove").click()

    expect(draw_page.page.locator("[data-slot=picture]")).to_be_hidden()
    assert draw_page.page.locator("#upload-image").input_value() == ""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(
    draw_page: DrawPage, draw_digit: DrawDigit, way: str
) -> None:
    draw_page.page.evaluate(
        """([bytes, way]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "four.png", { type: "image/png" }));
            const event = way === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", {
                    clipboardData: data, bubbles: true, cancelable: true,
                });
            document.getElementById("canvas").dispatchEvent(event);
        }""",
        [list(draw_digit(4)), way],
    )

    expect(draw_page.page.locator("[data-slot=picture-caption]")).to_have_text(
        "Only the framed part is used."
    )
    draw_page.page.get_by_role("button", name="Recognise picture").click()
    expect(draw_page.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "image/x-png"])
def test_a_picture_of_an_unknown_type_is_recognised_by_its_bytes(
    draw_page: DrawPage, draw_digit: DrawDigit, kind: str
) -> None:
    draw_page.page.evaluate(
        """([bytes, type]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(bytes)], "four", { type }));
            const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
            document.getElementById("canvas").dispatchEvent(event);
        }""",
        [list(draw_digit(4)), kind],
    )

    expect(draw_page.page.locator("[data-slot=picture-caption]")).to_have_text(
        "Only the framed part is used."
    )
    draw_page.page.get_by_role("button", name="Recognise picture").click()
    expect(draw_page.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4


@pytest.mark.parametrize(
    ("name", "kind", "size", "says"),
    [
        ("notes.txt", "text/plain", 5, "This file type isn't supported."),
        ("huge.png", "image/png", 9 * 1024 * 1024, "at most 8 MB"),
    ],
)
def test_a_file_that_is_not_a_picture_is_rejected_before_it_is_sent(
    draw_page: DrawPage, name: str, kind: str, size: int, says: str
) -> None:
    asked: list[str] = []
    draw_page.page.on("request", lambda request: asked.append(request.url))
    draw_page.page.set_input_files(
        "#upload-image", {"name": name, "mimeType": kind, "buffer": io.BytesIO(b"x" * size).read()}
    )

    expect(draw_page.page.locator("#upload-message")).to_contain_text(says)
    assert not [url for url in asked if "api" in url]


# The answer, taken along -------------------------------------------------------------------------


def test_an_answer_has_a_link_a_file_and_a_sentence(open_draw_page: Any) -> None:
    draw_page: DrawPage = open_draw_page(permissions=["clipboard-read", "clipboard-write"])
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)

    draw_page.page.get_by_role("button", name="Copy result").click()
    expect(draw_page.page.get_by_role("button", name="Copied.")).to_be_visible()
    copied = draw_page.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("That looks like a 4.")
    with draw_page.page.expect_download() as download:
        draw_page.answer.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename == "digit-4.png"
    draw_page.page.goto(copied.split()[-1])
    draw_page.expect_answer(4)


# Deleting -----------------------------------------------------------------------------------------


def test_one_drawing_is_deleted(draw_page: DrawPage) -> None:
    for digit in (4, 7):
        draw_page.draw(digit)
        draw_page.save.click()
        draw_page.expect_answer(digit)
        draw_page.clear.click()
    expect(draw_page.entries).to_have_count(2)

    draw_page.entries.first.click()
    dialog = draw_page.page.locator("#opened")
    dialog.get_by_text("Delete…").click()
    dialog.get_by_role("button", name="Delete this drawing").click()

    expect(dialog).to_be_hidden()
    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.status).to_have_text("Drawing deleted.")
    assert [row.digit for row in Prediction.objects.all()] == [4]


def test_all_drawings_are_deleted_and_labelled_ones_lose_their_owner(
    draw_page: DrawPage, reviewer: User
) -> None:
    for digit in (4, 7):
        draw_page.draw(digit)
        draw_page.save.click()
        draw_page.expect_answer(digit)
        draw_page.clear.click()
    expect(draw_page.entries).to_have_count(2)
    labelled = Prediction.objects.get(digit=4)
    labels.label_predictions(predictions=[labelled.pk], label=4, by=reviewer)

    draw_page.page.get_by_text("Delete all…").click()
    draw_page.page.get_by_role("button", name="Delete all my drawings").click()

    expect(draw_page.page.get_by_text("No drawings yet")).to_be_visible()
    expect(draw_page.page.locator("[data-slot=history-outcome]")).to_contain_text("anonymised")
    row = Prediction.objects.get()
    assert (row.pk, row.visitor) == (labelled.pk, None)


def test_deleting_a_drawing_removes_its_answer(draw_page: DrawPage) -> None:
    draw_page.draw(4)
    draw_page.save.click()
    draw_page.expect_answer(4)

    draw_page.page.get_by_text("Delete all…").click()
    draw_page.page.get_by_role("button", name="Delete all my drawings").click()

    expect(draw_page.answer).to_have_attribute("data-verdict", "none")
    expect(draw_page.entries).to_have_count(0)
