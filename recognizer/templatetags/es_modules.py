"""Preloading of JavaScript modules, so that a browser fetches all that a page imports at once."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_IMPORT = re.compile(r'^(?:import|\} from)\b[^"\n]*"(\.{1,2}/[^"]+)";', re.MULTILINE)


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Return a ``modulepreload`` link for each module that `entry` imports, directly or not."""
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(name),) for name in imports(entry))
    )


@cache
def imports(entry: str) -> tuple[str, ...]:
    """Return the names of the static modules that `entry` imports, directly or not, sorted.

    Raises ValueError if `entry`, or a module that is imported, is not among the static files.
    """
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        path = finders.find(name)
        if not path:
            raise ValueError(f"There is no static file {name}.")
        folder = posixpath.dirname(name)
        for relative in _IMPORT.findall(Path(path).read_text(encoding="utf-8")):
            module = posixpath.normpath(posixpath.join(folder, relative))
            if module not in found:
                found.add(module)
                waiting.append(module)
    return tuple(sorted(found - {entry}))
