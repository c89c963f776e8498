"""The entry point for web servers: `gunicorn digitsite.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")

application = get_wsgi_application()

from digitsite.checks import stop_on_errors  # noqa: E402
from digitsite.request_classes import Request  # noqa: E402

application.request_class = Request

# A web server runs no `manage.py check` by itself.
stop_on_errors()
