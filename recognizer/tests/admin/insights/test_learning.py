"""The learning curve on the page of insights, and which labels would be worth most."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from recognizer.labelling import learned, styles
from recognizer.models import ModelVersion, Prediction, StyleReport
from recognizer.statistics import learning_curve
from recognizer.statistics.intervals import Share
from recognizer.statistics.learning_curve import Point
from recognizer.tests.support.insights import markup, section, store, table
from recognizer.tests.support.reviewing import drawing, make_prediction, prediction
from recognizer.tests.support.trained_versions import trained

pytestmark = [pytest.mark.django_db, pytest.mark.store]


# The learning curve -----------------------------------------------------------------------------


def test_without_a_trained_version_it_says_so(reviewing: Client) -> None:
    make_prediction(3)

    assert "No version was trained on labels" in section(reviewing, "curve")


def test_each_version_is_a_point_with_its_interval(reviewing: Client) -> None:
    make_prediction(3)
    trained("one", labels=80, mistakes=40, before=100)
    trained("two", labels=160, mistakes=20, before=40)

    found = section(reviewing, "curve")

    assert "50.0\u00a0% before any labels were learned, 90.0\u00a0% with 160 labels." in found
    assert "2 versions: what another 100 labels would be worth can’t be said yet." in found
    assert table(reviewing, "curve") == {
        "two": ["160", "200", "90.0\u00a0%", "85.1 to 93.4\u00a0%", "80.0\u00a0%"],
        "one": ["80", "200", "80.0\u00a0%", "73.9 to 85.0\u00a0%", "50.0\u00a0%"],
    }
    assert markup(reviewing).count('<g class="whisker recall"><title>') >= 2


def test_with_three_versions_another_hundred_labels_have_a_worth(reviewing: Client) -> None:
    make_prediction(3)
    for name, labels, mistakes in (("a", 100, 80), ("b", 200, 56), ("c", 400, 40)):
        trained(name, labels=labels, mistakes=mistakes, before=100, of=400)

    found = section(reviewing, "curve")

    worth = re.search(
        r"save about ([\d.]+) mistakes in 1,000 .* interval: ([\d.]+) to ([\d.]+)", found
    )
    assert worth, found
    value, low, high = map(float, worth.groups())
    # The half power: 80 more learned labels divide 0.1 by the root of 1.2.
    assert low < value < high
    assert value == pytest.approx(1000 * 0.1 * (1 - 1.2**-0.5), rel=0.1)
    assert "chance" not in found


def test_the_same_mistakes_with_more_labels_may_be_chance(reviewing: Client) -> None:
    make_prediction(3)
    for name, labels in (("a", 100), ("b", 200), ("c", 400)):
        trained(name, labels=labels, mistakes=40, before=100)

    assert "That may be chance." in section(reviewing, "curve")


def test_versions_without_mistakes_have_a_curve_too(reviewing: Client) -> None:
    make_prediction(3)
    for name, labels in (("a", 100), ("b", 200), ("c", 400)):
        trained(name, labels=labels, mistakes=0, before=0, of=1)

    assert "That may be chance." in section(reviewing, "curve")


def test_the_interval_covers_the_true_slope() -> None:
    """Of many simulated sites, 95 % (give or take) have the true exponent in their interval."""
    rng = np.random.default_rng(1)
    sizes, held_out, covered, repeats = (100, 200, 400, 800), 300, 0, 300
    for _repeat in range(repeats):
        points = []
        for labels in sizes:
            mistakes = int(rng.binomial(held_out, 2 * labels**-0.5))
            share = Share(held_out - mistakes, held_out)
            points.append(Point("", 0, False, labels, share, share))
        law = learning_curve.fit(points)
        assert law is not None
        covered += abs(law.exponent - 0.5) <= 1.96 * law.exponent_error
    assert 0.92 <= covered / repeats <= 0.995


# What is worth labelling ------------------------------------------------------------------------


def draw(n: int, digit: int, **fields: Any) -> list[Prediction]:
    rows = [prediction(digit, image=drawing(digit, seed=number), **fields) for number in range(n)]
    return Prediction.objects.bulk_create(rows)


def find_styles() -> str:
    out = io.StringIO()
    call_command("find_styles", stdout=out)
    return out.getvalue()


def test_the_page_names_the_command_until_it_has_run(reviewing: Client) -> None:
    make_prediction(3)

    assert "python manage.py find_styles" in section(reviewing, "worth")


def test_a_few_drawings_are_not_grouped() -> None:
    draw(5, 3)
    draw(styles.ENOUGH, 4, source="import")

    with pytest.raises(CommandError, match="100 drawings that were not imported"):
        find_styles()
    assert not StyleReport.objects.exists()


def test_drawings_are_grouped_by_digit_and_style(
    reviewing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "ENOUGH", 20)
    # Labelled ones are worth no more labels, however unsure the model is of them.
    known = draw(8, 4, label=4)
    draw(8, 7)
    # Five and six with a thin pen.
    unsure = [
        make_prediction(3, image=drawing(5 + seed % 2, seed=seed, canvas=32)) for seed in range(8)
    ]
    active = ModelVersion.objects.get(is_active=True)
    learned.record(version=active, given={str(row.pk): 4 for row in known}, held_out=set())

    printed = find_styles()

    assert f"The newest drawings, predicted by {active.name}: 24." in printed
    assert "  4: 8 drawings, 8 labelled, about 0 mistakes expected among the others" in printed
    rows = table(reviewing, "worth")
    assert rows["4"] == ["8", "8", "8", "0.0"]
    assert rows["7"][:3] == ["0", "8", "0"]
    found = styles.latest()
    assert found is not None
    assert sum(each.n for each in found.styles) == 24
    assert {each.label for each in found.styles} == {each.label for each in found.digits}
    assert found.styles[0].expected >= found.styles[-1].expected
    shown = {str(pk) for each in found.styles for pk in each.examples}
    assert str(unsure[0].pk) in shown
    page = markup(reviewing)
    to_grid = re.search(r'<a href="([^"]*grid/[^"]*)">7</a>', page)
    assert to_grid is not None
    assert reviewing.get(html.unescape(to_grid[1]), follow=True).status_code == 200
    pictures = [reverse("admin:recognizer_prediction_thumbnail", args=[pk]) for pk in shown]
    assert all(each in page for each in pictures)


def test_a_deleted_example_does_not_break_the_page(
    reviewing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "ENOUGH", 10)
    draw(10, 7)
    find_styles()
    Prediction.objects.all().delete()
    store(1, 3, 3)

    assert "Handwriting styles" in section(reviewing, "worth")


def test_the_same_drawings_give_the_same_styles() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    vectors[:100] += 4 * np.eye(8, dtype=np.float32)[0]
    vectors[100:] += 4 * np.eye(8, dtype=np.float32)[1]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    (one, _close), (again, _closeness) = (styles.clusters(vectors, 2) for _time in range(2))

    assert (one == again).all()
    assert len(set(one[:100])) == len(set(one[100:])) == 1
    assert one[0] != one[150]
