"""Measure what a visitor's own corrections do for that visitor's next drawings, and what it costs.

    python -m benchmarks.personalisation.quality [--networks DIR] [--bundled] [--placement centred]
    [--json PATH] python -m benchmarks.personalisation.quality --choose

Pen writers whom the network has never seen write their 250 digits in the order in which they did;
each answer that is wrong, or refuses the digit, is corrected. Counted are the mistakes of the
second half, without and with what was learned until then. The bundled network knows the writers 1
to 22, so on it only those that are held out can be played, and it misreads few of their digits:
they are played mirrored too, a hand that it has never seen. Two more networks are trained for
this by the fast recipe and kept in DIR (default: reports/personal): one that has seen 16 of the
writers, one that has seen MNIST only. Both are played on the writers 17 to 30; of those, 25 to 30
have chosen nothing. ``--bundled`` trains nothing.

``--choose`` prints what the settings of ``neighbours.Mix`` around the chosen ones do, on the
writers 1 to 24 alone, each read by networks that have not seen them, or mirrored.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from benchmarks.personalisation import cost, held_out_networks, simulation
from benchmarks.personalisation.simulation import Half, Sheet, Spill, Visitor
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.inference.personal_posterior import CHOSEN, Mix
from training.data import datasets, downloads
from training.data.datasets import HELD_OUT_WRITERS, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.synthetic import Fresh, Material, draw_fresh
from training.synthesis.strokes import PLACEMENTS

NETWORKS = Path("reports", "personal")
OTHER_WRITERS = range(17, 31)
OTHERS = Fresh(nondigits=200)
"""Drawings that are no digits, of whom each writer's memory is asked in the end."""

VISITORS = {
    "corrects mistakes": Visitor(),
    "confirms right answers too": Visitor(confirms=True),
    "lets every other mistake pass": Visitor(lazy=0.5),
    "corrects, one in ten wrongly": Visitor(slips=0.1),
}


@dataclass(frozen=True)
class Desk:
    """What the writers write with, and where the networks are kept."""

    pen: Sequence[PenDigit]
    placement: str
    folder: Path
    say: Callable[[str], None]
    limit: int | None = None

    def sheets(
        self, network: str | None, writers: Sequence[int], *, mirrored: bool = False
    ) -> list[Sheet]:
        """Return what the writers wrote, read by a network of ``unseen``; None is the bundled."""
        bundle = (
            load_bundle(BUNDLED)
            if network is None
            else held_out_networks.network(network, self.folder, self.say, self.limit)
        )
        return simulation.write(
            Classifier(bundle),
            self.pen,
            writers,
            PLACEMENTS[self.placement],
            draw_fresh(Material(), OTHERS, seed=77),
            mirrored=mirrored,
        )


def probes(desk: Desk, *, bundled_only: bool) -> Iterator[tuple[str, list[Sheet]]]:
    """Yield each network's name with the writers that it has not seen, as measured."""
    bundled = load_bundle(BUNDLED).name
    yield f"{bundled}, which is served", desk.sheets(None, HELD_OUT_WRITERS)
    yield f"{bundled}, mirrored hands", desk.sheets(None, HELD_OUT_WRITERS, mirrored=True)
    for name in () if bundled_only else ("pen 1-16", "MNIST only"):
        yield f"fast recipe, {name}", desk.sheets(name, OTHER_WRITERS)


# --- choosing -----------------------------------------------------------------------------------

NEAR: Mapping[str, Sequence[float]] = {
    "weight": (9.0, 11.0, 14.0),
    "width": (0.07, 0.14),
    "noise": (0.02, 0.15),
    "accepted_noise": (0.5, 1e6),
    "doubt": (3e-5, 1e-3),
    "neighbours": (8, 48),
}
"""What ``--choose`` tries beside the chosen settings, one at a time."""


def choosing(desk: Desk) -> dict[str, list[Sheet]]:
    """Return what the settings are chosen on: no writer that is held out.

    The bundled network knows these writers: there, nothing may get worse.
    """
    return {
        "pen 1-16": desk.sheets("pen 1-16", range(17, 25)),
        "pen 13-22": desk.sheets("pen 13-22", range(1, 13)),
        "MNIST only": desk.sheets("MNIST only", range(1, 25, 3)),
        "bundled": desk.sheets(None, range(1, 25, 3)),
        "mirrored": desk.sheets(None, range(1, 13, 2), mirrored=True),
    }


def choose(groups: Mapping[str, Sequence[Sheet]], say: Callable[[str], None]) -> None:
    """Print how settings do for three kinds of visitors: mistakes, and surprise in nats.

    Surprise is the mean negative log-likelihood of the truth, over the eleven classes; a
    probability under 1e-4 counts as that, so that no slip of the data decides.
    """
    rows: dict[str, Mix] = {f"{CHOSEN}": CHOSEN}
    for name, values in NEAR.items():
        for value in values:
            changed: Any = {name: value}
            rows[f"{name} {value}"] = replace(CHOSEN, **changed)
    head = (
        f"{'misread':>12}{'refused':>12}{'worsened':>10}{'worse off':>10}{'others':>8}{'nats':>9}"
    )
    for title, numbers in rows.items():
        say(f"\n{title}\n{'':12}{head}")
        for group, sheets in groups.items():
            halves, nats = [], []
            for visitor in (Visitor(), Visitor(confirms=True), Visitor(lazy=0.5)):
                for sheet in sheets:
                    played = simulation.play(sheet, visitor, numbers)
                    halves.append(simulation.second_half(sheet, played))
                    nats.append(-np.log(np.maximum(played.chances, 1e-4)).mean())
            half = simulation.together(halves)
            worse_off = sum(each.misread[1] > each.misread[0] for each in halves)
            say(
                f"{group:12}{half.misread[0]:>5} →{half.misread[1]:>5}"
                f"{half.refused[0]:>6} →{half.refused[1]:>4}{half.worsened:>10}{worse_off:>10}"
                f"{half.accepted[1]:>8.1%}{np.mean(nats):>9.4f}"
            )


# --- the tables ---------------------------------------------------------------------------------


def table(title: str, halves: Mapping[int, Half]) -> str:
    """Return one network's writers, as text."""
    head = f"{'misread':>12}{'':>6}{'refused':>12}{'worsened':>10}{'ECE':>18}"
    lines = [title, f"{'writer':10}{'n':>6}{head}"]
    rows = [(str(writer), half) for writer, half in halves.items()]
    held_out = [half for writer, half in halves.items() if writer in HELD_OUT_WRITERS]
    if len(held_out) < len(halves):
        rows.append(("25 to 30", simulation.together(held_out)))
    every = simulation.together(halves.values())
    rows.append(("all", every))
    lines += [f"{name:10}{_row(half)}" for name, half in rows]
    worse_off = sum(half.misread[1] > half.misread[0] for half in halves.values())
    known = " → ".join(map(str, every.recurring))
    passed = " → ".join(f"{share:.1%}" for share in every.accepted)
    lines += [
        f"Misread, and like a mistake that the writer had met before: {known}.",
        f"Worse off: {worse_off} writers. Non-digits taken for a digit: {passed}.",
    ]
    return "\n".join(lines)


def _row(half: Half) -> str:
    before, after = half.misread
    cut = f"{(after - before) / before:+.0%}" if before else ""
    errors = " →".join(f"{error:>7.2%}" for error in half.calibration_errors)
    return (
        f"{half.n:>6}{before:>6} →{after:>4}{cut:>6}"
        f"{half.refused[0]:>6} →{half.refused[1]:>4}{half.worsened:>10}{errors:>18}"
    )


def lessons(spill: Spill) -> str:
    """Return in words what single lessons do."""
    return (
        f"{spill.taught} drawings that were misread or refused, taught one at a time: of what the "
        f"writer wrote after it {spill.to_right} became right and {spill.to_wrong} wrong."
    )


def measure(desk: Desk, *, bundled_only: bool) -> dict[str, Any]:
    """Print the tables; return their figures."""
    report: dict[str, Any] = {}
    for title, sheets in probes(desk, bundled_only=bundled_only):
        figures = report[title] = {}
        for behaviour, visitor in VISITORS.items():
            halves = {
                sheet.writer: simulation.second_half(sheet, simulation.play(sheet, visitor))
                for sheet in sheets
            }
            desk.say("\n" + table(f"{title}; the visitor {behaviour}", halves))
            figures[behaviour] = {
                writer: {
                    "n": half.n,
                    "misread": half.misread,
                    "recurring": half.recurring,
                    "refused": half.refused,
                    "worsened": half.worsened,
                    "calibration_errors": half.calibration_errors,
                    "accepted": half.accepted,
                }
                for writer, half in halves.items()
            }
        spill = simulation.spilled(sheets)
        desk.say(lessons(spill))
        figures["lessons"] = asdict(spill)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR")
    parser.add_argument("--bundled", action="store_true", help="the bundled network alone")
    parser.add_argument("--placement", choices=sorted(PLACEMENTS), default="centred")
    parser.add_argument("--choose", action="store_true", help="try other settings of the mix")
    parser.add_argument("--limit", type=int, help="train on so many drawings of each source")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    options = parser.parse_args(arguments)
    try:
        pen = datasets.read_pen(downloads.pen_file())
        desk = Desk(pen, options.placement, options.networks, print, options.limit)
        if options.choose:
            choose(choosing(desk), print)
            return
        print(f"Second half of each writer's digits, {options.placement}; {environment.describe()}")
        report = {"machine": environment.describe(), "networks": {}}
        report["networks"] = measure(desk, bundled_only=options.bundled)
    except (DataUnavailable, DataDamaged) as error:
        raise SystemExit(str(error)) from error
    costs = cost.measure(simulation.MOST_REMEMBERED)
    print(f"\n{costs}")
    report["costs"] = asdict(costs)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
