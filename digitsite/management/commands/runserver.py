"""`manage.py runserver`, with room for many callers at once."""

from __future__ import annotations

from django.core.servers.basehttp import WSGIServer
from whitenoise.runserver_nostatic.management.commands.runserver import Command as Runserver


class PatientServer(WSGIServer):
    """Lets callers wait in line; Django's own turns the eleventh away."""

    request_queue_size = 128


class Command(Runserver):
    """Serves static files through WhiteNoise, as every other server here."""

    server_cls = PatientServer
