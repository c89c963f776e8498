"""`manage.py runserver`, for many simultaneous connections."""

from __future__ import annotations

from django.core.servers.basehttp import WSGIServer
from whitenoise.runserver_nostatic.management.commands.runserver import Command as Runserver


class LongQueueServer(WSGIServer):
    """Lets 128 connections wait; Django's server rejects the eleventh."""

    request_queue_size = 128


class Command(Runserver):
    """Serves static files through WhiteNoise, as in production."""

    server_cls = LongQueueServer
