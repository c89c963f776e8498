"""The grid: many drawings with the same predicted label, to correct the wrong ones.

Without JavaScript the page is a form with a choice for each drawing. The modules in
`static/recognizer/admin/grid` turn it into a grid for mouse and keyboard.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from recognizer.admin.review import grid_text
from recognizer.api.permissions import LABEL_PERMISSION
from recognizer.labelling import grid as review_grid
from recognizer.labelling.claims import Claimant
from recognizer.labelling.grid import GridError, Order
from recognizer.models import Label, Prediction, Verdict


def urls(site: AdminSite) -> list[URLPattern]:
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    def grid(request: HttpRequest) -> HttpResponse:
        reviewer = _reviewer(request)
        if request.method == "POST":
            return _save(request, reviewer)
        answer, order, page_id = _answer(request.GET), _order(request.GET), _page_id(request.GET)
        if not _is_opened_here(request):
            # The menu only: another site's link must not change what this reviewer has claimed.
            answer = None
        if answer is not None and page_id is None:
            # With its id in the URL, a reloaded page keeps its drawings.
            query = request.GET.copy()
            query["page"] = uuid4().hex
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        context = {
            **site.each_context(request),
            **_context(request, reviewer, answer, order, page_id),
        }
        return TemplateResponse(request, "admin/recognizer/review/grid.html", context)

    @require_POST
    def undo(request: HttpRequest) -> HttpResponse:
        return _undo(request, _reviewer(request))

    return [
        path("grid/", site.admin_view(grid), name="recognizer_grid"),
        path("grid/undo/", site.admin_view(undo), name="recognizer_grid_undo"),
    ]


def _is_opened_here(request: HttpRequest) -> bool:
    """Whether a person opens the page from this site or the address bar, or reloads it."""
    return (
        request.method == "GET"
        and request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
        and "prefetch" not in request.headers.get("Sec-Purpose", "")
    )


def _reviewer(request: HttpRequest) -> User:
    if not request.user.has_perm(LABEL_PERMISSION):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return request.user


# The page -------------------------------------------------------------------------------------


def _context(
    request: HttpRequest, reviewer: User, answer: Label | None, order: Order, page_id: UUID | None
) -> dict[str, Any]:
    waiting = review_grid.waiting_counts()
    batches = review_grid.last_batches(reviewer)
    context: dict[str, Any] = {
        "title": _("Grid"),
        "opts": Prediction._meta,
        "order": order.value,
        "menu": [
            {
                "text": each.label,
                "address": address(each, order, page_id),
                "count": grid_text.count(waiting[each]),
                "is_current": each is answer,
            }
            for each in Label
        ],
        "batches": [
            {
                "batch": batch,
                "answer": grid_text.answer_text(batch.answer),
                "what": grid_text.tally(batch.confirmed, batch.corrected),
            }
            for batch in batches
        ],
        "last": next((batch for batch in batches if not batch.is_undone), None),
    }
    if answer is not None and page_id is not None:
        context |= _drawings(request, answer, order, Claimant(reviewer, page_id))
        context["waiting"] = grid_text.count(waiting[answer])
    return context


def _drawings(
    request: HttpRequest, answer: Label, order: Order, claimant: Claimant
) -> dict[str, Any]:
    left_open = "left" in request.GET
    page, page_id = _page(request, answer, order, claimant), claimant.page
    orders = [
        *(
            (each.label, address(answer, each, page_id), each is order and not left_open)
            for each in Order
        ),
        (_("Undecided"), address(answer, order, page_id, left="open"), left_open),
    ]
    return {
        "answer": _name(answer),
        "answer_text": grid_text.answer_text(answer),
        "page_id": page_id.hex,
        "orders": orders,
        "left_open": left_open,
        "cells": grid_text.cells(page, answer),
        "ahead": [grid_text.thumbnail(drawing) for drawing in page.ahead],
        "labels": [(each.value, each.label) for each in Label],
        "meanwhile": review_grid.labelled_among(_ids(request.GET.get("meanwhile", ""))),
        "texts": grid_text.page_texts(answer),
    }


def _page(
    request: HttpRequest, answer: Label, order: Order, claimant: Claimant
) -> review_grid.Page:
    for batch in _ids(request.GET.get("again", ""))[:1]:
        again = review_grid.take_again(batch=batch, answer=answer, order=order, claimant=claimant)
        if again.drawings:
            return again
    return review_grid.take(
        answer=answer, order=order, claimant=claimant, left_open="left" in request.GET
    )


# Saving and undoing ---------------------------------------------------------------------------


def _save(request: HttpRequest, reviewer: User) -> HttpResponse:
    answer, order, page_id = _answer(request.POST), _order(request.POST), _page_id(request.POST)
    try:
        if answer is None:
            raise GridError(_("The page's digit is missing. Open the grid again."))
        claimant = Claimant(reviewer, page_id or uuid4())
        saved = review_grid.save(answer=answer, choices=_choices(request.POST), claimant=claimant)
    except GridError as error:
        return _refusal(error)
    say = messages.warning if saved.conflicts else messages.success
    say(request, grid_text.saved(saved))
    more: dict[str, str] = {}
    if saved.conflicts:
        more["meanwhile"] = ",".join(pk.hex for pk in saved.conflicts)
    if "left" in request.POST:
        more["left"] = "open"
    return HttpResponseRedirect(address(answer, order, page_id, **more))


def _choices(posted: QueryDict) -> dict[UUID, int | None]:
    """The label chosen for each drawing; None if it is undecided."""
    choices: dict[UUID, int | None] = {}
    for name, value in posted.items():
        if not name.startswith(grid_text.FIELD):
            continue
        try:
            pk = UUID(name.removeprefix(grid_text.FIELD))
            choices[pk] = None if value == grid_text.LEAVE else Label(int(str(value))).value
        except ValueError:
            raise GridError(_("A label is not valid. Open the grid again.")) from None
    return choices


def _undo(request: HttpRequest, reviewer: User) -> HttpResponse:
    """Undo a batch; show its drawings again, with the labels they had."""
    order = _order(request.POST)
    batches = _ids(request.POST.get("batch", ""))
    try:
        if not batches:
            raise GridError(_("The request names no batch to undo. Open the grid again."))
        answer, undone, kept = review_grid.undo(batch=batches[0], by=reviewer)
    except GridError as error:
        return _refusal(error)
    messages.success(request, grid_text.undone(undone, kept))
    return HttpResponseRedirect(
        address(answer, order, _page_id(request.POST), again=batches[0].hex)
    )


def _refusal(error: GridError) -> HttpResponse:
    return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")


# URLs and their parameters --------------------------------------------------------------------


def address(answer: Label, order: Order, page_id: UUID | None, **more: str) -> str:
    """The URL of a page of the grid; without an id the page gets one when it is opened."""
    query = {"digit": _name(answer), "order": order.value, **more}
    if page_id is not None:
        query["page"] = page_id.hex
    return f"{reverse('admin:recognizer_grid')}?{urlencode(query, safe=',')}"


def _name(answer: Label) -> str:
    return Verdict.NOT_A_DIGIT.value if answer is Label.NOT_A_DIGIT else str(answer.value)


def _answer(query: QueryDict) -> Label | None:
    """The requested label; None if there is none. Raises Http404 if it is invalid."""
    name = query.get("digit")
    if name is None:
        return None
    for answer in Label:
        if name == _name(answer):
            return answer
    raise Http404("No drawing is answered so: digit is 0 to 9 or not_a_digit.")


def _order(query: QueryDict) -> Order:
    try:
        return Order(query.get("order", Order.LEAST_SURE.value))
    except ValueError:
        raise Http404("There is no such order.") from None


def _page_id(query: QueryDict) -> UUID | None:
    """The id that the page was given when it opened; see `claims.Claimant`."""
    return next(iter(_ids(query.get("page", ""))), None)


def _ids(text: str) -> list[UUID]:
    """The ids in a comma-separated list, without invalid ones."""
    ids = []
    for word in text.split(",")[: review_grid.PAGE]:
        try:
            ids.append(UUID(word))
        except ValueError:
            continue
    return ids
