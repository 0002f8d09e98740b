"""What flows along payments between accounts: a propagation of the contract. Values only."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

PropagationKind: TypeAlias = Literal["propagate", "reach"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One propagation that is asked for.

    Attributes:
        name: of the contract's propagation.
        kind: "propagate" gives every account a score, a sum column at the scale of
            `protocols.rep3.graph`. "reach" keeps the accounts that money of a marked one got to.
        rounds: how often scores, or marks, move along payments.
        damping: numerator and denominator of how much of a score comes from payments.
    """

    name: str
    kind: PropagationKind
    rounds: int
    damping: tuple[int, int]
