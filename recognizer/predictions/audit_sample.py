"""The random audit sample: the drawings that give an unbiased accuracy. No Django.

One drawing in twenty is in it, by a hash of its id, so nothing about the drawing decides. Reviewers
are given these at random, whatever order they have chosen for the rest, and other ways of choosing
(the orders, the grid) leave them out: what is audited is a random part of all drawings.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

SHARE = 0.05
"""The share of all drawings that is in the sample."""


def audit_key(identifier: UUID) -> float | None:
    """Return a drawing's place in the sample, in [0, 1), or None if it is not in it.

    Reviewers audit in the order of these keys, which is a random one.
    """
    digest = hashlib.sha256(b"audit" + identifier.bytes).digest()
    draw = int.from_bytes(digest[:6], "big") / 2**48
    return draw / SHARE if draw < SHARE else None
