"""Let Schemathesis try the whole API: by its schema, against it, and in sequences of requests.

    python -m recognizer.tests.support.fuzzing [--examples 1000] [--seed 1] [--who visitor token]

It starts the site on a temporary database and sends requests as a visitor with a cookie, with a
user's token and with a reviewer's. No request may lead to an error of the server, an answer that
the schema does not describe, or somebody else's drawing. Exits with 1 if one does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.running_site import ROOT, Site, running_site
from recognizer.tests.support.drawings import data_url, digit_png

WHO = ("visitor", "token", "reviewer")
PREDICTIONS = "api/v1/predictions/"
_USERS = """
from django.contrib.auth.models import Group, User
for name in ("victim", "token", "reviewer"):
    User.objects.create_user(name, is_staff=name == "reviewer")
User.objects.get(username="reviewer").groups.add(Group.objects.get(name="Reviewer"))
"""


class Fault(AssertionError):
    """What Schemathesis found, in its words."""


def fuzz(*, examples: int, seed: int | None = None, who: Sequence[str] = WHO) -> dict[str, int]:
    """Return how many requests were generated for each of those who asked; raises Fault."""
    counts = {}
    with running_site(collected=True) as site:
        site.manage("shell", "--command", _USERS)
        victim = _headers(site, "victim", "predict", "read")
        drawing = data_url(digit_png(3))
        before, _cookie = _send(site, {"image": drawing}, victim)
        for name in who:
            headers = _headers(site, name, "predict", "read", "review", "export")
            if name == "visitor":
                _drawn, cookie = _send(site, {"image": drawing}, {})
                headers = {"Cookie": cookie}
            environment = {
                "SCHEMATHESIS_HOOKS": "recognizer.tests.support.fuzzing_hooks",
                "FUZZING_VICTIM": before["id"],
                "FUZZING_DRAWING": drawing,
            }
            counts[name] = _run(site, headers, environment, examples=examples, seed=seed)
        after, _cookie = _send(site, None, victim, before["id"] + "/")
        if after != before:
            raise Fault(f"Somebody else's drawing was changed: {before} is now {after}")
    return counts


def _headers(site: Site, name: str, *scopes: str) -> dict[str, str]:
    if name == "visitor":
        return {}
    token = site.manage("create_token", name, "--scopes", *scopes).strip()
    return {"Authorization": f"Bearer {token}"}


def _send(
    site: Site, body: Any, headers: dict[str, str], path: str = ""
) -> tuple[dict[str, Any], str]:
    """Send a request; return the answer and the cookies that it set."""
    request = urllib.request.Request(
        site.address + PREDICTIONS + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        cookies = response.headers.get_all("Set-Cookie") or []
        return json.load(response), "; ".join(each.partition(";")[0] for each in cookies)


def _run(
    site: Site,
    headers: dict[str, str],
    environment: dict[str, str],
    *,
    examples: int,
    seed: int | None,
) -> int:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(Path(__file__).with_suffix(".toml")),
        "run", f"{site.address}api/schema/",
        "--max-examples", str(examples),
        "--continue-on-failure",
        "--no-shrink",
        "--warnings", "off",
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        *([] if seed is None else ["--seed", str(seed)]),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"(\d+) generated", done.stdout)
    if done.returncode or found is None:
        lines = [line[:500] for line in (done.stdout + done.stderr).splitlines()]
        raise Fault("\n".join(lines[-400:]))
    return int(found[1])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=1000, help="for each address and method")
    parser.add_argument("--seed", type=int, help="to repeat a run")
    parser.add_argument("--who", nargs="+", choices=WHO, default=WHO)
    options = parser.parse_args(arguments)
    try:
        counts = fuzz(examples=options.examples, seed=options.seed, who=options.who)
    except Fault as fault:
        raise SystemExit(str(fault)) from None
    print("Requests:", ", ".join(f"{n:,} as {name}" for name, n in counts.items()))


if __name__ == "__main__":
    main()
