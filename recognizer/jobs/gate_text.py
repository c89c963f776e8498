"""Why a candidate passed the gate or did not, in the reader's language.

A decision is stored as a code with its figures, so that it can be shown in any language later.
`training.evaluation.gate` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from recognizer.inference.gate_result import GateResult
from recognizer.text.numbers import localised


def reason(result: GateResult) -> str:
    """Return why a candidate passed or failed; another version may have stored only a sentence."""
    try:
        return sentence(result.why)
    except KeyError:
        return result.reason or "–"


def sentence(why: Mapping[str, Any]) -> str:
    """Return the sentence for a reason: its ``code``, and the figures in it.

    Raises KeyError where there is no such code or a figure is missing.
    """
    values = dict(why)
    if "p" in values:
        values["p"] = localised(f"{values['p']:.3f}")
    if "benches" in values:
        values["sets"] = ", ".join(map(_set, values["benches"]))
    return _sentences()[why["code"]] % values


def _set(each: Mapping[str, Any] | str) -> str:
    if isinstance(each, str):
        return each
    return _("%(name)s (%(mistakes)s mistakes, active model %(before)s)") % {
        "name": each["bench"],
        **each,
    }


def _sentences() -> dict[str, str]:
    return {
        "no active model": _("No model was active."),
        "not measured": _(
            "The active model was evaluated on sets that are not available here: %(sets)s."
        ),
        "nothing to compare": _("No evaluation set is available to compare the two models on."),
        "worse": _("Significantly worse on %(sets)s."),
        "no judge": _(
            "None of the labelled drawings was held out for evaluation (one in five is), so it is "
            "not known whether the candidate is better on them. Label a few more."
        ),
        "more mistakes": _("More mistakes in total: %(mistakes)s, active model %(before)s."),
        "no worse": _(
            "No significant regression. Mistakes in total: %(mistakes)s, active model %(before)s."
        ),
        "better": _(
            "Fewer mistakes on the %(n)s held-out labelled drawings (%(mistakes)s, active model "
            "%(before)s, p %(p)s) and no significant regression."
        ),
        "perfect": _(
            "The active model makes no mistakes on the %(n)s held-out labelled drawings, so the "
            "candidate cannot be better."
        ),
        "not better": _(
            "Not fewer mistakes on the %(n)s held-out labelled drawings: %(mistakes)s, active "
            "model %(before)s."
        ),
    }
