"""Measure what a visitor's own corrections gain for that visitor's next drawings, and their cost.

    python -m benchmarks.personalisation.quality [--networks DIR] [--bundled] [--json PATH]
    python -m benchmarks.personalisation.quality --choose

Simulates pen writers who are not in the training data and who draw their 250 digits in the original
order. They correct each wrong or rejected prediction. The tables count the mistakes in the second
half, without and with personal learning. The bundled network is trained on the writers 1 to 22, so
only the held-out writers can be used with it; it misclassifies few of their digits, so they also
write mirrored, a style that it has not seen. Two more networks are trained by the fast recipe and
stored in DIR (default: reports/personal): one on 16 of the writers, one on MNIST only. Both are
used with the writers 17 to 30; nothing was chosen with 25 to 30. ``--bundled`` trains nothing.

``--choose`` prints the results of settings near the chosen ones (``personal_posterior.Mix``), on
the writers 1 to 24 only, each with networks that are not trained on them, or mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.personalisation import cost, held_out_networks, simulation
from benchmarks.personalisation.simulation import Effects, Half, Sheet, Visitor
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.inference.personal_posterior import CHOSEN, Mix
from training.data import datasets, downloads
from training.data.datasets import HELD_OUT_WRITERS, PenDigit
from training.data.synthetic import Fresh, Material, draw_fresh
from training.synthesis.strokes import PLACEMENTS

NETWORKS = Path("reports", "personal")
OTHER_WRITERS = range(17, 31)
OTHERS = Fresh(nondigits=200)
"""Non-digits that are predicted in the end, with the corrections of each writer."""

VISITORS = {
    "corrects mistakes": Visitor(),
    "also confirms correct predictions": Visitor(confirms=True),
    "corrects every other mistake": Visitor(ignored=0.5),
    "corrects, one in ten wrongly": Visitor(wrong=0.1),
    "corrects and confirms, one in twenty wrongly": Visitor(confirms=True, wrong=0.05),
    "corrects, and one in twenty correct predictions wrongly": Visitor(slips=0.05),
}


CHOOSING_VISITORS = (
    Visitor(),
    Visitor(confirms=True),
    Visitor(ignored=0.5),
    Visitor(confirms=True, wrong=0.05),
    Visitor(slips=0.05),
)
"""Those that settings are chosen with."""

REPORTED = (
    "n", "misclassified", "recurring", "rejected", "worsened", "calibration_errors", "accepted",
)  # fmt: skip
"""What is written about the second half of each writer's digits."""


@dataclass(frozen=True)
class Study:
    pen: Sequence[PenDigit]
    placement: str
    folder: Path
    limit: int | None = None

    def sheets(
        self, network: str | None, writers: Sequence[int], *, mirrored: bool = False
    ) -> list[Sheet]:
        """Return the predictions of a network for the writers' digits; None is the bundled one."""
        bundle = (
            load_bundle(BUNDLED)
            if network is None
            else held_out_networks.network(network, self.folder, self.limit)
        )
        return simulation.write(
            Classifier(bundle),
            self.pen,
            writers,
            PLACEMENTS[self.placement],
            draw_fresh(Material(), OTHERS, seed=77),
            mirrored=mirrored,
        )


def probes(study: Study, *, bundled_only: bool) -> Iterator[tuple[str, list[Sheet]]]:
    bundled = load_bundle(BUNDLED).name
    yield f"{bundled} (bundled)", study.sheets(None, HELD_OUT_WRITERS)
    yield f"{bundled}, mirrored digits", study.sheets(None, HELD_OUT_WRITERS, mirrored=True)
    for name in () if bundled_only else ("pen 1-16", "MNIST only"):
        yield f"fast recipe, {name}", study.sheets(name, OTHER_WRITERS)


# --- choosing -----------------------------------------------------------------------------------

NEAR: Mapping[str, Sequence[float]] = {
    "weight": (9.0, 11.0, 14.0),
    "width": (0.07, 0.14),
    "noise": (0.02, 0.15),
    "accepted_noise": (0.5, 1e6),
    "doubt": (3e-5, 1e-3),
    "neighbours": (8, 48),
    "sure": (0.95, 2.0),
    "alike": (0.8, 0.95),
    "outnumbered": (2.0, 6.0),
}
"""Settings that ``--choose`` tries, one at a time."""


def choosing(study: Study) -> dict[str, list[Sheet]]:
    """Return the digits that settings are chosen with: not those of held-out writers.

    The bundled network is trained on these writers: with it, no prediction may get worse.
    """
    return {
        "pen 1-16": study.sheets("pen 1-16", range(17, 25)),
        "pen 13-22": study.sheets("pen 13-22", range(1, 13)),
        "MNIST only": study.sheets("MNIST only", range(1, 25, 3)),
        "bundled": study.sheets(None, range(1, 25, 3)),
        "mirrored": study.sheets(None, range(1, 13, 2), mirrored=True),
    }


def choose(groups: Mapping[str, Sequence[Sheet]]) -> None:
    """Print mistakes and log loss of several settings, for several kinds of visitors together.

    The log loss is in nats, over the eleven classes. Probabilities are at least 1e-4, so that
    single wrong labels don't dominate it.
    """
    rows: dict[str, Mix] = {f"{CHOSEN}": CHOSEN}
    for name, values in NEAR.items():
        for value in values:
            changed: Any = {name: value}
            rows[f"{name} {value}"] = replace(CHOSEN, **changed)
    head = (
        f"{'misclassified':>14}{'rejected':>12}{'worsened':>10}{'worse':>10}{'others':>8}"
        f"{'nats':>9}"
    )
    for title, settings in rows.items():
        print(f"\n{title}\n{'':12}{head}")
        for group, sheets in groups.items():
            halves, nats = [], []
            for visitor in CHOOSING_VISITORS:
                for sheet in sheets:
                    played = simulation.play(sheet, visitor, settings)
                    halves.append(simulation.second_half(sheet, played))
                    nats.append(-np.log(np.maximum(played.chances, 1e-4)).mean())
            half = simulation.together(halves)
            worse_off = sum(each.misclassified[1] > each.misclassified[0] for each in halves)
            print(
                f"{group:12}{half.misclassified[0]:>7} →{half.misclassified[1]:>5}"
                f"{half.rejected[0]:>6} →{half.rejected[1]:>4}{half.worsened:>10}{worse_off:>10}"
                f"{half.accepted[1]:>8.1%}{np.mean(nats):>9.4f}"
            )


# --- the tables ---------------------------------------------------------------------------------


def table(title: str, halves: Mapping[int, Half]) -> str:
    head = f"{'misclassified':>14}{'':>6}{'rejected':>12}{'worsened':>10}{'ECE':>18}"
    lines = [title, f"{'writer':10}{'n':>6}{head}"]
    rows = [(str(writer), half) for writer, half in halves.items()]
    held_out = [half for writer, half in halves.items() if writer in HELD_OUT_WRITERS]
    if len(held_out) < len(halves):
        rows.append(("25 to 30", simulation.together(held_out)))
    every = simulation.together(halves.values())
    rows.append(("all", every))
    lines += [f"{name:10}{_row(half)}" for name, half in rows]
    worse_off = sum(half.misclassified[1] > half.misclassified[0] for half in halves.values())
    known = " → ".join(map(str, every.recurring))
    passed = " → ".join(f"{share:.1%}" for share in every.accepted)
    lines += [
        f"Misclassified and similar to an earlier mistake of the writer: {known}.",
        f"Writers with more mistakes than before: {worse_off}. Non-digits accepted: {passed}.",
    ]
    return "\n".join(lines)


def _row(half: Half) -> str:
    before, after = half.misclassified
    cut = f"{(after - before) / before:+.0%}" if before else ""
    errors = " →".join(f"{error:>7.2%}" for error in half.calibration_errors)
    return (
        f"{half.n:>6}{before:>8} →{after:>4}{cut:>6}"
        f"{half.rejected[0]:>6} →{half.rejected[1]:>4}{half.worsened:>10}{errors:>18}"
    )


def in_words(effects: Effects) -> str:
    return (
        f"{effects.corrections} wrong or rejected drawings, each corrected alone: of the writers' "
        f"later drawings {effects.fixed} became correct and {effects.broken} wrong."
    )


def measure(study: Study, *, bundled_only: bool) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for title, sheets in probes(study, bundled_only=bundled_only):
        figures = report[title] = {}
        for behaviour, visitor in VISITORS.items():
            halves = {
                sheet.writer: simulation.second_half(sheet, simulation.play(sheet, visitor))
                for sheet in sheets
            }
            print("\n" + table(f"{title}; the visitor {behaviour}", halves))
            figures[behaviour] = {
                writer: {name: getattr(half, name) for name in REPORTED}
                for writer, half in halves.items()
            }
        effects = simulation.single_corrections(sheets)
        print(in_words(effects))
        figures["single corrections"] = asdict(effects)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR")
    parser.add_argument("--bundled", action="store_true", help="only the bundled network")
    parser.add_argument("--placement", choices=sorted(PLACEMENTS), default="centred")
    parser.add_argument("--choose", action="store_true", help="try other settings")
    parser.add_argument(
        "--limit", type=int, help="maximum number of training drawings from each source"
    )
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        pen = datasets.read_pen(downloads.pen_file())
        study = Study(pen, options.placement, options.networks, options.limit)
        if options.choose:
            choose(choosing(study))
            return
        results.print_title(f"Second half of each writer's digits, {options.placement}")
        report = results.Report(placement=options.placement, limit=options.limit)
        report.figures["networks"] = measure(study, bundled_only=options.bundled)
    costs = cost.measure(simulation.MOST_CORRECTIONS)
    print(f"\n{costs}")
    report.figures["costs"] = costs
    report.write(options.json)


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
