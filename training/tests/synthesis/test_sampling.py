"""Strokes as another device reports them and another page draws them."""

from __future__ import annotations

import numpy as np

from training.synthesis.sampling import coarser, curve, sampled

ARC = np.stack([np.cos(np.linspace(0, 3, 61)), np.sin(np.linspace(0, 3, 61))], 1)


def test_fewer_points_keep_both_ends() -> None:
    for phase in (0.0, 0.4, 0.99):
        found = coarser([ARC, ARC[:5]], 16, phase)
        assert 14 <= sum(map(len, found)) <= 22
        for before, after in zip([ARC, ARC[:5]], found, strict=True):
            assert len(after) >= 3
            assert (after[0] == before[0]).all()
            assert (after[-1] == before[-1]).all()


def test_a_stroke_never_gets_more_points() -> None:
    dot, line = ARC[:1], ARC[:2]
    found = coarser([dot, line, ARC], 500)
    assert [len(stroke) for stroke in found] == [1, 2, 61]


def test_the_page_draws_curves_through_the_midpoints() -> None:
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
    drawn = curve(corner)
    for point in ([0, 0], [1, 0.5], [1.5, 1], [2, 1]):
        assert np.abs(drawn - point).sum(1).min() < 1e-9
    # The corners themselves are cut.
    for point in ([1, 0], [1, 1]):
        assert np.abs(drawn - point).sum(1).min() > 0.2
    assert (curve(corner[:2]) == corner[:2]).all()


def test_a_drawing_comes_curved_and_jagged_with_all_its_points_and_with_fewer() -> None:
    rng = np.random.default_rng(3)
    lengths = {len(sampled([ARC], rng)[0]) for _ in range(200)}
    assert 61 in lengths
    assert len(curve(ARC)) in lengths
    assert min(lengths) < 30
    assert all(np.isfinite(stroke).all() for stroke in sampled([ARC[:1], ARC[:3]], rng))
