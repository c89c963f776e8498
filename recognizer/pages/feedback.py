"""Corrections and the switches of personal learning, as plain forms.

The page's JavaScript uses the API. Both call the same functions of `personalisation.corrections`.
"""

from __future__ import annotations

import math
import re
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from recognizer.api import throttling
from recognizer.api.authentication import owner_for_writing, owner_of
from recognizer.models import DIGITS, NUMBER, Label, Prediction
from recognizer.pages import draw
from recognizer.personalisation import corrections
from recognizer.predictions import selectors
from recognizer.text import answers as answer_text
from recognizer.text import feedback as feedback_text

_LABELS = {str(digit): digit for digit in range(DIGITS)}


@throttling.limits_itself
@require_POST
def suggest(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Store or delete a person's correction of their own drawing, and show its answer again."""
    owner = owner_of(request)
    wait, label = _wait(request), _label(request.POST)
    try:
        if wait is not None or (label is None and "take_back" not in request.POST):
            answer = selectors.visible_prediction(prediction_id=pk, owner=owner)
            error = feedback_text.choose() if wait is None else answer_text.too_much()
            status = 400 if wait is None else 429
            page = draw.page(request, answer=answer, feedback_error=error, status=status)
            return _with_wait(page, wait)
        if label is None:
            corrections.withdraw(prediction_id=pk, owner=owner)
        else:
            if isinstance(label, str):
                corrections.suggest_number(prediction_id=pk, number=label, owner=owner)
            else:
                corrections.suggest(prediction_id=pk, label=label, owner=owner)
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    query = urlencode({"prediction": str(pk), "said": "1"})
    return redirect(f"{reverse('draw')}?{query}#feedback")


@throttling.limits_itself
@require_POST
def remember(request: HttpRequest) -> HttpResponse:
    """Turn a person's personal learning on or off, or forget what is remembered."""
    wait, wish = _wait(request), request.POST.get("memory", "")
    if wait is not None or wish not in ("on", "off", "forget"):
        error = feedback_text.choose_memory() if wait is None else answer_text.too_much()
        status = 400 if wait is None else 429
        return _with_wait(draw.page(request, memory_error=error, status=status), wait)
    if wish == "forget":
        corrections.forget(owner=owner_of(request))
    else:
        corrections.switch(enabled=wish == "on", owner=owner_for_writing(request))
    return redirect(f"{reverse('draw')}#memory")


def _label(form: QueryDict) -> int | str | None:
    """Return the label of the pressed button, or the number typed; None if there is no valid one.

    A number of several digits is text.
    """
    if form.get("not_a_digit") == "true":
        return Label.NOT_A_DIGIT.value
    number = form.get("number", "")
    return number if re.fullmatch(NUMBER, number) else _LABELS.get(form.get("digit", number))


def _wait(request: HttpRequest) -> float | None:
    """Return for how many seconds the API would refuse a request; None if it would accept it."""
    return throttling.wait_for(request, throttling.WRITE)


def _with_wait(page: HttpResponse, wait: float | None) -> HttpResponse:
    if wait is not None:
        page["Retry-After"] = str(math.ceil(wait))
    return page
