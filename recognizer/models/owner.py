"""The owner of drawings: a user, or a visitor who is not logged in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

_Rows = TypeVar("_Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Owner:
    """A user, or a visitor identified by the random id in a cookie; neither for no owner.

    ``is_new`` is true for a visitor whose id was just made: nothing of theirs is stored yet.
    """

    user: User | None = None
    visitor: UUID | None = None
    is_new: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.user is not None and self.visitor is not None:
            raise ValueError("An owner is a user or a visitor, not both.")

    @property
    def is_nobody(self) -> bool:
        return self.user is None and self.visitor is None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns ``user`` and ``visitor`` of a row that belongs to this owner."""
        return {"user": self.user, "visitor": self.visitor}

    def filter(self, rows: _Rows) -> _Rows:
        """Return the rows that belong to this owner; none if it is empty."""
        if self.user is not None:
            return rows.filter(user=self.user)
        return rows.none() if self.visitor is None else rows.filter(visitor=self.visitor)

    def __str__(self) -> str:
        return f"visitor {self.visitor}" if self.user is None else f"user {self.user.pk}"
