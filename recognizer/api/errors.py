"""Errors of the API: one shape for all, and a 4xx for whatever the caller did wrong."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from drf_standardized_errors.handler import ExceptionHandler as StandardHandler
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ErrorDetail,
    ParseError,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.response import Response

from recognizer import imaging
from recognizer.models.outages import is_outage
from recognizer.predictions.recognition import KeyReused, Refused
from recognizer.versions.active import NoModel


class PayloadTooLarge(APIException):
    """More bytes than a drawing may have."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "image_too_large"
    # Filled in lazily: nobody's language is known here.
    default_detail = format_lazy(
        _("The file is too large: at most {limit} MB."), limit=imaging.MAX_BYTES // 2**20
    )


class LengthRequired(APIException):
    """A chunked body, to a server that can't tell where it ends."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = _(
        "The body has no length. Send the header Content-Length, and no Transfer-Encoding: chunked."
    )


def image_error(error: imaging.ImageError) -> APIException:
    """Return the API's error for a drawing that can't be used."""
    if isinstance(error, imaging.FileTooLarge):
        return PayloadTooLarge()
    field = error.field if isinstance(error, imaging.StrokesError) else "image"
    text = gettext(error.text).format(**error.limits)
    return ValidationError({field: [ErrorDetail(text, code=error.code)]})


class IdempotencyKeyReused(APIException):
    """An Idempotency-Key that was sent before, with another drawing."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = _(
        "This Idempotency-Key was sent before, with another drawing. Use another key for each."
    )


def drawing_error(error: Refused) -> APIException:
    """Return the API's error for a drawing that is refused."""
    return IdempotencyKeyReused() if isinstance(error, KeyReused) else image_error(error)


class ModelUnavailable(APIException):
    """No model version can answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "no_model"
    default_detail = _("No model is available right now. Try again in a minute.")


class DatabaseUnavailable(APIException):
    """The database is stopped, full, or can't be written for now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_unavailable"
    default_detail = _("The site can't reach its database right now. Try again in a minute.")
    # Sent as Retry-After, in seconds.
    wait = 5


class ExceptionHandler(StandardHandler):
    """Turns what Django, DRF and the layers below raise into errors of the API."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Return the API's own error for one of theirs."""
        # Where only the detail is set, DRF has put a header or the status in the error.
        match exc:
            case RequestDataTooBig():
                return PayloadTooLarge()
            case SuspiciousOperation():
                return ParseError(_("The request is malformed. Check its headers and its body."))
            case UnreadablePostError():
                return ParseError(_("The connection was interrupted. Send the request again."))
            case NoModel():
                return ModelUnavailable()
            case _ if is_outage(exc):
                return DatabaseUnavailable()
            case Throttled():
                exc.detail = Throttled(detail=_too_many(getattr(exc, "wait", None))).detail
            case UnsupportedMediaType():
                return unsupported_type(
                    *(parser.media_type for parser in self.context["view"].parser_classes)
                )
            case AuthenticationFailed():
                text = _(
                    "The token is not valid. Send the header Authorization: Bearer, followed by "
                    "the token of an active account."
                )
                exc.detail = AuthenticationFailed(text).detail
        return super().convert_known_exceptions(exc)

    def convert_unhandled_exceptions(self, exc: Exception) -> APIException:
        """Return an error that says nothing of what broke."""
        if isinstance(exc, APIException):
            return exc
        return APIException(_("Something went wrong on the server. Try again in a minute."))

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Log what broke; a missing model was logged where it was noticed."""
        if not isinstance(exc, ModelUnavailable):
            super().report_exception(exc, response)


def unsupported_type(*types: str) -> UnsupportedMediaType:
    """Return the error for a body of another type or encoding than these types in UTF-8."""
    text = _("This content type is not supported. Send {types} in UTF-8.")
    return UnsupportedMediaType("", text.format(types=gettext(" or ").join(types)))


def _too_many(wait: int | None) -> str:
    if wait is None:
        return gettext("Too many requests. Try again later.")
    text = ngettext(
        "Too many requests. Try again in %(n)d second.",
        "Too many requests. Try again in %(n)d seconds.",
        wait,
    )
    return text % {"n": wait}
