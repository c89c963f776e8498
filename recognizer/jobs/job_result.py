"""The result of a training job, stored with the job."""

from __future__ import annotations

from dataclasses import dataclass

from recognizer.inference.gate_result import GateResult
from recognizer.inference.json_record import JsonRecord, mapping


@dataclass(frozen=True)
class JobResult(JsonRecord):
    """The trained version, the one that was active then, and the gate's decision."""

    candidate: str
    active: str | None
    activated: bool
    gate: GateResult

    @classmethod
    def from_json(cls, value: object) -> JobResult | None:
        """Return a stored result; None if there is none or its format is unknown."""
        result = mapping(value)
        gate = GateResult.from_json(result.get("gate"))
        if gate is None:
            return None
        return cls(
            candidate=str(result.get("candidate", "–")),
            active=result.get("active"),
            activated=bool(result.get("activated")),
            gate=gate,
            stored=result,
        )
