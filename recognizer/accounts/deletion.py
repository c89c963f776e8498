"""Deleting an account with everything that belongs to it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from recognizer.models import Owner
from recognizer.predictions import deletion
from recognizer.predictions.deletion import Removed


class LastAdministrator(ValueError):
    """Without this account nobody could administer the site."""


def delete_account(user: User) -> Removed:
    """Delete the user with their drawings, corrections and tokens; return what became of drawings.

    As when they delete their drawings one by one, those with a reviewer's label are anonymised:
    training, the insights and the label history rest on them. If the user was a reviewer, the
    labels that they gave stay for the same reason, without their name.

    Raises LastAdministrator for the only active superuser.
    """
    if user.is_superuser and user.is_active:
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
        if not others.exists():
            raise LastAdministrator(f"{user} is the only administrator.")
    removed = deletion.remove_all(owner=Owner(user=user))
    with transaction.atomic():
        # What was sent while the drawings were deleted. Locked, so that nothing more is sent.
        User.objects.select_for_update().get(pk=user.pk)
        removed += deletion.remove_all(owner=Owner(user=user))
        user.delete()
    return removed
