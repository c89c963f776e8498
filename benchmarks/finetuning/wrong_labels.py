"""Find labels that were made wrong on purpose, and train without them.

    python -m benchmarks.finetuning.wrong_labels [--rounds 50] [--choose]
    python -m benchmarks.finetuning.wrong_labels --train [--labels 500]

Pen digits of the held-out writers (25-30), in common handwriting and in the style "slab" of
``benchmarks.finetuning.handwriting_styles``, which the network recognises badly:

- 5 of 200 labels are flipped: how many are among the first five suspects;
- 10 % of 1,000 labels are flipped: how many of them are found, and how many suspects are flipped;
- up to 100 sevens of two strokes are labelled 1, among 900 right labels without or with 30 such
  sevens labelled 7: how many are found, and whether the largest pattern is 1 that looks like 7.

``--choose`` does this on writers 1-24 for several settings of ``confident_learning``: its settings
were chosen from that table.

``--train`` runs ``train_model`` on labels of which 10 % are flipped, with and without the suspects,
and on the right labels, and measures each version on other drawings of the same style and on MNIST.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import command_line, results
from benchmarks.common.results import Report, Share, Table
from benchmarks.common.running_site import Site, running_site
from benchmarks.finetuning.handwriting_styles import PEN, STYLES
from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.labelling import confident_learning
from training.data import datasets, downloads
from training.data.datasets import HELD_OUT_WRITERS, PenDigit
from training.synthesis.strokes import draw_at

PLAIN, SLAB = "plain", "slab"
FEW, FLIPPED_OF_FEW = 200, 5
MANY, FLIPPED_OF_MANY = 1000, 100
LABELLED_WRITERS = (25, 26, 27)
DRAWN_EACH = 3
"""Times that each measured digit is drawn after a training."""

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "network's weight 0": {"weight": 0.0},
    "network's weight 0.5": {"weight": 0.5},
    "network's weight 1": {"weight": 1.0},
    "5 neighbours": {"neighbours": 5},
    "10 neighbours": {"neighbours": 10},
    "sure at 0.9": {"sure": 0.9},
    "sure at 0.995": {"sure": 0.995},
    "never sure": {"sure": 2.0},
}
"""What ``--choose`` compares."""


@dataclass(frozen=True)
class Drawn:
    """Drawings with what the network says: (n, 11), (n, d), true digits (n,), strokes (n,)."""

    probabilities: confident_learning.Floats
    embeddings: confident_learning.Floats
    digits: NDArray[np.int64]
    strokes: NDArray[np.int64]
    is_slab: NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """Labels of some drawings, and which of them are wrong."""

    name: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    is_wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What a search found in one case.

    ``first`` is how many of the first five suspects are wrong, ``pattern`` the most frequent label
    and likely label.
    """

    first: int
    suspects: int
    hits: int
    wrong: int
    pattern: tuple[int, int] | None


def png_of(digit: PenDigit, style: str, rng: np.random.Generator) -> bytes:
    if style == PLAIN:
        return imaging.encode_png(draw_at(digit.strokes, PEN, rng))
    return STYLES[style].draw(digit, rng)


def draw(digits: Sequence[PenDigit], most: int, classifier: Classifier) -> Drawn:
    rng = np.random.default_rng(1)
    answers, chosen, is_slab = [], [], []
    for style in (PLAIN, SLAB):
        for index in rng.permutation(len(digits))[:most]:
            with Image.open(io.BytesIO(png_of(digits[index], style, rng))) as picture:
                pixels = np.asarray(picture.convert("L"))
            answers.append(classifier.classify(datasets.model_input_of(pixels)))
            chosen.append(digits[index])
            is_slab.append(style == SLAB)
    return Drawn(
        np.stack([confident_learning.probabilities_of(answer) for answer in answers]),
        np.stack([confident_learning.direction_of(answer) for answer in answers]),
        np.array([digit.label for digit in chosen]),
        np.array([len(digit.strokes) for digit in chosen]),
        np.array(is_slab),
    )


def flipped(
    labels: NDArray[np.int64], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels of which some are other digits, and which."""
    is_wrong = np.zeros(len(labels), bool)
    is_wrong[rng.permutation(len(labels))[:count]] = True
    other = (labels + rng.integers(1, 10, len(labels))) % 10
    return np.where(is_wrong, other, labels), is_wrong


def cases(drawn: Drawn, rounds: int) -> Iterator[Case]:
    everything = np.ones(len(drawn.digits), bool)
    groups = {"plain": ~drawn.is_slab, "slab": drawn.is_slab, "both": everything}
    for number in range(rounds):
        rng = np.random.default_rng([number, 15])
        for name, members in groups.items():
            rows = rng.permutation(np.flatnonzero(members))
            for size, count in ((FEW, FLIPPED_OF_FEW), (MANY, FLIPPED_OF_MANY)):
                some = rows[:size]
                labels, is_wrong = flipped(drawn.digits[some], count, rng)
                yield Case(f"{count} of {len(some):,} flipped, {name}", some, labels, is_wrong)
        crossed = (drawn.digits == 7) & (drawn.strokes > 1) & ~drawn.is_slab
        sevens = rng.permutation(np.flatnonzero(crossed))
        others = rng.permutation(np.flatnonzero(~crossed & ~drawn.is_slab))[:900]
        for right in (0, 30):
            wrong = min(100, len(sevens) - right)
            if wrong < 1:
                continue
            rows = np.concatenate([sevens[: wrong + right], others])
            is_wrong = np.arange(len(rows)) < wrong
            labels = np.where(is_wrong, 1, drawn.digits[rows])
            yield Case(f"{wrong} crossed 7s labelled 1, {right} 7", rows, labels, is_wrong)


def search(case: Case, drawn: Drawn, **settings: Any) -> Found:
    found = confident_learning.find_suspects(
        drawn.probabilities[case.rows], drawn.embeddings[case.rows], case.labels, **settings
    )
    hits = [bool(case.is_wrong[each.index]) for each in found]
    pairs = Counter((each.label, each.likely) for each in found)
    return Found(
        first=sum(hits[:FLIPPED_OF_FEW]),
        suspects=len(found),
        hits=sum(hits),
        wrong=int(case.is_wrong.sum()),
        pattern=pairs.most_common(1)[0][0] if pairs else None,
    )


TABLE = Table(
    "first five", "4 or more", "found", "interval", "precise", "interval", "7 as 1 first",
    name="", name_width=38,
)  # fmt: skip


def line(name: str, found: Sequence[Found]) -> str:
    hits = Share(sum(each.hits for each in found), sum(each.wrong for each in found))
    precise = Share(hits.count, max(1, sum(each.suspects for each in found)))
    return TABLE.line(
        name,
        f"{np.mean([each.first for each in found]):.2f}",
        f"{np.mean([each.first >= 4 for each in found]):.0%}",
        *hits.cells(),
        *precise.cells(),
        f"{np.mean([each.pattern == (1, 7) for each in found]):.0%}",
    )


def measure_search(drawn: Drawn, rounds: int, **settings: Any) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {}
    for case in cases(drawn, rounds):
        found.setdefault(case.name, []).append(search(case, drawn, **settings))
    return found


# --- training ------------------------------------------------------------------------------------


def write_folder(
    digits: Sequence[PenDigit], labels: Sequence[int], style: str, folder: Path, times: int = 1
) -> None:
    rng = np.random.default_rng(4)
    for number, (digit, label) in enumerate(zip(digits, labels, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        for turn in range(times):
            (place / f"{number}-{turn}.png").write_bytes(png_of(digit, style, rng))


def measure_training(digits: Sequence[PenDigit], count: int, style: str, quick: bool) -> list[Any]:
    """Train three versions; return a row for each and for the bundled one."""
    own = datasets.by_writers(digits, LABELLED_WRITERS)
    rest = datasets.by_writers(
        digits, [each for each in HELD_OUT_WRITERS if each not in LABELLED_WRITERS]
    )
    order = np.random.default_rng(7).permutation(len(own))
    learned = [own[index] for index in order[:count]]
    measured = [*(own[index] for index in order[count:]), *rest]
    right = np.array([digit.label for digit in learned])
    wrong, _is_wrong = flipped(right, round(count / 10), np.random.default_rng(8))
    rows = []
    with tempfile.TemporaryDirectory() as name, running_site() as site:
        folder = Path(name)
        write_folder(learned, right.tolist(), style, folder / "right")
        write_folder(learned, wrong.tolist(), style, folder / "wrong")
        write_folder(
            measured, [digit.label for digit in measured], style, folder / "test", DRAWN_EACH
        )
        rows.append({"name": "before", **_measured(site, None, folder)})
        for version, labels, handling in (
            ("right labels", "right", "keep"),
            ("10 % flipped, kept", "wrong", "keep"),
            ("10 % flipped, dropped", "wrong", "drop"),
        ):
            model = version.replace(" ", "-").replace(",", "").replace("%", "percent")
            said = site.manage(
                "train_model", "--labelled", str(folder / labels), "--suspects", handling,
                "--name", model,
                "--activate", "never", "--report", str(folder / "report" / version),
                *(("--epochs", "1", "--limit", "40") if quick else ()),
            )  # fmt: skip
            sentence = next((each for each in said.splitlines() if "look" in each), "")
            rows.append({"name": version, "said": sentence, **_measured(site, model, folder)})
            print(rows[-1], flush=True)
    return rows


def _measured(site: Site, model: str | None, folder: Path) -> dict[str, Any]:
    spec = f"folder:{folder / 'test'}"
    named = () if model is None else (model,)
    sets = json.loads(site.manage("evaluate_model", "--json", "--on", f"mnist,{spec}", *named))[
        "sets"
    ]
    return {
        "n": sets[spec]["n"],
        "mistakes": sets[spec]["mistakes"],
        "mnist_n": sets["mnist test"]["n"],
        "mnist_mistakes": sets["mnist test"]["mistakes"],
    }


def training_table(rows: Sequence[Mapping[str, Any]]) -> str:
    table = Table("accuracy", "interval", "MNIST", "interval", name="labels", name_width=26)
    lines = [table.head]
    for row in rows:
        right = Share(row["n"] - row["mistakes"], row["n"])
        mnist = Share(row["mnist_n"] - row["mnist_mistakes"], row["mnist_n"])
        lines.append(table.line(row["name"], *right.cells(), *mnist.cells()))
    by_name = {row["name"]: 1 - row["mistakes"] / row["n"] for row in rows}
    gap = by_name["right labels"] - by_name["10 % flipped, dropped"]
    lines.append(
        results.verdict(
            f"Without the suspects {100 * gap:+.2f} points below the right labels (goal 0.2):",
            reached=gap <= 0.002,
        )
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--choose", action="store_true", help="compare settings on writers 1-24")
    parser.add_argument("--train", action="store_true", help="train with and without the suspects")
    parser.add_argument("--style", default=SLAB, choices=(PLAIN, *STYLES), help="of --train")
    parser.add_argument("--labels", type=int, default=500, help="of --train")
    parser.add_argument("--quick", action="store_true", help="little data, to see that it runs")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        digits = datasets.read_pen(downloads.pen_file())
        classifier = load_bundle(BUNDLED).load()
    results.print_title("Wrong labels")
    report = Report(rounds=options.rounds, labels=options.labels, style=options.style)
    if options.train:
        held_out = datasets.by_writers(digits, HELD_OUT_WRITERS)
        rows = measure_training(held_out, options.labels, options.style, options.quick)
        report.figures["training"] = rows
        print(training_table(rows))
    else:
        writers = range(1, 25) if options.choose else HELD_OUT_WRITERS
        most = 100 if options.quick else 2500
        drawn = draw(datasets.by_writers(digits, writers), most, classifier)
        for name, settings in (SETTINGS if options.choose else {"as it is": {}}).items():
            print(f"\n{name}\n{TABLE.head}")
            found = measure_search(drawn, options.rounds, **settings)
            report.figures[name] = found
            for case, some in found.items():
                print(line(case, some), flush=True)
    report.write(options.json)


if __name__ == "__main__":
    main()
