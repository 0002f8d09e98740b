"""What flows along payments between accounts: a propagation of the contract, and its node."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.plan.leaf import Leaf

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


@dataclass(frozen=True, slots=True)
class Propagate:
    """The accounts of `own`, each once, after what flowed to them along payments.

    Leaves are of tables of several members. An account has one row, at the member that keeps it;
    at two members, nothing is opened. A payment counts if its source and its target are accounts.

    Attributes:
        own: accounts of the recipient, sorted by the bits column `account`; what it holds before
            anything flowed: sum column `score`, or bits column `marked` of one bit; last `place`.
        others: accounts of every other owner, with the same columns.
        payments: sorted by the bits column `source`, encoded as `account` is; sum columns
            `weight`, the payment's part of all that its target was paid, and `place`: which each
            of a member's accounts and payments takes, from 0, if every account is followed by
            what was paid into it.
        shown: the bits column of `own` that is opened: `account`, or another that isn't hashed.
    """

    own: Leaf
    others: tuple[Leaf, ...]
    payments: tuple[Leaf, ...]
    shown: str
    flow: Flow
