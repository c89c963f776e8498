from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from recognizer.inference.classifier import BundleError
from recognizer.models import ModelVersion
from recognizer.predictions import selectors
from recognizer.versions import registry
from training import pipeline, run_report, version_lookup
from training.data import training_data
from training.data.downloads import DataDamaged
from training.model.bundle import write_bundle
from training.model.config import FINE_TUNE, RECIPES, Plan
from training.model.train import History

INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Teach the active model the drawings that reviewers have labelled, or train a new one; "
        "keep it as a version, and activate it if it is better on labelled drawings and no worse "
        "elsewhere."
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
            metavar="FILE",
            help="an npz that export_drawings wrote, instead of the database's labels",
        )
        parser.add_argument(
            "--limit",
            type=positive,
            metavar="N",
            help="use at most N drawings of each source: a quick try, no good model",
        )
        recipe = parser.add_mutually_exclusive_group()
        recipe.add_argument(
            "--recipe",
            choices=("shipped", "fast"),
            help="a new network; shipped: as the bundled one was made; fast: within three minutes",
        )
        recipe.add_argument(
            "--fast", dest="recipe", action="store_const", const="fast", help="--recipe fast"
        )
        parser.add_argument("--epochs", type=positive, help="instead of the recipe's number")
        start = parser.add_mutually_exclusive_group()
        start.add_argument(
            "--from-scratch",
            action="store_true",
            help="a new network (the default where there are no labelled drawings)",
        )
        start.add_argument(
            "--fine-tune",
            action="store_true",
            help="the network that the active model came from learns all labelled drawings, in a "
            "minute or two (the default where there are any)",
        )
        start.add_argument(
            "--start-from",
            metavar="NAME",
            help="like --fine-tune, but teach this version, with what it has learned already",
        )
        parser.add_argument(
            "--seed",
            type=int,
            help="of the strokes, deformations and first weights (default: the recipe's)",
        )
        parser.add_argument("--name", help="the new version's name (default: made of the date)")
        parser.add_argument(
            "--activate",
            choices=("auto", "always", "never"),
            default="auto",
            help="auto: only if it passes the gate (default)",
        )
        parser.add_argument("--report", type=Path, metavar="DIR", help="default: reports/NAME")
        parser.add_argument(
            "--bundle", type=Path, metavar="DIR", help="also write the model's files there"
        )

    def handle(self, **options: Any) -> None:
        try:
            self.train(**options)
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Nothing was stored; the active model is unchanged.",
                returncode=INTERRUPTED,
            ) from None
        except (
            BundleError,
            DataDamaged,
            FileNotFoundError,
            pipeline.NothingToTrainOn,
            registry.RegistrationError,
            registry.ActivationError,
        ) as error:
            raise CommandError(str(error)) from error

    def train(self, **options: Any) -> None:
        active = version_lookup.active_version()
        parent = chosen_start(options, active)
        recipe = chosen_recipe(options, parent is not None)
        if options["name"] and ModelVersion.objects.filter(name=options["name"]).exists():
            raise CommandError(f"There is a model version called {options['name']} already.")
        for folder in filter(None, (options["report"], options["bundle"])):
            # Better now than after an hour of training.
            make_folder(folder)
        order = pipeline.Order(
            sources=options["data"],
            recipe=recipe,
            mnist_path=options["mnist"],
            start_from=version_lookup.start_of(parent),
            name=options["name"],
            limit=options["limit"],
        )
        if parent and not options["fine_tune"]:
            self.stdout.write(
                f"Teaching {parent.name} what is labelled. To train a new network: --from-scratch."
            )
        given = options["labelled"]
        result = pipeline.train(
            order,
            labelled=lambda: (
                training_data.read_labelled_file(given)
                if given
                else training_data.read_labelled_database()
            ),
            active=version_lookup.bundle_of(active),
            listener=Screen(self),
        )
        if not connection.in_atomic_block:
            # A long run outlives the connection of many a database server.
            connection.close_if_unusable_or_obsolete()
        self.stdout.write(run_report.table(result, active.name if active else None))
        self.keep(result, parent, options)

    def keep(self, result: pipeline.Result, parent: ModelVersion | None, options: Any) -> None:
        bundle, decision = result.bundle, result.decision
        registry.register_model(bundle=bundle, parent=parent)
        self.stdout.write(f"Kept as model version {bundle.name}.")
        folder = options["report"] or Path("reports") / bundle.name
        try:
            run_report.write_report(result, folder)
            if options["bundle"]:
                write_bundle(bundle, options["bundle"])
        except OSError as error:
            raise CommandError(f"{error}. The model is kept, not activated.") from error
        self.stdout.write(f"Report: {folder}")
        self.stdout.write(decision.reason)
        if options["activate"] == "always" or (options["activate"] == "auto" and decision.activate):
            registry.activate_model(name=bundle.name)
            self.stdout.write(self.style.SUCCESS(f"{bundle.name} is active now."))
        else:
            self.stdout.write("The active model stays. To change: manage.py activate_model NAME")


class Screen:
    """Shows a run on the terminal: bars with the time left on stderr, lines on stdout."""

    def __init__(self, command: BaseCommand) -> None:
        self.command = command
        self.bar: Any = None

    def say(self, text: str) -> None:
        """Show a line."""
        self.command.stdout.write(text)

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Show a download's bar."""
        self._show(name, done, total, unit="B", unit_scale=True)

    def planned(self, epochs: int) -> None:
        """Nothing to show: each epoch has its line."""

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Show an epoch's bar."""
        self._show(f"epoch {epoch + 1}", step, steps, f"loss {loss:.4f}", unit="batch")

    def epoch_done(self, epoch: int, history: History) -> None:
        """Show a line for the epoch."""
        self.say(
            f"epoch {epoch + 1}: loss {history.loss[-1]:.4f}, "
            f"validation {history.validation_accuracy[-1]:.2%}"
        )

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
    """Make a folder for what a run writes; raises ``CommandError`` where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"Can't write to {folder}: {error.strerror or error}") from error


def chosen_start(options: Any, active: ModelVersion | None) -> ModelVersion | None:
    """Return the version whose network is to be taught, or None where a new one is to be trained.

    Raises ``CommandError`` where teaching is asked for and can't be: there is no network, or a
    recipe beside it.
    """
    named = options["start_from"]
    if named is None and not options["fine_tune"]:
        labels = bool(options["labelled"]) or selectors.labelled_drawings().exists()
        new = options["from_scratch"] or options["recipe"] or "labelled" not in options["data"]
        return version_lookup.to_teach(active) if labels and not new else None
    if options["recipe"]:
        asked = "--fine-tune" if named is None else "--start-from"
        raise CommandError(f"{asked} has a recipe of its own: leave --recipe and --fast out.")
    if named is None:
        start = version_lookup.to_teach(active)
        missing = "There is no active model with a network to start from."
    else:
        start = ModelVersion.objects.filter(name=named).first()
        missing = f"There is no model version called {named}."
        if start is not None and not start.training:
            start, missing = None, f"{named} has no network to start from, only its serving bytes."
    if start is None:
        raise CommandError(missing)
    return start


def chosen_recipe(options: Any, fine_tune: bool) -> Plan:
    """Return the recipe that the options ask for."""
    recipe: Plan = FINE_TUNE if fine_tune else RECIPES[options["recipe"] or "shipped"]
    changes = {name: options[name] for name in ("epochs", "seed") if options[name] is not None}
    return dataclasses.replace(recipe, **changes)


def sources(text: str) -> frozenset[str]:
    """Parse ``--data``."""
    names = frozenset(filter(None, (name.strip() for name in text.split(","))))
    if unknown := sorted(names - set(training_data.SOURCES)):
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; choose from {', '.join(training_data.SOURCES)}"
        )
    if not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(training_data.SOURCES)}")
    return names


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)
