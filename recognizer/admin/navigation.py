"""Navigation between the pages for reviewing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from recognizer.api.permissions import LABEL_PERMISSION

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VIEW_PERMISSION = "recognizer.view_prediction"


@dataclass(frozen=True)
class Page:
    url_name: str
    title: StrOrPromise
    purpose: StrOrPromise
    permission: str


@dataclass(frozen=True)
class Link:
    url: str
    title: StrOrPromise
    purpose: StrOrPromise
    is_here: bool


PAGES = (
    Page(
        "recognizer_review",
        _("Review queue"),
        _("Label drawings one at a time, one key per drawing."),
        LABEL_PERMISSION,
    ),
    Page(
        "recognizer_grid",
        _("Grid"),
        _("Many drawings predicted as the same digit: select the wrong ones."),
        LABEL_PERMISSION,
    ),
    Page(
        "recognizer_insights",
        _("Insights"),
        _("How accurate the model is on randomly selected drawings."),
        VIEW_PERMISSION,
    ),
    Page(
        "recognizer_prediction_changelist",
        _("Predictions"),
        _("Search and filter all drawings."),
        VIEW_PERMISSION,
    ),
)


def review_links(request: HttpRequest) -> list[Link]:
    here = request.resolver_match.url_name if request.resolver_match else None
    links = []
    for page in PAGES:
        # Users who may label may also view: see PredictionAdmin.has_view_permission.
        if not any(map(request.user.has_perm, {page.permission, LABEL_PERMISSION})):
            continue
        try:
            url = reverse(f"admin:{page.url_name}")
        except NoReverseMatch:
            continue
        links.append(Link(url, page.title, page.purpose, is_here=page.url_name == here))
    return links
