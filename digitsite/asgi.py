"""The entry point for asynchronous web servers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")

application = get_asgi_application()

from digitsite.checks import stop_on_errors  # noqa: E402
from digitsite.request_classes import AsynchronousRequest  # noqa: E402

application.request_class = AsynchronousRequest

# A web server runs no `manage.py check` by itself.
stop_on_errors()
