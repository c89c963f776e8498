"""Request bodies: JSON and multipart forms, with errors in a sentence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request


class AnyAccept(BaseContentNegotiation):
    """Answers in the one format there is, whatever the Accept header prefers."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the request's content type."""
        from rest_framework.utils.mediatypes import media_type_matches

        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type


class PlainJSONParser(JSONParser):
    """JSON in UTF-8, as RFC 8259 has it; what nests too deeply is malformed, not a crash."""

    example = '{"image": "data:image/png;base64,..."}'

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body holds."""
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(stream, media_type, context)
        except (ParseError, RecursionError) as error:
            raise ParseError(
                _("The body is not valid JSON. Send {example}.").format(example=self.example)
            ) from error


class SuggestionParser(PlainJSONParser):
    """The JSON of a suggestion."""

    example = '{"digit": 4} or {"not_a_digit": true}'


class PlainMultiPartParser(MultiPartParser):
    """A form with files; says in a sentence when it is malformed."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the fields and files of the body."""
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(
                _("The form can't be read. Send multipart/form-data with a file named image.")
            ) from error
