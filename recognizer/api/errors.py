"""Errors of the API: one shape for all, and a 4xx for whatever the caller did wrong."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_standardized_errors.handler import ExceptionHandler as StandardHandler
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response

from recognizer import imaging


class PayloadTooLarge(APIException):
    """More bytes than a drawing may have."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "image_too_large"
    # Filled in when it is said, not here: here nobody's language is known.
    default_detail = format_lazy(
        _("The file is too large: at most {limit} MB."), limit=imaging.MAX_BYTES // 2**20
    )


class ModelUnavailable(APIException):
    """No model version can answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "no_model"
    default_detail = _("No model can answer right now. Try again in a minute.")


class ExceptionHandler(StandardHandler):
    """Turns what Django refuses in a request into errors of the API."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Return the API's own error for one of Django's."""
        if isinstance(exc, RequestDataTooBig):
            return PayloadTooLarge()
        if isinstance(exc, SuspiciousOperation):
            return ParseError(_("The request can't be read. Check how it is put together."))
        if isinstance(exc, UnreadablePostError):
            return ParseError(_("The request broke off. Send it again."))
        return super().convert_known_exceptions(exc)

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Log what broke; a missing model is known already and logged where it was noticed."""
        if not isinstance(exc, ModelUnavailable):
            super().report_exception(exc, response)
