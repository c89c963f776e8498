"""The site's settings, with the view that recognises nothing in place of predictions."""

from __future__ import annotations

from digitsite.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.site.rulers.no_op_urls"
