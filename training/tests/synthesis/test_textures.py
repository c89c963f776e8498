import numpy as np
import pytest

from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.data.datasets import model_input_of
from training.synthesis.textures import TEXTURES, generate_texture


@pytest.mark.parametrize("kind", TEXTURES)
def test_every_kind_is_a_grey_picture_with_contrast(kind: str) -> None:
    rng = np.random.default_rng(1)
    blank = 0
    for _ in range(10):
        picture = generate_texture(rng, kind=kind)
        blank += not model_input_of(picture).any()
        assert picture.dtype == np.uint8
        assert all(100 <= side <= 200 for side in picture.shape)
        assert np.ptp(picture) >= 60

    # Tiles look like squared paper, which is blank.
    assert blank <= 5, "imaging may call a picture blank, but not most of a kind"


@pytest.mark.parametrize("kind", TEXTURES)
def test_only_the_same_seed_draws_the_same(kind: str) -> None:
    one, two, other = (
        generate_texture(np.random.default_rng(seed), kind=kind) for seed in (1, 1, 2)
    )

    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_it_rejects_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="'fog'"):
        generate_texture(np.random.default_rng(0), kind="fog")


def test_the_bundled_model_accepts_hardly_any() -> None:
    classifier = Classifier(load_bundle(BUNDLED))
    rng = np.random.default_rng(9)
    answers = [classifier.classify(model_input_of(generate_texture(rng))) for _ in range(120)]

    assert sum(answer.verdict is Verdict.DIGIT for answer in answers) <= 0.08 * 120
