"""Static files, served by the site itself; with hashed names after `collectstatic`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, but without a warning if `collectstatic` has never run."""

    def add_files(self, root: Any, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)


class HashedWhenCollected(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files after `collectstatic`; the original files before."""

    support_js_module_import_aggregation = True
    manifest_strict = False

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the hashed URL if `name` was collected, else the plain URL."""
        if name and not force and self.hash_key(self.clean_name(name)) not in self.hashed_files:
            return StaticFilesStorage.url(self, name)
        return super().url(name, force)
