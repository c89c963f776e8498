"""The entry point for web servers: `gunicorn digitsite.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")

handler = get_wsgi_application()

from django.conf import settings  # noqa: E402

from digitsite.checks import stop_on_errors  # noqa: E402
from digitsite.request_classes import Request  # noqa: E402
from digitsite.slow_bodies import SlowBodyLimit  # noqa: E402

handler.request_class = Request
application = SlowBodyLimit(handler, settings.SLOW_BODY_SECONDS)

# A web server runs no `manage.py check` by itself.
stop_on_errors()
