from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from training import run_report, workflow
from training.data import training_data
from training.model.bundle import write_bundle
from training.model.config import RECIPES
from training.model.new_network import line_of
from training.model.train import History

INTERRUPTED = 130

STARTED_WITH = (
    "mnist", "labelled", "limit", "recipe", "epochs", "from_scratch", "fine_tune", "start_from",
    "seed", "set", "suspects",
)  # fmt: skip
"""Options that a training keeps when it is resumed."""


class Command(BaseCommand):
    help = (
        "Fine-tune the active model on labelled drawings, or train a new model. The result is "
        "saved as a model version, and activated if it passes the quality checks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data",
            default=",".join(training_data.SOURCES),
            type=sources,
            help="what to train on, separated by commas (default: %(default)s)",
        )
        parser.add_argument("--mnist", type=Path, metavar="PATH", help="an npz in Keras' layout")
        parser.add_argument(
            "--labelled",
            type=Path,
            metavar="PATH",
            help="a file or folder with labelled drawings, instead of those in the database",
        )
        parser.add_argument(
            "--limit",
            type=positive,
            metavar="N",
            help="limit per source, for a quick try that gives no useful model",
        )
        parser.add_argument(
            "--resume",
            type=Path,
            metavar="DIR",
            help="go on with an interrupted training of a new network; DIR is its report's folder",
        )
        recipe = parser.add_mutually_exclusive_group()
        recipe.add_argument(
            "--recipe",
            choices=("shipped", "fast"),
            help="train a new network; shipped: like the bundled one; fast: in under three minutes",
        )
        recipe.add_argument(
            "--fast",
            dest="recipe",
            action="store_const",
            const="fast",
            help="short for --recipe fast",
        )
        parser.add_argument("--epochs", type=positive, help="default: the recipe's number")
        start = parser.add_mutually_exclusive_group()
        start.add_argument(
            "--from-scratch",
            action="store_true",
            help="train a new network (the default if there are no labelled drawings)",
        )
        start.add_argument(
            "--fine-tune",
            action="store_true",
            help="fine-tune the network that the active model is based on, with all labelled "
            "drawings, in a minute or two (the default if there are any)",
        )
        start.add_argument(
            "--start-from",
            metavar="NAME",
            help="like --fine-tune, but start from this model version",
        )
        parser.add_argument(
            "--seed",
            type=int,
            help="of drawings, augmentation and initial weights (default: the recipe's)",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="change a setting of the recipe, for example batch=512 or augmentation.shift=1",
        )
        parser.add_argument(
            "--suspects",
            choices=("ask", "drop", "keep"),
            help="what to do with labels that look wrong and that similar drawings contradict "
            "(default: ask on a terminal, else keep)",
        )
        parser.add_argument("--name", help="of the new version (default: date and recipe)")
        parser.add_argument(
            "--activate",
            choices=("auto", "always", "never"),
            default="auto",
            help="auto: only if it passes the quality checks (default)",
        )
        parser.add_argument("--report", type=Path, metavar="DIR", help="default: reports/NAME")
        parser.add_argument(
            "--bundle", type=Path, metavar="DIR", help="also write the model files there"
        )

    def handle(self, **options: Any) -> None:
        try:
            self.train(**options)
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Nothing was stored; the active model is unchanged. To go on with a "
                "new network: manage.py train_model --resume and the folder of its report.",
                returncode=INTERRUPTED,
            ) from None
        except workflow.TrainingError as error:
            raise CommandError(str(error)) from error

    def train(self, **options: Any) -> None:
        for folder in filter(None, (options["report"], options["bundle"])):
            # Fail now rather than after an hour of training.
            make_folder(folder)
        saved = self.resume(options) if options["resume"] else self.start(options)
        name = saved.version.name
        self.stdout.write(
            run_report.table(saved.result, saved.previous.name if saved.previous else None)
        )
        self.stdout.write(f"Saved as model version {name}.")
        if saved.activated:
            self.stdout.write(self.style.SUCCESS(f"{name} activated."))
        else:
            self.stdout.write(
                f"Active model unchanged. To change it: manage.py activate_model {name}"
            )
        folder = options["report"] or options["resume"] or Path("reports") / name
        try:
            run_report.write_report(saved.result, folder)
            if options["bundle"]:
                write_bundle(saved.result.bundle, options["bundle"])
        except OSError as error:
            raise CommandError(f"{name} was saved, but not its files: {error}") from error
        self.stdout.write(f"Report: {folder}")

    def start(self, options: Any) -> workflow.Saved:
        return workflow.train_version(
            listener=Screen(self),
            fine_tune=chosen_start(options),
            start_from=options["start_from"],
            recipe=RECIPES[options["recipe"] or "shipped"],
            epochs=options["epochs"],
            seed=options["seed"],
            settings=options["set"],
            sources=options["data"],
            mnist_path=options["mnist"],
            labelled_path=options["labelled"],
            limit=options["limit"],
            name=options["name"],
            folder=options["report"],
            drop_suspects=self.drops(options["suspects"]),
            activate=workflow.Activate(options["activate"]),
        )

    def drops(self, suspects: str | None) -> Callable[[int], bool]:
        """Return whether to train without a number of labels that look wrong."""
        if suspects == "ask" or (suspects is None and sys.stdin.isatty()):
            return self.ask
        return lambda count: suspects == "drop"

    def ask(self, count: int) -> bool:
        self.stdout.write(
            "To look at them, stop here (Ctrl-C) and open the review queue in the order "
            "“Suspect labels”."
        )
        what = "this label" if count == 1 else f"these {count:,} labels"
        try:
            return input(f"Train without {what}? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            return False

    def resume(self, options: Any) -> workflow.Saved:
        for name in STARTED_WITH:
            if options[name]:
                raise CommandError(
                    "--resume goes on with the options that the training was started with: "
                    f"omit --{name.replace('_', '-')}."
                )
        return workflow.resume_version(
            folder=options["resume"],
            listener=Screen(self),
            name=options["name"],
            activate=workflow.Activate(options["activate"]),
        )


class Screen:
    """Shows a run on the terminal: progress bars on stderr, lines on stdout."""

    def __init__(self, command: BaseCommand) -> None:
        self.command = command
        self.bar: Any = None

    def say(self, text: str) -> None:
        self.command.stdout.write(text)

    def downloaded(self, name: str, done: int, total: int) -> None:
        self._show(name, done, total, unit="B", unit_scale=True)

    def planned(self, epochs: int) -> None:
        """Nothing to show: each epoch has its line."""

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        self._show(f"epoch {epoch + 1}", step, steps, f"loss {loss:.4f}", unit="batch")

    def epoch_done(self, epoch: int, history: History) -> None:
        self.say(line_of(epoch, history))

    def _show(self, name: str, done: int, total: int, note: str = "", **looks: Any) -> None:
        if self.bar is None or self.bar.desc != name:
            if self.bar is not None:
                self.bar.close()
            self.bar = tqdm(
                desc=name, total=total or None, file=sys.stderr, dynamic_ncols=True, **looks
            )
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(done - self.bar.n)
        if done == total:
            self.bar.close()
            self.bar = None


def make_folder(folder: Path) -> None:
    """Create a folder for the output of a run. Raises ``CommandError`` if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"Can't write to {folder}: {error.strerror or error}") from error


def chosen_start(options: Any) -> bool | None:
    """Return whether to fine-tune, or None if that depends on whether there are labels.

    Raises ``CommandError`` if a recipe for a new network is named along with fine-tuning.
    """
    if options["recipe"]:
        for option in ("fine_tune", "start_from"):
            if options[option]:
                raise CommandError(
                    f"--{option.replace('_', '-')} has a recipe of its own: "
                    "omit --recipe and --fast."
                )
    if options["recipe"] or options["from_scratch"]:
        return False
    return True if options["fine_tune"] else None


def sources(text: str) -> frozenset[str]:
    names = frozenset(filter(None, (name.strip() for name in text.split(","))))
    if unknown := sorted(names - set(training_data.SOURCES)):
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; choose from {', '.join(training_data.SOURCES)}"
        )
    if not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(training_data.SOURCES)}")
    return names


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)
