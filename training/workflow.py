"""From a request to a stored model version: what the command and the training job both run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recognizer.inference.classifier import BundleError
from recognizer.labelling import learned
from recognizer.models import Cause, ModelVersion
from recognizer.predictions import selectors
from recognizer.versions import registry
from training import pipeline, version_lookup
from training.data import labelled, suspect_labels, training_data
from training.data.downloads import DataDamaged
from training.data.labelled import Labelled
from training.model.checkpoint import Checkpoint
from training.model.config import FINE_TUNE, SHIPPED, Plan, Recipe, SettingError
from training.model.new_network import CHECKPOINT, Listener, NothingToTrainOn


class TrainingError(ValueError):
    """A training could not be started or finished; the message says what to do."""


class Activate(str, Enum):
    """When a new version is activated; with ``AUTO`` the gate decides."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Saved:
    """A stored version, its evaluation, and the version that was active before."""

    version: ModelVersion
    result: pipeline.Result
    previous: ModelVersion | None
    activated: bool


def train_version(
    *,
    listener: Listener,
    fine_tune: bool | None = None,
    start_from: str | None = None,
    recipe: Recipe = SHIPPED,
    epochs: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    sources: frozenset[str] = frozenset(training_data.SOURCES),
    mnist_path: Path | None = None,
    labelled_path: Path | None = None,
    limit: int | None = None,
    name: str | None = None,
    folder: Path | None = None,
    drop_suspects: Callable[[int], bool] = lambda count: False,
    activate: Activate = Activate.AUTO,
    by: User | None = None,
    on_saved: Callable[[Saved], None] | None = None,
) -> Saved:
    """Train a model, store it as a version, and activate it as ``activate`` says.

    ``fine_tune`` says whether to fine-tune the active model or to train a new network by
    ``recipe``; by default it is fine-tuned if there are labelled drawings. ``start_from`` names
    another version to fine-tune. Labels come from ``labelled_path``, by default from the database.
    ``epochs`` and ``seed`` replace those of the recipe, and ``settings`` any other, see
    ``Plan.changed``; ``limit`` is the most drawings of each source. ``drop_suspects`` gets the
    number of labels that look wrong, if there are any, and says whether to train without them.
    ``by`` is the user on whose behalf the version is activated.

    A new network is kept in ``folder``, by default ``reports/NAME``, after every epoch, until it is
    stored: ``resume_version`` goes on with it.

    ``on_saved`` is called in the transaction that stores and activates the version: if it raises,
    neither happens.

    Raises ``TrainingError``, and whatever ``listener`` and ``on_saved`` raise, with nothing stored.
    """
    with _errors():
        previous = version_lookup.active_version()
        has_labels = "labelled" in sources and _has_labels(labelled_path)
        parent = _parent(
            previous, fine_tune=fine_tune, start_from=start_from, has_labels=has_labels
        )
        if parent is not None and not has_labels:
            # The pipeline would find out only after the data sets are prepared.
            raise NothingToTrainOn(pipeline.NO_LABELS)
        plan = _plan(FINE_TUNE if parent else recipe, epochs=epochs, seed=seed)
        request = pipeline.Request(
            plan.changed(settings),
            sources,
            mnist_path,
            limit,
            name,
            start_from=version_lookup.trainable_bundle(parent),
        )
        if parent is not None:
            listener.say(f"Fine-tuning {parent.name}.")
        else:
            request = dataclasses.replace(request, name=name or request.default_name())
            checkpoint = Checkpoint((folder or Path("reports", str(request.name))) / CHECKPOINT)
            if checkpoint.exists():
                raise TrainingError(
                    f"{checkpoint.folder.parent} holds an interrupted training. Go on with "
                    "--resume, or choose another folder for the report."
                )
            checkpoint.remove()
            listener.say(f"After every epoch the training is kept in {checkpoint.folder}.")
            request = dataclasses.replace(request, checkpoint=checkpoint)
        read = (
            functools.partial(labelled.read_labelled_file, labelled_path)
            if labelled_path
            else labelled.read_labelled_database
        )

        def checked() -> Labelled:
            return suspect_labels.checked(
                read(),
                is_stored=labelled_path is None,
                drop=drop_suspects,
                say=listener.say,
            )

        return _run(request, checked, listener, parent, activate, by, on_saved)


def is_interrupted(folder: Path) -> bool:
    """Whether ``resume_version`` can go on with a training in this folder."""
    return Checkpoint(folder / CHECKPOINT).exists()


def resume_version(
    *,
    folder: Path,
    listener: Listener,
    name: str | None = None,
    activate: Activate = Activate.AUTO,
    by: User | None = None,
    on_saved: Callable[[Saved], None] | None = None,
) -> Saved:
    """Go on with the training of a new network in ``folder``, with the options it was started with.

    The network is the same as without the interruption. See ``train_version`` for the rest.
    """
    with _errors():
        checkpoint = Checkpoint(folder / CHECKPOINT)
        request = pipeline.Request.from_json(checkpoint.options())
        request = dataclasses.replace(
            request, checkpoint=checkpoint, name=name or request.name or request.default_name()
        )
        read = labelled.read_labelled_database
        return _run(request, read, listener, None, activate, by, on_saved)


def _run(
    request: pipeline.Request,
    read_labels: Callable[[], Labelled],
    listener: Listener,
    parent: ModelVersion | None,
    activate: Activate,
    by: User | None,
    on_saved: Callable[[Saved], None] | None,
) -> Saved:
    if request.name and ModelVersion.objects.filter(name=request.name).exists():
        raise TrainingError(f"There is already a model version called {request.name}.")
    previous = version_lookup.active_version()
    active = version_lookup.bundle_of(previous)
    result = pipeline.train(request, labelled=read_labels, active=active, listener=listener)
    listener.say(result.decision.reason)
    if not connection.in_atomic_block:
        # A long run outlives the connection of many a database server.
        connection.close_if_unusable_or_obsolete()
    with transaction.atomic():
        saved = _save(result, parent, previous, activate, by)
        if on_saved:
            on_saved(saved)
    if request.checkpoint:
        request.checkpoint.remove()
    return saved


@contextmanager
def _errors() -> Iterator[None]:
    """Raise as ``TrainingError`` what a user can do something about."""
    try:
        yield
    except (
        BundleError,
        DataDamaged,
        NothingToTrainOn,
        OSError,
        SettingError,
        registry.RegistrationError,
        registry.ActivationError,
    ) as error:
        raise TrainingError(str(error)) from error


def _has_labels(path: Path | None) -> bool:
    return path is not None or selectors.labelled_drawings().exists()


def _parent(
    active: ModelVersion | None, *, fine_tune: bool | None, start_from: str | None, has_labels: bool
) -> ModelVersion | None:
    """Return the version to fine-tune, or None if a new network is to be trained."""
    if start_from is None:
        wanted = has_labels if fine_tune is None else fine_tune
        base = version_lookup.fine_tuning_base(active) if wanted else None
        if base is None and fine_tune:
            raise TrainingError(
                _("There is no active model with a network to start from. Train a new one.")
            )
        return base
    version = ModelVersion.objects.filter(name=start_from).first()
    if version is None:
        raise TrainingError(f"There is no model version called {start_from}.")
    if not version.training:
        raise TrainingError(f"{start_from} has no network to start from, only its deployed file.")
    return version


def _plan(plan: Plan, *, epochs: int | None, seed: int | None) -> Plan:
    if epochs is not None:
        plan = dataclasses.replace(plan, epochs=epochs)
    return plan if seed is None else dataclasses.replace(plan, seed=seed)


def _save(
    result: pipeline.Result,
    parent: ModelVersion | None,
    previous: ModelVersion | None,
    activate: Activate,
    by: User | None,
) -> Saved:
    version = registry.register_model(bundle=result.bundle, parent=parent)
    if (labels := result.labels) is not None:
        learned.record(version=version, given=labels.by_id(), held_out=labels.held_out_ids())
    activated = activate is Activate.ALWAYS or (
        activate is Activate.AUTO and result.decision.activate
    )
    if activated:
        # Where the gate was asked, it is the cause; where activation was ordered, the order is.
        cause = Cause.GATE if activate is Activate.AUTO else Cause.COMMAND
        # The account may have been deleted during a long run.
        by = User.objects.filter(pk=by.pk).first() if by else None
        version = registry.activate_model(name=version.name, cause=cause, by=by)
    return Saved(version=version, result=result, previous=previous, activated=activated)
