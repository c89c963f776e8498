import numpy as np
import pytest

from recognizer.imaging import drawing_from_array, model_input
from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.synthesis.handwriting import Stroke
from training.synthesis.nondigits import NONDIGITS, generate_nondigit
from training.synthesis.strokes import PLACEMENTS, draw_at, place


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", NONDIGITS)
def test_every_kind_is_finite_and_inside_the_unit_box(kind: str) -> None:
    generator = rng(3)
    for _ in range(60):
        strokes = generate_nondigit(generator, kind=kind)
        assert strokes
        for stroke in strokes:
            assert stroke.dtype == np.float64
            assert stroke.ndim == 2
            assert stroke.shape[0] >= 1
            assert stroke.shape[1] == 2
        points = np.concatenate(strokes)
        assert np.isfinite(points).all()
        assert points.min() >= -1e-6
        assert points.max() <= 1 + 1e-6
        if kind != "dot":
            assert np.ptp(points, axis=0).max() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", NONDIGITS)
def test_the_same_seed_draws_the_same(kind: str) -> None:
    once, again = generate_nondigit(rng(5), kind=kind), generate_nondigit(rng(5), kind=kind)

    assert len(once) == len(again)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


@pytest.mark.parametrize("kind", NONDIGITS)
def test_every_kind_leaves_ink(kind: str) -> None:
    pixels = render(place(generate_nondigit(rng(1), kind=kind)), brush=12)

    assert (pixels < 128).any()
    assert (pixels > 128).any()


def test_every_kind_occurs_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.synthesis import nondigits

    drawn: set[str] = set()

    def noting(kind: str) -> nondigits.Drawer:
        def draw(_: np.random.Generator) -> list[Stroke]:
            drawn.add(kind)
            return [np.array([[0.0, 0.0], [1.0, 1.0]])]

        return draw

    monkeypatch.setattr(
        nondigits, "_KINDS", {k: (w, noting(k)) for k, (w, _) in nondigits._KINDS.items()}
    )
    generator = rng()
    for _ in range(1500):
        generate_nondigit(generator)

    assert drawn == set(NONDIGITS)


def test_a_line_is_never_vertical_enough_for_a_one() -> None:
    generator = rng()
    for _ in range(300):
        (stroke,) = generate_nondigit(generator, kind="line")
        run, fall = np.abs(stroke[-1] - stroke[0])
        assert np.degrees(np.arctan2(run, fall)) > 55


def test_digits_in_a_row_are_wider_than_one() -> None:
    generator = rng()
    several = [np.concatenate(generate_nondigit(generator, kind="digits")) for _ in range(100)]

    assert np.mean([np.ptp(points[:, 1]) / np.ptp(points[:, 0]) for points in several]) < 1.1


def test_a_dot_is_a_point() -> None:
    (stroke,) = generate_nondigit(rng(), kind="dot")

    assert stroke.shape == (1, 2)


def test_it_rejects_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="'novel'"):
        generate_nondigit(rng(), kind="novel")


def test_the_bundled_model_rejects_nine_in_ten() -> None:
    classifier = Classifier(load_bundle(BUNDLED))
    generator = rng(2024)
    refused = 0
    for _ in range(300):
        pixels = draw_at(generate_nondigit(generator), PLACEMENTS["wild"], generator)
        answer = classifier.classify(model_input(drawing_from_array(pixels)))
        refused += answer.verdict is not Verdict.DIGIT

    assert refused >= 0.9 * 300
