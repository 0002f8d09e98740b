"""What a plan says of the gate that it asks. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gated:
    """A query of the contract's own text, whose rows open where its secret condition holds.

    Attributes:
        name: of the gate in the contract.
        own: only rows that the recipient's own rows are part of: it asks as an owner.
    """

    name: str
    own: bool
