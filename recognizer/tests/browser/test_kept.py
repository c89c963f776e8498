"""Nothing drawn is lost: reloads, lost connections, two tabs; and what is deleted is gone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from recognizer.labelling import labels
from recognizer.models import Prediction
from recognizer.tests.browser.desk import Desk
from recognizer.tests.support.drawings import DrawDigit

PREDICTIONS = "**/api/v1/predictions/"
pytestmark = pytest.mark.django_db


def test_a_drawing_survives_a_reload(desk: Desk) -> None:
    desk.draw(4)
    ink = desk.ink()

    desk.page.reload()
    desk.page.wait_for_selector("html[data-ready]")

    assert desk.ink() == pytest.approx(ink, rel=0.02)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4


def test_an_answered_drawing_is_not_there_again(desk: Desk) -> None:
    desk.draw(4)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)

    desk.page.reload()
    desk.page.wait_for_selector("html[data-ready]")

    assert desk.ink() == 0


def test_two_tabs_keep_a_drawing_each(desk: Desk) -> None:
    other = Desk(desk.page.context.new_page(), desk.url).open()
    desk.draw(4)
    other.draw(7)

    for tab in (desk, other):
        tab.page.reload()
        tab.page.wait_for_selector("html[data-ready]")
    other.predict.click()
    expect(other.entries).to_have_count(1)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)

    assert sorted(Prediction.objects.values_list("digit", flat=True)) == [4, 7]


def test_what_could_not_be_sent_goes_out_when_the_network_is_back(
    desk: Desk, complaints: list[str]
) -> None:
    desk.page.get_by_label("Guess while I draw").uncheck()
    desk.draw(4)
    desk.page.context.set_offline(True)
    desk.predict.click()
    expect(desk.message).to_contain_text(
        "It will be sent automatically when the site can be reached again."
    )

    desk.page.context.set_offline(False)

    desk.expect_answer(4)
    expect(desk.entries).to_have_count(1)
    expect(desk.message).to_be_empty()
    assert Prediction.objects.count() == 1
    complaints.clear()


def test_a_drawing_that_waits_is_sent_after_the_page_was_left(
    desk: Desk, complaints: list[str]
) -> None:
    desk.page.get_by_label("Guess while I draw").uncheck()
    desk.page.route(PREDICTIONS, lambda route: route.abort())
    desk.draw(4)
    desk.predict.click()
    expect(desk.message).to_contain_text("It will be sent automatically")
    desk.clear.click()
    desk.page.unroute(PREDICTIONS)

    desk.page.reload()

    expect(desk.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4
    complaints.clear()


def test_an_answer_that_was_lost_on_the_way_is_not_kept_twice(
    desk: Desk, complaints: list[str]
) -> None:
    desk.page.get_by_label("Guess while I draw").uncheck()
    # The visitor is known already.
    desk.draw(1)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)
    desk.clear.click()

    def lose_the_answer(route: Any) -> None:
        route.fetch()
        route.abort()

    desk.page.route(PREDICTIONS, lose_the_answer)
    desk.draw(4)
    desk.predict.click()
    expect(desk.message).to_contain_text("It will be sent automatically")
    assert Prediction.objects.count() == 2
    desk.page.unroute(PREDICTIONS)

    desk.predict.click()

    desk.expect_answer(4)
    assert Prediction.objects.count() == 2
    complaints.clear()


# A picture ----------------------------------------------------------------------------------------


def test_a_picture_is_shown_with_its_crop_before_it_is_sent(
    desk: Desk, draw_digit: DrawDigit
) -> None:
    png = draw_digit(4, size=0.3, centre=(196, 84))
    desk.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": png}
    )

    expect(desk.page.locator("[data-slot=picture-caption]")).to_have_text(
        "Only the framed part is used."
    )
    frame = desk.page.locator("[data-slot=picture-box]").bounding_box()
    whole = desk.page.locator("[data-slot=picture-image]").bounding_box()
    assert frame is not None
    assert whole is not None
    middle_x = (frame["x"] + frame["width"] / 2 - whole["x"]) / whole["width"]
    middle_y = (frame["y"] + frame["height"] / 2 - whole["y"]) / whole["height"]
    assert [middle_x, middle_y] == pytest.approx([0.7, 0.3], abs=0.05)
    desk.expect_answer(4)
    assert not Prediction.objects.exists()

    desk.page.get_by_role("button", name="Read picture").click()

    expect(desk.entries).to_have_count(1)
    expect(desk.page.locator("[data-slot=picture]")).to_be_hidden()
    assert Prediction.objects.get().source == "upload"


def test_a_picture_can_be_taken_away_again(desk: Desk, draw_digit: DrawDigit) -> None:
    desk.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": draw_digit(4)}
    )
    desk.page.get_by_role("button", name="Remove").click()

    expect(desk.page.locator("[data-slot=picture]")).to_be_hidden()
    assert desk.page.locator("#upload-image").input_value() == ""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(desk: Desk, draw_digit: DrawDigit, way: str) -> None:
    desk.page.evaluate(
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

    expect(desk.page.locator("[data-slot=picture-caption]")).to_have_text(
        "Only the framed part is used."
    )
    desk.page.get_by_role("button", name="Read picture").click()
    expect(desk.entries).to_have_count(1)
    assert Prediction.objects.get().digit == 4


@pytest.mark.parametrize(
    ("name", "kind", "size", "says"),
    [
        ("notes.txt", "text/plain", 5, "This file type isn't supported."),
        ("huge.png", "image/png", 9 * 1024 * 1024, "at most 8 MB"),
    ],
)
def test_what_is_no_picture_is_refused_before_it_is_sent(
    desk: Desk, name: str, kind: str, size: int, says: str
) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.set_input_files(
        "#upload-image", {"name": name, "mimeType": kind, "buffer": io.BytesIO(b"x" * size).read()}
    )

    expect(desk.page.locator("#upload-message")).to_contain_text(says)
    assert not [url for url in asked if "api" in url]


# The answer, taken along -------------------------------------------------------------------------


def test_an_answer_has_a_link_a_file_and_a_sentence(open_desk: Any) -> None:
    desk: Desk = open_desk(permissions=["clipboard-read", "clipboard-write"])
    desk.draw(4)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)

    desk.page.get_by_role("button", name="Copy result").click()
    expect(desk.page.get_by_role("button", name="Copied.")).to_be_visible()
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("That looks like a 4.")
    with desk.page.expect_download() as download:
        desk.answer.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename == "digit-4.png"
    desk.page.goto(copied.split()[-1])
    desk.expect_answer(4)


# Deleting -----------------------------------------------------------------------------------------


def test_one_drawing_is_deleted(desk: Desk) -> None:
    for digit in (4, 7):
        desk.draw(digit)
        desk.predict.click()
        desk.expect_answer(digit)
        desk.clear.click()
    expect(desk.entries).to_have_count(2)

    desk.entries.first.click()
    dialog = desk.page.locator("#opened")
    dialog.get_by_text("Delete…").click()
    dialog.get_by_role("button", name="Delete this drawing").click()

    expect(dialog).to_be_hidden()
    expect(desk.entries).to_have_count(1)
    expect(desk.status).to_have_text("Drawing deleted.")
    assert [row.digit for row in Prediction.objects.all()] == [4]


def test_all_drawings_are_deleted_and_labelled_ones_lose_their_owner(
    desk: Desk, reviewer: User
) -> None:
    for digit in (4, 7):
        desk.draw(digit)
        desk.predict.click()
        desk.expect_answer(digit)
        desk.clear.click()
    expect(desk.entries).to_have_count(2)
    labelled = Prediction.objects.get(digit=4)
    labels.label_predictions(predictions=[labelled.pk], label=4, by=reviewer)

    desk.page.get_by_text("Delete all…").click()
    desk.page.get_by_role("button", name="Delete all my drawings").click()

    expect(desk.page.get_by_text("No drawings yet")).to_be_visible()
    expect(desk.page.locator("[data-slot=history-outcome]")).to_contain_text("anonymised")
    row = Prediction.objects.get()
    assert (row.pk, row.visitor) == (labelled.pk, None)


def test_the_answer_goes_with_its_drawing(desk: Desk) -> None:
    desk.draw(4)
    desk.predict.click()
    desk.expect_answer(4)

    desk.page.get_by_text("Delete all…").click()
    desk.page.get_by_role("button", name="Delete all my drawings").click()

    expect(desk.answer).to_have_attribute("data-verdict", "none")
    expect(desk.entries).to_have_count(0)
