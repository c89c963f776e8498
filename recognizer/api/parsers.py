"""Request bodies: how large they may be, JSON and multipart forms, with errors in a sentence."""

from __future__ import annotations

import codecs
import io
from typing import Any

from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import (
    ErrorDetail,
    ParseError,
    ValidationError,
)
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from recognizer.api.errors import PayloadTooLarge, unsupported_type
from recognizer.imaging import MAX_BYTES

# Room for base64 (four characters for three bytes) and the JSON, or the form, around it.
MAX_BODY = MAX_BYTES // 2 * 3
# Most clients read the response only when they have sent all of the body: take in that much of it.
MAX_DRAINED = 4 * MAX_BODY
# Lists, objects and values of a JSON body: 10,000 points of four numbers have half as many. Each
# takes a hundred bytes of memory, and a body has room for millions.
MAX_VALUES = 100_000
MOST_DRAWINGS = 100
TOO_MANY_DRAWINGS = _("Send at most 100 drawings in one request.")


def check_charset(request: HttpRequest) -> None:
    """Refuse a charset other than UTF-8: Python has "encodings" that are none, such as hex."""
    charset = (request.content_params or {}).get("charset")
    if charset is not None and not _is_utf8(charset):
        # Even the query string would be decoded with it.
        request.encoding = "utf-8"
        raise unsupported_type("application/json", "multipart/form-data")


def check_body(request: HttpRequest) -> None:
    """Refuse a body that is too large, before it is read."""
    length = length_of(request)
    if length > MAX_BODY:
        if length <= MAX_DRAINED:
            _drain(request)
        raise PayloadTooLarge


def length_of(request: HttpRequest) -> int:
    """Return the length of the body in bytes; 0 for a header that is no number."""
    text = str(request.META.get("CONTENT_LENGTH") or "")
    return int(text) if text.isdecimal() else 0


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in ("utf-8", "ascii")
    except (LookupError, ValueError):
        return False


def _drain(request: HttpRequest) -> None:
    while request.read(64 * 1024):
        pass


class AnyAccept(BaseContentNegotiation):
    """Answers in the one format there is, whatever the Accept header prefers."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class PlainJSONParser(JSONParser):
    """JSON in UTF-8 (RFC 8259); too many or too deeply nested values are an error, not a crash."""

    example = '{"image": "data:image/png;base64,..."}'
    too_many_values = _("The body has too many values. Send at most 64 strokes and 10,000 points.")

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        context = {**(parser_context or {}), "encoding": "utf-8"}
        body = stream.read()
        if sum(map(body.count, (b"[", b"{", b","))) > MAX_VALUES:
            raise ParseError(self.too_many_values)
        try:
            found = super().parse(io.BytesIO(body), media_type, context)
        except (ParseError, RecursionError) as error:
            raise ParseError(
                _("The body isn't valid JSON. Send {example}.").format(example=self.example)
            ) from error
        if found is None:
            raise ParseError(_("The body is null. Send {example}.").format(example=self.example))
        return found


class SuggestionParser(PlainJSONParser):
    example = '{"digit": 4} or {"not_a_digit": true}'


class SwitchParser(PlainJSONParser):
    example = '{"enabled": false}'


class BatchJSONParser(PlainJSONParser):
    example = '{"drawings": [{"image": "data:image/png;base64,..."}]}'
    too_many_values = _("The body has too many values. Send fewer drawings, or fewer points.")


class PlainMultiPartParser(MultiPartParser):
    """A form with files."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(
                _("The form is malformed. Send multipart/form-data with a file named image.")
            ) from error


class BatchMultiPartParser(PlainMultiPartParser):
    """A form with many files."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except TooManyFilesSent as error:
            detail = ErrorDetail(str(TOO_MANY_DRAWINGS), code="too_many_drawings")
            raise ValidationError({"image": [detail]}) from error
