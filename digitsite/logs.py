"""How log records are written: as lines of JSON, and outages of the database in one line each."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

from django.db import InterfaceError, OperationalError


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON, with its traceback in ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        if isinstance(status := getattr(record, "status_code", None), int):
            line["status"] = status
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class OutageFilter(logging.Filter):
    """Replaces the traceback of an outage by the database's own words: no code is at fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OperationalError | InterfaceError) and _is_outage(error):
            record.exc_info = record.exc_text = None
            record.msg = f"{record.getMessage()}: {' '.join(str(error).split())}"
            record.args = ()
        return True


def _is_outage(error: Exception) -> bool:
    # Not before: Django sets logging up before it loads models.
    from recognizer.models.outages import is_outage

    return is_outage(error)
