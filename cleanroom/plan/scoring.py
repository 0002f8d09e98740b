"""The plan of a scoring: one member's rows under another member's model, and its hash.

Rule: derived from the contract and two names by each of the two members. Rows are told apart by
their owner alone, so how many there are is no part of the plan; the request says it.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from cleanroom.plan.plan import Use

FORMAT = 2  # raise it when the meaning of a plan changes: members of two releases then differ


@dataclass(frozen=True, slots=True)
class Feature:
    """One encrypted column: integers in units of its last place, at most `reach` either sign."""

    name: str
    decimals: int
    reach: int


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """All that the two members need to agree on before anything is encrypted.

    Attributes:
        recipient: who asks, owns the rows and receives their scores.
        owner: who holds the weights, and answers.
        person: the column that names a row in the result.
        weight_decimals, score_decimals: places to which weights and scores are rounded.
        parameters: name of the encryption's parameters.
        read_sql: what the recipient runs over its own rows: `person`, then each feature.
        purpose: for which of the contract's purposes; "" where it names none.
    """

    contract_hash: str
    recipient: str
    owner: str
    model: str
    table: str
    kind: Literal["linear", "logistic"]
    person: str
    features: tuple[Feature, ...]
    weight_decimals: int
    score_decimals: int
    max_rows: int
    max_rows_per_day: int
    uses: tuple[Use, ...]
    parameters: str
    read_sql: str
    purpose: str = ""
    format: int = FORMAT

    def canonical(self) -> bytes:
        """Return the bytes that the plan hash covers: every field, sorted keys, no spaces."""
        fields = dataclasses.asdict(self)
        return json.dumps(["score", fields], sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def text(self) -> str:
        """The request in a line."""
        return f"SCORE {self.table} WITH {self.model}"

    @property
    def decimals(self) -> int:
        """Places of the linear scores, which are integers in units of the last one."""
        return self.weight_decimals + max(feature.decimals for feature in self.features)
