"""What the page says while a visitor draws, sends a picture, or deletes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def live_texts() -> dict[str, str]:
    """Return the notes beside the switch of the live guess."""
    return {
        "hint": _("A guess is not kept; Predict keeps the drawing."),
        "pauses": _("The site is busy: the guess pauses for a while."),
        "off": _("Off: press Predict for an answer."),
    }


def picture_texts() -> dict[str, str]:
    """Return what is said of a picture before it is sent."""
    return {
        "looking": _("Looking for the digit…"),
        "cropped": _("What is inside the frame is read."),
        "wrong_type": _(
            "That is no picture the site can read. Choose PNG, JPEG, WebP, GIF or BMP."
        ),
        "too_large": _("That picture is too large. Choose one of at most 8 MB."),
    }


def tool_texts() -> dict[str, str]:
    """Return what is announced of the tools."""
    return {
        "pen_down": _("Pen down."),
        "pen_up": _("Pen up."),
        "undone": _("Undone."),
        "redone": _("Redone."),
    }


def copy_texts() -> dict[str, str]:
    """Return the text that is copied, and whether it was."""
    return {
        "result": _("{sentence} {percent} {link}"),
        "done": _("Copied."),
        "failed": _("Not copied: the browser does not allow it."),
    }


def removal_texts() -> dict[str, str]:
    """Return what is said after deleting, by what was: `-kept` where labelled ones stay."""
    one, all_ = _("The drawing is deleted."), _("Your drawings are deleted.")
    kept = _(
        "What a reviewer has labelled stays as training material; nothing ties it to you any more."
    )
    return {"one": one, "all": all_, "one-kept": f"{one} {kept}", "all-kept": f"{all_} {kept}"}


def page_texts() -> dict[str, Any]:
    """Return what `wording.page_texts` holds of this subject."""
    return {
        "live": live_texts(),
        "picture": picture_texts(),
        "tools": tool_texts(),
        "copy": copy_texts(),
        "removed": removal_texts(),
        "waiting": _("It is sent by itself when the site can be reached again."),
        "sent_later": _(
            "A drawing that was waiting has been sent; its answer is in your drawings."
        ),
    }
