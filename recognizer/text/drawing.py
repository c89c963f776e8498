"""The page's texts for drawing, sending a picture and deleting."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def live_texts() -> dict[str, str]:
    return {
        "pauses": _("The site is busy. Live guesses are paused: press Save for an answer."),
        "unreachable": _("Can't reach the site. Live guesses are paused."),
        "off": _("Off. Press Save for an answer."),
    }


def picture_texts() -> dict[str, str]:
    return {
        "looking": _("Looking for the digit…"),
        "cropped": _("Only the framed part is used."),
        "wrong_type": _(
            "This file type isn't supported. Choose a PNG, JPEG, WebP, GIF or BMP file."
        ),
        "too_large": _("This picture is too large. Choose one of at most 8 MB."),
    }


def tool_texts() -> dict[str, str]:
    """Return the tools' announcements for screen readers."""
    return {
        "pen_down": _("Pen down."),
        "pen_up": _("Pen up."),
        "undone": _("Undone."),
        "redone": _("Redone."),
    }


def copy_texts() -> dict[str, str]:
    return {
        "result": _("{sentence} {percent} {link}"),
        "done": _("Copied."),
        "failed": _("Couldn't copy: your browser doesn't allow it."),
    }


def public_texts() -> dict[str, str]:
    """Return the button of a public link, by what it does, and what is said then."""
    return {
        "on": _("Make a public link"),
        "off": _("Revoke the public link"),
        "made": _("Anybody who has the link can see this drawing now."),
        "revoked": _("The public link no longer works."),
    }


def removal_texts() -> dict[str, str]:
    """Return the messages after deleting, by what was deleted; `-kept` if labelled ones stay."""
    one, all_ = _("Drawing deleted."), _("All your drawings are deleted.")
    kept = _("Drawings that a reviewer has labelled are anonymised and stay in the training data.")
    return {"one": one, "all": all_, "one-kept": f"{one} {kept}", "all-kept": f"{all_} {kept}"}


def page_texts() -> dict[str, Any]:
    return {
        "live": live_texts(),
        "picture": picture_texts(),
        "tools": tool_texts(),
        "copy": copy_texts(),
        "public": public_texts(),
        "removed": removal_texts(),
        "waiting": _("It will be sent automatically when the site can be reached again."),
        "waiting_soon": _("It will be sent automatically."),
        "throttled": _("Too many requests."),
        "sent_later": _(
            "A waiting drawing has been sent. You can see its answer under “Your drawings”."
        ),
    }
