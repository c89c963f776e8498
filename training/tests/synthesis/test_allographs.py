import numpy as np
import pytest

from recognizer.imaging import drawing_from_array, model_input
from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.handwriting import Stroke, figure
from training.synthesis.strokes import PLACEMENTS, draw_at, place

EVERY_ALLOGRAPH = [(digit, name) for digit, names in ALLOGRAPHS.items() for name in names]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("digit", "allograph"), EVERY_ALLOGRAPH)
def test_strokes_are_finite_and_fill_the_unit_box(digit: int, allograph: str) -> None:
    generator = rng(digit)
    for _ in range(40):
        strokes = generate_digit(digit, generator, allograph=allograph)
        assert strokes
        for stroke in strokes:
            assert stroke.dtype == np.float64
            assert stroke.ndim == 2
            assert stroke.shape[0] >= 2
            assert stroke.shape[1] == 2
        points = np.concatenate(strokes)
        assert np.isfinite(points).all()
        extent = np.ptp(points, axis=0)
        assert extent.max() == pytest.approx(1.0)
        assert points.min() >= -1e-9
        assert points.max() <= 1 + 1e-9
        assert points.min(axis=0) + extent / 2 == pytest.approx(0.5)


@pytest.mark.parametrize("digit", range(10))
def test_the_same_seed_writes_the_same_digit(digit: int) -> None:
    once, again = generate_digit(digit, rng(7)), generate_digit(digit, rng(7))

    assert len(once) == len(again)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


@pytest.mark.parametrize("digit", range(10))
def test_another_seed_writes_it_differently(digit: int) -> None:
    name = ALLOGRAPHS[digit][0]
    once = np.concatenate(generate_digit(digit, rng(1), allograph=name))
    again = np.concatenate(generate_digit(digit, rng(2), allograph=name))

    assert once.shape != again.shape or not np.allclose(once, again, atol=0.01)


@pytest.mark.parametrize("digit", range(10))
def test_every_allograph_occurs_by_default(digit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.synthesis import allographs

    names = {id(shape): name for name, (_, shape) in allographs._FIGURES[digit].items()}
    written: set[str] = set()

    def note(shape: object, _: np.random.Generator) -> list[Stroke]:
        written.add(names[id(shape)])
        return [np.zeros((2, 2))]

    monkeypatch.setattr(allographs, "write", note)
    generator = rng(digit)
    for _ in range(600):
        generate_digit(digit, generator)

    assert written == set(ALLOGRAPHS[digit])


@pytest.mark.parametrize(
    ("digit", "barred", "plain"), [(7, "barred", "plain"), (0, "slashed", "closed")]
)
def test_a_bar_is_a_separate_stroke(digit: int, barred: str, plain: str) -> None:
    assert len(generate_digit(digit, rng(), allograph=barred)) == 2
    assert len(generate_digit(digit, rng(), allograph=plain)) == 1


def test_a_plain_one_is_closer_to_vertical_than_a_line() -> None:
    generator = rng()
    for name in ("bar", "slanted"):
        for _ in range(300):
            (stroke,) = generate_digit(1, generator, allograph=name)
            run, fall = np.abs(stroke[-1] - stroke[0])
            assert np.degrees(np.arctan2(run, fall)) < 45


def test_a_zero_keeps_its_narrow_shape() -> None:
    generator = rng()
    widths = [
        np.ptp(np.concatenate(generate_digit(0, generator, allograph="narrow"))[:, 0])
        for _ in range(50)
    ]

    assert np.median(widths) < 0.6


def test_a_drawn_digit_leaves_ink() -> None:
    for digit in range(10):
        pixels = render(place(generate_digit(digit, rng(digit))), brush=16)
        assert 0.01 < float((pixels < 128).mean()) < 0.3


@pytest.mark.parametrize("digit", [-1, 10, "3"])
def test_it_rejects_an_unknown_digit(digit: int) -> None:
    with pytest.raises(ValueError, match="a digit is 0 to 9"):
        generate_digit(digit, rng())


def test_it_rejects_an_unknown_allograph() -> None:
    with pytest.raises(ValueError, match="no allograph 'gothic'"):
        generate_digit(4, rng(), allograph="gothic")


def test_drawings_of_one_figure_have_the_same_points() -> None:
    with pytest.raises(ValueError, match="differ in their points"):
        figure(["0,0 1,1"], ["0,0 .5,.5 1,1"])


def test_the_bundled_model_recognises_97_in_100_in_every_placement() -> None:
    classifier = Classifier(load_bundle(BUNDLED))
    generator = rng(2024)
    right = 0
    for index in range(400):
        pixels = draw_at(generate_digit(index % 10, generator), PLACEMENTS["wild"], generator)
        answer = classifier.classify(model_input(drawing_from_array(pixels)))
        right += answer.digit == index % 10

    assert right >= 0.97 * 400
