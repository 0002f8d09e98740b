"""The plan of a profile: what owners of a table tell of their rows before anybody asks.

Rule: derived from the contract and a name by each member. The contract says what is told; each
owner tells of its own rows alone, roughly, and nothing that rests on too few persons.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from cleanroom.plan.plan import Use

FORMAT = 1  # raise it when the meaning of a plan changes: members of two releases then differ
SHARES = (1, 5, 20, 50, 80, 100)  # percent; an owner tells the first that a share is below


@dataclass(frozen=True, slots=True)
class ProfilePlan:
    """All that members need to agree on before an owner counts anything.

    Attributes:
        owners: who tell, each of its own rows.
        tells: "rows" and "missing", as the contract has it.
        columns: those of which missing values are told: nullable ones that the recipient may use.
        min_group: persons on whom everything that is told rests.
        read_sql: what each owner runs: `rows`, `persons`, and of each column `missing_i` rows,
            and `persons_without_i` and `persons_with_i`, persons with a row with and without NULL.
    """

    contract_hash: str
    recipient: str
    purpose: str
    table: str
    owners: tuple[str, ...]
    tells: tuple[str, ...]
    columns: tuple[str, ...]
    min_group: int
    read_sql: str
    format: int = FORMAT

    def canonical(self) -> bytes:
        """Return the bytes that the plan hash covers: every field, sorted keys, no spaces."""
        fields = dataclasses.asdict(self)
        return json.dumps(["profile", fields], sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def text(self) -> str:
        """The request in a line."""
        return f"PROFILE {self.table}"

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it is about."""
        return (self.table,)

    @property
    def uses(self) -> tuple[Use, ...]:
        """No column's values are used; any right to a column lets its missing values be told."""
        return ()

    @property
    def noise(self) -> None:
        """Nothing is charged."""
        return
