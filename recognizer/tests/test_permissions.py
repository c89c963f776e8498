"""Who may do what: every address, with every method, as everybody, against `permissions.txt`.

The table has a line for each address, its methods and the answers to the identities of `WHO`, by
the letters of `MEANING`. A new address without a line fails, and so does any other answer. After a
wanted change run this test with `WRITE_PERMISSIONS=1`, which writes the table, and read its diff.

Whoever owns drawings asks for their own: the visitor, the user, and the superuser with a token.
All others ask for the visitor's. Each request is rolled back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from recognizer.models import (
    ApiToken,
    ImportFile,
    ImportJob,
    JobStatus,
    LabelEvent,
    ModelVersion,
    Prediction,
    PublicLink,
    RegressionJob,
    Scope,
    TrainingJob,
)
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import data_url, digit_png
from recognizer.tests.support.reviewing import make_prediction, make_staff

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).with_name("permissions.txt")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
WHO = (
    "visitor",
    "other visitor",
    "user",
    "reviewer",
    "exporter",
    "staff",
    "superuser",
    *(f"token {scope.value}" for scope in Scope),
)
MEANING = {
    "+": "2xx, done",
    ">": "3xx, sent on: to the login, or after it was done",
    "b": "400, 409, 415, 422: allowed, but this body is not valid",
    "l": "401, log in",
    "x": "403, forbidden",
    "n": "404, not found",
    "m": "405, no such method",
}
LETTERS = {400: "b", 401: "l", 403: "x", 404: "n", 405: "m", 409: "b", 415: "b", 422: "b"}

BODIES: dict[str, dict[str, Any]] = {
    "api/v1/predictions/": {"image": data_url(digit_png(3))},
    "api/v1/predictions/batch/": {"drawings": [{"image": data_url(digit_png(3))}]},
    "api/v1/predictions/<uuid:pk>/": {"label": 3},
    "api/v1/predictions/<uuid:pk>/suggestion/": {"digit": 3},
    "api/v1/preview/": {"image": data_url(digit_png(3))},
    "api/v1/memory/": {"enabled": False},
    "memory/": {"memory": "off"},
    "language/": {"language": "de"},
    "predictions/<uuid:pk>/suggestion/": {"digit": "3"},
    "account/tokens/": {"name": "a token", "scopes": ["read"]},
}


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Yield every pattern of the site."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern
        else:
            yield from addresses(entry, pattern)


class World:
    """The people and what they own."""

    def __init__(self) -> None:
        self.version = ModelVersion.objects.get()
        self.clients: dict[str, Client] = {}
        self.drawings: dict[str, Prediction] = {}
        for name in ("visitor", "other visitor"):
            self.clients[name] = Client()
            self.drawings[name] = self._draw(self.clients[name])
        # They ask for what is not theirs, though they have drawings.
        del self.drawings["other visitor"]
        people = {
            "user": User.objects.create_user("user"),
            "reviewer": make_staff("reviewer", group="Reviewer"),
            "exporter": make_staff("exporter", "view_prediction", "export_prediction"),
            "staff": make_staff("staff"),
            "superuser": make_staff("superuser", is_superuser=True),
        }
        # So that the superuser may delete their account.
        make_staff("second", is_superuser=True)
        for name, person in people.items():
            self.clients[name] = Client()
            self.clients[name].force_login(person)
        self.drawings["user"] = self._draw(self.clients["user"])
        own = make_prediction(3, user=people["superuser"])
        for scope in Scope:
            key = make_token(people["superuser"], scope.value)
            name = f"token {scope.value}"
            self.clients[name] = Client(headers={"Authorization": f"Bearer {key}"})
            self.drawings[name] = own
        self.labelled = make_prediction(4, label=4)
        self.link = PublicLink.objects.create(prediction=self.labelled)
        self.event = LabelEvent.objects.create(prediction=self.labelled, old=None, new=4)
        self.job = TrainingJob.objects.create(status=JobStatus.FAILED, finished_at=timezone.now())
        self.search = RegressionJob.objects.create(
            version=self.version, before=self.version, status=JobStatus.FAILED,
            finished_at=timezone.now(),
        )  # fmt: skip
        # The address of a preview has the file's id, all others the import's.
        file = ImportFile.objects.create(name="x.json", content=b"[]")
        self.imported = ImportJob.objects.create(
            pk=file.pk, file=file, file_name=file.name, status=JobStatus.FAILED,
            finished_at=timezone.now(),
        )  # fmt: skip
        self.token = ApiToken.objects.first()
        self.other = people["user"]
        for client in self.clients.values():
            client.raise_request_exception = False

    @staticmethod
    def _draw(client: Client) -> Prediction:
        body = BODIES["api/v1/predictions/"]
        answer = client.post("/api/v1/predictions/", body, content_type="application/json")
        return Prediction.objects.get(pk=answer.json()["id"])

    def path(self, pattern: str, who: str) -> str:
        """Return the address of a pattern; raises AssertionError for an unknown part."""
        drawing = self.drawings.get(who, self.drawings["visitor"])
        group = ContentType.objects.get(app_label="auth", model="group").pk
        objects: dict[str, object] = {
            "auth/group": Group.objects.get(name="Reviewer").pk,
            "auth/user": self.other.pk,
            "recognizer/prediction": drawing.pk,
            "recognizer/modelversion": self.version.pk,
            "recognizer/labelevent": self.event.pk,
            "recognizer/trainingjob": self.job.pk,
            "recognizer/importjob": self.imported.pk,
            "recognizer/apitoken": getattr(self.token, "pk", 0),
        }
        kind = "/".join(pattern.split("/")[1:3])
        parts = {
            "<path:object_id>": objects.get(kind, drawing.pk),
            "<path:content_type_id>": group,
            "<str:key>": self.link.key,
            "<uuid:pk>": objects[kind] if kind.endswith("job") else drawing.pk,
            "<uuid:job>": self.search.pk,
            "<int:pk>": self.version.pk
            if "modelversion" in pattern
            else objects["recognizer/apitoken"],
            "<id>": self.other.pk,
            "<int:event>": self.event.pk,
            "<slug:name>": "npz",
            "^(?P<app_label>auth|recognizer)/$": "recognizer/",
            "(?P<url>.*)$": "nothing/",
            "^api/": "api/nothing/",
        }
        for part, value in parts.items():
            pattern = pattern.replace(part, str(value))
        assert not re.search(r"[<^$(]", pattern), f"say in World.path what {pattern} stands for"
        return "/" + pattern

    def answer(self, pattern: str, method: str, who: str) -> str:
        """Return the letter of an answer; its status in brackets for an error of the server."""
        client, path = self.clients[who], self.path(pattern, who)
        body = BODIES.get(pattern, {})
        in_json = pattern.startswith("api/") or "/review/" in pattern
        kind = {"content_type": "application/json"} if in_json or method != "POST" else {}
        send: Callable[..., Any] = getattr(client, method.lower())
        sent = [body] if method in ("POST", "PUT", "PATCH") else []
        cookies = client.cookies.output()
        with transaction.atomic():
            response = send(path, *sent, **(kind if sent else {}))
            if response.streaming:
                list(response)
            transaction.set_rollback(True)
        if client.cookies.output() != cookies:
            # Rolled back too: it may have logged out.
            client.cookies.load(cookies.replace("Set-Cookie: ", ""))
        status = response.status_code
        if status not in LETTERS and not 200 <= status < 400:
            return f"({status})"
        return LETTERS.get(status, "+" if status < 300 else ">")


def actual() -> dict[str, dict[str, str]]:
    """Return the letters in the order of `WHO`, by address and method."""
    world = World()
    return {
        pattern or "(home)": {
            method: "".join(world.answer(pattern, method, who) for who in WHO) for method in METHODS
        }
        for pattern in addresses()
    }


def written(table: dict[str, dict[str, str]]) -> str:
    """Return a table as text: methods with the same letters share a line."""
    lines = ["# See test_permissions.py. The letters, from left to right, are the answers to:"]
    lines += [f"#   {number:2} {who}" for number, who in enumerate(WHO, start=1)]
    lines += [f"# {letter}  {meaning}" for letter, meaning in MEANING.items()]
    for pattern, by_method in sorted(table.items()):
        lines += ["", pattern]
        groups: dict[str, list[str]] = {}
        for method, letters in by_method.items():
            groups.setdefault(letters, []).append(method)
        lines += [f"    {letters}  {' '.join(methods)}" for letters, methods in groups.items()]
    return "\n".join(lines) + "\n"


def test_everybody_may_do_what_the_table_says() -> None:
    text = written(actual())
    # 429, 500 and the like are never right.
    assert not re.findall(r".*\(\d+\).*", text.partition("(home)")[2])
    if os.environ.get("WRITE_PERMISSIONS") == "1":
        TABLE.write_text(text, encoding="utf-8")

    assert TABLE.read_text(encoding="utf-8").splitlines() == text.splitlines()
