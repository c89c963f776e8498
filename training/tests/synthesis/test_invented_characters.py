import numpy as np

from recognizer.imaging import drawing_from_array, model_input
from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.synthesis.invented_characters import generate_glyph
from training.synthesis.lookalike_filter import resembles_a_digit
from training.synthesis.strokes import PLACEMENTS, draw_at


def test_glyphs_are_finite_strokes_in_the_unit_box() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        strokes = generate_glyph(rng)
        assert all(s.dtype == np.float64 and s.ndim == 2 and len(s) >= 2 for s in strokes)
        points = np.concatenate(strokes)
        assert np.isfinite(points).all()
        assert points.min() >= -1e-6
        assert points.max() <= 1 + 1e-6


def test_the_same_seed_draws_the_same() -> None:
    once, again = (generate_glyph(np.random.default_rng(7)) for _ in range(2))

    assert len(once) == len(again)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


def test_simple_and_complex_characters_are_drawn() -> None:
    rng = np.random.default_rng(2)
    counts = [len(generate_glyph(rng)) for _ in range(300)]

    assert np.mean(np.array(counts) <= 2) > 0.4
    assert max(counts) >= 5


def test_none_resembles_a_digit() -> None:
    rng = np.random.default_rng(3)

    assert not any(resembles_a_digit(generate_glyph(rng)) for _ in range(100))


def test_the_bundled_model_is_rarely_certain_of_a_digit() -> None:
    classifier = Classifier(load_bundle(BUNDLED))
    rng = np.random.default_rng(5)
    sure = 0
    for _ in range(250):
        pixels = draw_at(generate_glyph(rng), PLACEMENTS["centred"], rng)
        answer = classifier.classify(model_input(drawing_from_array(pixels)))
        sure += answer.verdict is Verdict.DIGIT and answer.digit_score > 0.99

    assert sure <= 0.08 * 250
