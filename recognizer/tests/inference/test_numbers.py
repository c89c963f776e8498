"""Numbers: which drawings are one, what it says, and where its digits are."""

from __future__ import annotations

import pytest

from recognizer import imaging
from recognizer.imaging import PenStrokes
from recognizer.inference import numbers
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.inference.numbers import Number
from recognizer.tests.support.drawings import digit_strokes, number_strokes


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_bundle(BUNDLED).load()


def found(classifier: Classifier, sent: PenStrokes, *, as_picture: bool = False) -> Number | None:
    drawing = sent.drawing()
    answer = classifier.classify(imaging.model_input(drawing))
    return numbers.find_number(classifier, answer, drawing, None if as_picture else sent)


@pytest.mark.parametrize("as_picture", [False, True])
@pytest.mark.parametrize("text", ["42", "37", "205", "2026", "8361"])
def test_a_row_of_digits_is_a_number(classifier: Classifier, text: str, as_picture: bool) -> None:
    number = found(classifier, PenStrokes.from_json(number_strokes(text)), as_picture=as_picture)

    assert number is not None
    assert number.text == text
    assert [str(part.digit) for part in number.parts] == list(text)
    assert numbers.recognition.LEAST_CONFIDENCE <= number.confidence <= 1
    # Each digit is in its column of the canvas.
    for index, part in enumerate(number.parts):
        middle = part.box.left + part.box.width / 2
        assert middle == pytest.approx((index + 0.5) / len(text), abs=0.1)
        assert 0 < part.confidence <= 1


@pytest.mark.parametrize("digit", range(10))
def test_a_single_digit_is_no_number(classifier: Classifier, digit: int) -> None:
    sent = PenStrokes.from_json(digit_strokes(digit))

    assert found(classifier, sent) is None
    assert found(classifier, sent, as_picture=True) is None


def test_touching_digits_are_told_apart_by_their_strokes(classifier: Classifier) -> None:
    sent = number_strokes("52")
    # The 2 is moved to the left until it touches the 5.
    left = max(x for stroke in sent["strokes"][:-1] for x, _y in stroke)
    right = min(x for x, _y in sent["strokes"][-1])
    sent["strokes"][-1] = [[x - (right - left), y] for x, y in sent["strokes"][-1]]
    strokes = PenStrokes.from_json(sent)

    number = found(classifier, strokes)

    assert number is not None
    assert number.text == "52"


def test_what_an_eraser_removed_is_no_part_of_a_number(classifier: Classifier) -> None:
    sent = number_strokes("42")
    x, y = sent["strokes"][-1][0]
    # A 2 is one stroke, drawn last: erase it by drawing over it.
    sent["strokes"].append(sent["strokes"][-1])
    sent["width"] = [8] * (len(sent["strokes"]) - 1) + [30]
    sent["erasers"] = [len(sent["strokes"]) - 1]
    assert (x, y) != (0, 0)

    assert found(classifier, PenStrokes.from_json(sent)) is None


def test_a_scribble_is_no_number(classifier: Classifier) -> None:
    zigzag = [[20 + 8 * step, 40 if step % 2 else 240] for step in range(30)]
    sent = PenStrokes.from_json({"strokes": [zigzag], "width": 12, "size": [280, 280]})

    assert found(classifier, sent) is None
    assert found(classifier, sent, as_picture=True) is None


def test_more_strokes_than_a_number_has_are_none(classifier: Classifier) -> None:
    strokes = [[[4 * index, 20], [4 * index, 60]] for index in range(1, 60)]
    sent = PenStrokes.from_json({"strokes": strokes, "width": 2, "size": [280, 280]})

    assert found(classifier, sent) is None


@pytest.mark.parametrize("as_picture", [False, True])
def test_a_labelled_number_gives_its_digits_as_drawings(
    classifier: Classifier, as_picture: bool
) -> None:
    sent = PenStrokes.from_json(number_strokes("42"))
    strokes = None if as_picture else sent

    parts = numbers.label_parts(classifier, "42", sent.drawing(), strokes)

    assert [part.digit for part in parts] == [4, 2]
    answers = [classifier.classify(imaging.model_input(part.drawing)) for part in parts]
    assert [answer.digit for answer in answers] == [4, 2]
    assert [part.strokes is None for part in parts] == [as_picture] * 2


def test_a_label_that_the_ink_does_not_show_gives_no_digits(classifier: Classifier) -> None:
    sent = PenStrokes.from_json(number_strokes("42"))

    assert numbers.label_parts(classifier, "81306", sent.drawing(), sent) == []
