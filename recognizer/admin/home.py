"""The learning loop on the admin's start page: review, new labels, training, active version."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.api.permissions import LABEL_PERMISSION
from recognizer.jobs import training_jobs, training_outlook
from recognizer.labelling import queue_orders
from recognizer.models import ModelVersion
from recognizer.text.numbers import grouped

VIEW_PERMISSIONS = ("recognizer.view_prediction", LABEL_PERMISSION)


@dataclass(frozen=True)
class Step:
    url: str
    text: str


def steps(request: HttpRequest) -> list[Step]:
    """Return the steps of the loop that this user may open; every count stops at a limit."""
    may = request.user.has_perm
    found = []
    if may(LABEL_PERMISSION):
        found.append(_review())
    if any(map(may, VIEW_PERMISSIONS)):
        found.append(_new_labels())
    if may("recognizer.add_trainingjob"):
        found.append(_training())
    if may("recognizer.view_modelversion"):
        found.append(_version())
    return found


def _review() -> Step:
    n = queue_orders.waiting_for_anybody()
    text = ngettext("%(n)s to review", "%(n)s to review", n)
    return Step(reverse("admin:recognizer_review"), text % {"n": _capped(n)})


def _new_labels() -> Step:
    n, since = training_outlook.new_labels(queue_orders.COUNT_LIMIT)
    text = ngettext("%(n)s new label", "%(n)s new labels", n)
    query = {"labelled": "yes"}
    if since is not None:
        query["labelled_at__gt"] = since.isoformat()
    url = f"{reverse('admin:recognizer_prediction_changelist')}?{urlencode(query)}"
    return Step(url, text % {"n": _capped(n)})


def _training() -> Step:
    job = training_jobs.unfinished()
    if job is not None:
        return Step(reverse("admin:recognizer_trainingjob_change", args=[job.pk]), _("training"))
    return Step(reverse("admin:recognizer_trainingjob_add"), _("train"))


def _version() -> Step:
    active = ModelVersion.objects.filter(is_active=True).values_list("pk", "name").first()
    if active is None:
        return Step(reverse("admin:recognizer_modelversion_changelist"), _("no active version"))
    pk, name = active
    url = reverse("admin:recognizer_modelversion_change", args=[pk])
    return Step(url, _("%(name)s active") % {"name": name})


def _capped(n: int) -> str:
    limit = queue_orders.COUNT_LIMIT
    return f"{grouped(limit)}+" if n > limit else grouped(n)
