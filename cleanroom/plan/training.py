"""The plan of a training: what every owner reads, what is learnt of it, how much is opened.

Rule: derived from the contract and the job by every member for itself. It bounds what the
recipient may ask: the family's steps alone, so many of them, with so many sums each.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from cleanroom.learning.facts import Facts
from cleanroom.plan.plan import Use
from cleanroom.plan.restrictions import Linked, Restriction
from cleanroom.plan.rowsets import RowSet

FORMAT = 2  # raise it when the meaning of a plan changes: members of two releases then differ
PERSON = "person"
_HELD_OUT_BITS = 32


@dataclass(frozen=True, slots=True)
class Noise:
    """What a training under differential privacy promises, and costs.

    Attributes:
        rows, owners: of one person, at most: so many rows at each of so many owners.
        honest: owners whose noise alone suffices.
        units: that each owner's ledger is charged, of which `budget.zcdp.UNITS` are a rho of 1.
    """

    epsilon: float
    delta: float
    rows: int
    owners: int
    honest: int
    units: int


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """All that owners and recipient need to agree on before a row is read.

    Attributes:
        owners: who train, in the order of the contract.
        least: how many owners have to stay; also how many have to help to open a sum.
        reason: what the training is for, in the job's own words.
        job: the whole job, as one canonical text.
        sql: the job's own SELECT.
        patience_s: how long the recipient waits for one answer of an owner.
        held_out: a person is held out if the first 32 bits of its hash are below this.
        max_steps: sums that the recipient may ask for.
        max_words: numbers of one sum, and of one question.
        min_group: persons that every owner has to have, or it takes no part. 0 where sums are
            noisy: that an owner has too few is an exact answer, which no noise covers.
        restrictions, linked, row_sets: as in a query's plan.
        read_sql: what each owner runs: `person` if persons must be told apart, then `target`
            and `time` if there are some, then each feature; float64, NaN or the code -1 for
            NULL.
        noise: that owners add to every sum; None where sums are exact.
        purpose: for which of the contract's purposes; "" where it names none.
    """

    contract_hash: str
    recipient: str
    owners: tuple[str, ...]
    least: int
    name: str
    reason: str
    kind: str
    job: str
    sql: str
    facts: Facts
    held_out: int
    max_rounds: int
    patience_s: int
    max_steps: int
    max_words: int
    min_group: int
    uses: tuple[Use, ...]
    read_sql: str
    restrictions: tuple[Restriction, ...] = ()
    linked: tuple[Linked, ...] = ()
    row_sets: tuple[RowSet, ...] = ()
    without: tuple[str, ...] = ()
    noise: Noise | None = None
    purpose: str = ""
    format: int = FORMAT

    def canonical(self) -> bytes:
        """Return the bytes that the plan hash covers: every field, sorted keys, no spaces."""
        fields = dataclasses.asdict(self)
        return json.dumps(["train", fields], sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables of which something is learnt."""
        return tuple(sorted({use.table for use in self.uses}))

    @property
    def others(self) -> tuple[str, ...]:
        """Owners besides the recipient: it knows its own rows."""
        return tuple(name for name in self.owners if name != self.recipient)

    @property
    def person_key(self) -> bytes:
        """What the hashes of persons are keyed with: the same for every model of these rows."""
        rows = json.dumps([self.contract_hash, self.sql, self.recipient])
        return hashlib.sha256(f"persons of a training\n{rows}".encode()).digest()[:16]


def held_out(share: float) -> int:
    """Return the bound below which a person's hash holds it out."""
    return round(share * (1 << _HELD_OUT_BITS))
