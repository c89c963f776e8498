"""Networks that are not trained on some of the pen writers, for measures that need mistakes.

The bundled network is trained on the writers 1 to 22 and misclassifies almost none of their digits.
These networks are trained by the fast recipe, in about three minutes each on two cores, and stored
in a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.inference.card import ModelCard, Settings, Thresholds
from recognizer.inference.classifier import Bundle, BundleError, load_bundle
from training.data import evaluation_sets, training_data
from training.data.labelled import Labelled
from training.model import backend, bundle, calibration
from training.model import train as model_train
from training.model.config import FAST, Recipe
from training.model.network import build_network, logits_of

EVERYTHING = frozenset({"mnist", "pen", "omniglot", "generated"})


@dataclass(frozen=True)
class HeldOut:
    """A network of the fast recipe: the sources and pen writers that it is trained on."""

    name: str
    sources: frozenset[str]
    writers: frozenset[int] = frozenset()


NETWORKS = {
    network.name: network
    for network in (
        HeldOut("pen 1-16", EVERYTHING, frozenset(range(1, 17))),
        HeldOut("pen 13-22", EVERYTHING, frozenset(range(13, 23))),
        HeldOut("MNIST only", frozenset({"mnist"})),
    )
}
"""By name. Writers 23 and 24 calibrate, and 25 to 30 are held out of all networks."""


def network(name: str, folder: Path, limit: int | None = None) -> Bundle:
    """Return a network from the folder; train and store it first if it is missing.

    ``limit`` is the maximum number of drawings from each source, for a quick try. Raises
    ``DataUnavailable`` or ``DataDamaged``.
    """
    kept = folder / name.replace(" ", "-")
    try:
        return load_bundle(kept)
    except BundleError:
        print(f"Training the network {name} ...")
    made = train(NETWORKS[name], FAST.for_this_machine(), limit)
    bundle.write_bundle(made, kept)
    return made


def train(wanted: HeldOut, recipe: Recipe, limit: int | None = None) -> Bundle:
    import keras

    data = training_data.collect(
        wanted=wanted.sources, mnist_path=None, labelled=_no_labels, limit=limit
    )
    material = data.material()
    pen = [digit for digit in material.pen if digit.writer in wanted.writers]
    fresh = recipe.fresh if "generated" in wanted.sources else replace(recipe.fresh, generated=0)
    recipe = replace(recipe, fresh=fresh.at_most(limit) if limit else fresh)
    validation = evaluation_sets.validation(data)
    keras.utils.set_random_seed(recipe.seed)
    backend.use_deterministic_kernels()
    model = build_network(width=recipe.width, norm_logits=recipe.norm_logits)
    model_train.fit(
        model,
        model_train.TrainingData(
            fixed=data.trainable_mnist(),
            material=replace(material, pen=pen),
            labelled=None,
            validation=validation,
        ),
        recipe,
    )
    chosen = calibration.calibrate(logits_of(model, validation.images), validation.labels)
    card = ModelCard(
        temperature=chosen.temperature,
        thresholds=Thresholds(chosen.not_a_digit, chosen.uncertain),
        settings=Settings.from_json(recipe.to_json()),
        stored={"writers": sorted(wanted.writers)},
    )
    return bundle.make_bundle(model, name=wanted.name, card=card, check=validation.take(slice(300)))


def _no_labels() -> Labelled:
    raise AssertionError("reviewers' labels are not among the sources")
