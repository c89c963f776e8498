"""Why the gate let a candidate pass or not, in the reader's language.

A decision is kept as a code with its figures, so that whoever looks at it later reads it in their
own language. What decides is in `training.evaluation.gate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from recognizer.inference.gate_result import GateResult
from recognizer.text.numbers import localised


def reason(result: GateResult) -> str:
    """Return why the gate decided so; other code may have stored nothing but the sentence."""
    try:
        return sentence(result.why)
    except KeyError:
        return result.reason or "–"


def sentence(why: Mapping[str, Any]) -> str:
    """Return the sentence for a reason: its ``code``, and the figures that stand in it.

    Raises KeyError where there is no such code or a figure is missing.
    """
    values = dict(why)
    if "p" in values:
        values["p"] = localised(f"{values['p']:.3f}")
    if "benches" in values:
        values["benches"] = ", ".join(map(_bench, values["benches"]))
    return _sentences()[why["code"]] % values


def _bench(bench: Mapping[str, Any] | str) -> str:
    if isinstance(bench, str):
        return bench
    return _("%(bench)s (mistakes: %(mistakes)s against %(before)s)") % bench


def _sentences() -> dict[str, str]:
    return {
        "no active model": _("No model was active."),
        "not measured": _("The active model was measured on %(benches)s, which is not here."),
        "nothing to compare": _("There is nothing here to compare the two models on."),
        "worse": _("It is worse beyond chance on %(benches)s."),
        "no judge": _(
            "None of the labelled drawings is among the fifth that judges, so nothing shows that "
            "the candidate reads such drawings better: label a few more."
        ),
        "more mistakes": _(
            "It makes more mistakes in all: %(mistakes)s, the active model %(before)s."
        ),
        "no worse": _(
            "Nowhere worse beyond chance; mistakes in all: %(mistakes)s against %(before)s."
        ),
        "better": _(
            "Better on the held-out labelled drawings (n %(n)s, mistakes: %(mistakes)s against "
            "%(before)s, p %(p)s), nowhere worse beyond chance."
        ),
        "perfect": _(
            "The active model makes no mistake on the held-out labelled drawings (n %(n)s): there "
            "is nothing to be better at."
        ),
        "not better": _(
            "It is not better on the held-out labelled drawings (n %(n)s, mistakes: %(mistakes)s "
            "against %(before)s)."
        ),
    }
