"""The mix of a person's earlier drawings with the network's answer: which one decides when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.inference import classifier, embeddings, personal_posterior
from recognizer.inference.classifier import NOT_A_DIGIT_CLASS, Answer, Calibration, Verdict
from recognizer.tests.support.drawings import digit_png
from recognizer.tests.support.mirrored_digits import mirrored_png

CALIBRATION = Calibration(temperature=1.0, not_a_digit=0.9, uncertain=0.75)
LENGTH = 96


def at(cosine: float, direction: int = 1) -> NDArray[np.float32]:
    """An embedding at this cosine from that of the new drawing, `at(1)`."""
    vector = np.zeros(LENGTH, np.float32)
    vector[0], vector[direction] = cosine, np.sqrt(1 - cosine**2)
    return vector


def answered(digit: int, confidence: float = 0.99, score: float = 0.999) -> Answer:
    """What the network says of the new drawing."""
    shares = np.full(10, (1 - confidence) / 9)
    shares[digit] = confidence
    verdict = Verdict.DIGIT if confidence >= CALIBRATION.uncertain else Verdict.UNCERTAIN
    if score < CALIBRATION.not_a_digit:
        verdict = Verdict.NOT_A_DIGIT
    return Answer(digit, confidence, tuple(map(float, shares)), verdict, score, at(1))


def examples(
    vectors: Sequence[NDArray[np.float32]], labels: Sequence[int], accepted: int = 0
) -> personal_posterior.Examples:
    """Earlier drawings; the last ``accepted`` of them were only accepted, not corrected."""
    return personal_posterior.Examples(
        embeddings=np.array(vectors, np.float32).reshape(-1, LENGTH),
        labels=np.array(labels, int),
        remembered=np.arange(len(labels)) < len(labels) - accepted,
    )


def mixed(
    answer: Answer, *earlier: tuple[float, int], accepted: int = 0
) -> personal_posterior.Personal | None:
    """The personal answer by drawings at these cosines, each in another direction."""
    vectors = [at(cosine, index + 1) for index, (cosine, _) in enumerate(earlier)]
    labels = [label for _, label in earlier]
    return personal_posterior.mix(answer, CALIBRATION, examples(vectors, labels, accepted))


def test_without_examples_the_network_answers() -> None:
    assert mixed(answered(2)) is None


@pytest.mark.parametrize("confidence", [0.5, 0.99, 0.999999, 1.0])
@pytest.mark.parametrize("label", [7, NOT_A_DIGIT_CLASS])
def test_the_same_drawing_is_answered_as_it_was_corrected(confidence: float, label: int) -> None:
    found = mixed(answered(2, confidence, score=1 - 1e-12), (1.0, label))

    assert found is not None
    assert found.decided_by == 0
    if label == 7:
        assert found.answer.digit == 7
        assert found.answer.verdict is not Verdict.NOT_A_DIGIT
        assert found.answer.confidence == max(found.answer.probabilities)
    else:
        assert (found.answer.digit, found.answer.verdict) == (2, Verdict.NOT_A_DIGIT)


def test_a_drawing_like_a_corrected_one_gets_its_label() -> None:
    found = mixed(answered(2, 0.9), (0.95, 7))

    assert found is not None
    assert (found.answer.digit, found.answer.verdict) == (7, Verdict.DIGIT)


@pytest.mark.parametrize("cosine", [0.0, 0.4, 0.6])
def test_one_unlike_it_does_not(cosine: float) -> None:
    assert mixed(answered(2, 0.9), (cosine, 7)) is None


def test_a_confident_answer_takes_a_nearer_drawing_to_change() -> None:
    assert mixed(answered(2, 0.6), (0.88, 7)) is not None
    assert mixed(answered(2, 0.999), (0.88, 7)) is None


def test_examples_that_agree_leave_a_confident_answer_to_the_network() -> None:
    assert mixed(answered(2, 0.99), (1.0, 2)) is None
    assert mixed(answered(2, 0.99, score=0.1), (1.0, NOT_A_DIGIT_CLASS)) is None


def test_examples_that_agree_make_an_uncertain_answer_certain() -> None:
    found = mixed(answered(2, 0.5), (0.2, 2), (0.97, 2), (0.9, 2))

    assert found is not None
    assert (found.answer.digit, found.answer.verdict) == (2, Verdict.DIGIT)
    assert found.answer.confidence > 0.95
    assert found.decided_by == 1


@pytest.mark.parametrize("label", [2, 7])
def test_a_refused_drawing_is_recognised_if_one_like_it_was_a_digit(label: int) -> None:
    found = mixed(answered(2, 0.8, score=0.2), (0.97, label))

    assert found is not None
    assert (found.answer.digit, found.answer.verdict) == (label, Verdict.DIGIT)


def test_the_nearer_of_two_that_differ_decides() -> None:
    assert mixed(answered(2, 0.9), (0.99, 2), (0.9, 7)) is None
    found = mixed(answered(2, 0.9), (0.9, 2), (0.99, 7))
    assert found is not None
    assert (found.answer.digit, found.decided_by) == (7, 1)


def test_examples_that_only_lower_the_confidence_leave_the_answer() -> None:
    # Nothing remembered carries the label that would be answered, uncertain.
    assert mixed(answered(2, 0.97), (0.87, 7)) is None


def test_many_drawings_alike_count_little_more_than_one() -> None:
    answer = answered(2, 0.9)
    one, many = (
        personal_posterior.posterior(answer, CALIBRATION, examples([at(0.9)] * count, [7] * count))
        for count in (1, 100)
    )

    odds = [chances[7] / chances[2] for chances in (one, many)]
    assert odds[0] < odds[1] < 2 * odds[0]


def test_without_examples_refused_means_not_a_digit_is_more_likely() -> None:
    for score in (1e-15, 0.1, 0.899, 0.901, 0.99, 1.0):
        chances = personal_posterior.prior(answered(3, 0.7, score), CALIBRATION)
        assert chances.sum() == pytest.approx(1)
        assert (chances[NOT_A_DIGIT_CLASS] > 0.5) == (score < 0.9)
        assert chances[:10].argmax() == 3


def test_whatever_is_remembered_the_answer_is_complete() -> None:
    rng = np.random.default_rng(5)
    changed = 0
    for _ in range(300):
        count = int(rng.integers(1, 60))
        vectors = np.abs(rng.normal(0, 1, (count, LENGTH))).astype(np.float32)
        # Some of them twice over: the kernel matrix is as good as singular then.
        vectors[count // 2 :] = vectors[: count - count // 2]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        answer = answered(int(rng.integers(10)), float(rng.uniform(0.2, 1)), float(rng.uniform()))
        answer = Answer(**{**vars(answer), "embedding": vectors[0]})
        labels = rng.integers(0, 11, count)
        remembered = rng.random(count) < 0.6
        found = personal_posterior.mix(
            answer, CALIBRATION, personal_posterior.Examples(vectors, labels, remembered)
        )
        if found is None:
            continue
        changed += 1
        given = found.answer
        assert sum(given.probabilities) == pytest.approx(1)
        assert given.confidence == given.probabilities[given.digit] == max(given.probabilities)
        refused = given.verdict is Verdict.NOT_A_DIGIT
        assert labels[found.decided_by] == (NOT_A_DIGIT_CLASS if refused else given.digit)
        assert remembered[found.decided_by]
    assert changed > 80


def test_one_correction_of_a_very_sure_answer_counts_as_a_slip() -> None:
    answer = answered(5, 0.9999)

    assert mixed(answer, (0.995, 6)) is None
    assert mixed(answer, (0.995, 6), (0.99, 8)) is None
    # Two that agree are none, nor is a drawing that is all but the same.
    assert mixed(answer, (0.995, 6), (0.99, 6)) is not None
    assert mixed(answer, (0.9999, 6)) is not None
    # Where the network is not that sure, one is enough.
    assert mixed(answered(5, 0.97), (0.995, 6)) is not None


def test_two_corrections_against_many_accepted_drawings_count_as_slips() -> None:
    answer, two = answered(5, 0.9999), [(0.995, 6), (0.994, 6)]

    assert mixed(answer, *two, *[(0.96, 5)] * 2, accepted=2) is not None
    assert mixed(answer, *two, *[(0.96, 5)] * 20, accepted=20) is None
    # Those that are unlike it say nothing against it.
    assert mixed(answer, *two, *[(0.3, 5)] * 20, accepted=20) is not None


def test_accepted_drawings_decide_nothing_by_themselves() -> None:
    assert mixed(answered(2, 0.5), (1.0, 7), accepted=1) is None
    assert mixed(answered(2, 0.5), (0.1, 3), (1.0, 7), accepted=1) is None


# With the bundled network -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> classifier.Classifier:
    return classifier.Classifier(classifier.load_bundle(classifier.BUNDLED))


def predict(bundled: classifier.Classifier, png: bytes) -> Answer:
    return bundled.classify(imaging.model_input(imaging.read_drawing(png)))


def by_examples(
    bundled: classifier.Classifier, new: Answer, corrected: Sequence[tuple[Answer, int]]
) -> Answer:
    packed = [embeddings.pack(answer.embedding) or b"" for answer, _ in corrected]
    earlier = examples(list(embeddings.unpack_many(packed)), [label for _, label in corrected])
    found = personal_posterior.mix(new, bundled.calibration, earlier)
    return new if found is None else found.answer


@pytest.mark.parametrize("digit", [3, 5, 7, 9])
def test_a_mirrored_digit_is_recognised_after_one_correction(
    bundled: classifier.Classifier, digit: int
) -> None:
    first, *others = [predict(bundled, mirrored_png(digit, time)) for time in range(8)]
    given = [by_examples(bundled, answer, [(first, digit)]) for answer in others]

    def right(answers: Sequence[Answer]) -> int:
        return sum(a.digit == digit and a.verdict is not Verdict.NOT_A_DIGIT for a in answers)

    assert right(others) == 0
    assert right(given) >= 6


def test_a_slip_on_a_clear_three_spoils_no_other_three(bundled: classifier.Classifier) -> None:
    first, *others = [predict(bundled, digit_png(3, seed=seed)) for seed in range(8)]

    for answer in others:
        assert by_examples(bundled, answer, [(first, 8)]).digit == 3


def test_correcting_an_odd_seven_changes_no_other_digit(bundled: classifier.Classifier) -> None:
    corrected = [(predict(bundled, mirrored_png(7)), 7)]

    for digit in range(10):
        for seed in range(6):
            answer = predict(bundled, digit_png(digit, seed=seed))
            assert by_examples(bundled, answer, corrected).digit == answer.digit
