"""A visitor and a reviewer who use the site over HTTP, as their browsers do."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import HTTPCookieProcessor, Request

from benchmarks.common.running_site import Site

QUEUE = "admin/recognizer/prediction/review/"
TIMEOUT = 60


class Browser:
    """Sends requests to a site and stores its cookies; exits with the message of an error."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        return self._send(Request(self.site.address + path)).decode()

    def post_form(self, path: str, fields: Mapping[str, str]) -> str:
        """Send a form as a page of the site does and return the next page."""
        token = {"csrfmiddlewaretoken": self._token()}
        body = urllib.parse.urlencode({**fields, **token}).encode()
        return self._send(Request(self.site.address + path, body)).decode()

    def post_json(self, path: str, body: object) -> Any:
        request = Request(
            self.site.address + path.removeprefix("/"),
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "X-CSRFToken": self._token()},
        )
        return json.loads(self._send(request))

    def post_file(self, path: str, name: str, content: bytes) -> Any:
        """Send a PNG file as a form does and return the JSON of the response."""
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.png"'
            "\r\nContent-Type: image/png\r\n\r\n"
        )
        request = Request(
            self.site.address + path,
            head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
            {
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "X-CSRFToken": self._token(),
            },
        )
        return json.loads(self._send(request))

    def _token(self) -> str:
        return next((c.value or "" for c in self.cookies if c.name.endswith("csrftoken")), "")

    def _send(self, request: Request) -> bytes:
        request.add_header("Referer", self.site.address)
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:1000]
            raise SystemExit(f"{request.full_url} answered {error.code}: {said}") from error
        return content


class Visitor(Browser):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.get("")

    def draw(self, png: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = self.post_file("api/v1/predictions/", "image", png)
        return answer


class Reviewer(Browser):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        said = site.manage("ensure_admin")
        name, password = (
            re.findall(rf"^\s+{word}\s+(\S+)$", said, re.MULTILINE)[0]
            for word in ("name", "password")
        )
        self.get("admin/login/")
        self.post_form("admin/login/", {"username": name, "password": password, "next": "/admin/"})
        setup = re.search(r'id="review-setup"[^>]*>(.*?)</script>', self.get(QUEUE))
        if setup is None:
            raise SystemExit("The review queue's page does not say where to send labels.")
        self._urls: dict[str, str] = json.loads(setup.group(1))["urls"]
        self._page = str(uuid.uuid4())

    def label(self, count: int, truth: Callable[[str], int], order: str = "newest") -> int:
        """Label up to ``count`` drawings of the queue; ``truth`` returns the label for an id.

        Returns how many were labelled: fewer if the queue became empty.
        """
        done = 0
        while done < count:
            asked: dict[str, Any] = {
                "order": order,
                "digit": None,
                "wanted": min(5, count - done),
                "have": [],
                "page": self._page,
            }
            given = self.post_json(self._urls["next"], asked)["drawings"]
            if not given:
                break
            for drawing in given:
                self.post_json(
                    self._urls["label"],
                    {
                        "id": drawing["id"],
                        "label": truth(drawing["id"]),
                        "seen": None,
                        "step": str(uuid.uuid4()),
                        "page": self._page,
                    },
                )
                done += 1
        return done
