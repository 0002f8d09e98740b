"""What a recipient asks, before anybody has compiled it.

Rule: everything that a plan follows from besides the contract, as whoever asks says it. All of it
travels in the signed request, so that every party compiles the same question for itself.
"""

from dataclasses import dataclass

from cleanroom.plan.plan import Protocol
from cleanroom.plan.template import TemplateUse


@dataclass(frozen=True, slots=True)
class Question:
    """One query of one recipient.

    Attributes:
        recipient: the member to whom the result is opened.
        protocol: on secret shares, or on ciphertexts, on which only some queries can run.
        without: members whose parts of federated tables are left out, on ciphertexts alone.
        purpose: one that the contract names; "" where it names none.
        epsilon: what it may cost of the privacy budget, where answers are noisy; None: as much as
            the contract has a question cost.
        min_group: persons behind every released cell, if more than the contract asks for.
        template: of which template the text is made, with which values; None if of none.
        gate: of the contract, whose text `sql` has to be; "" for a query of the recipient's own.
    """

    sql: str
    recipient: str
    protocol: Protocol = "mpc"
    without: tuple[str, ...] = ()
    purpose: str = ""
    epsilon: float | None = None
    min_group: int = 1
    template: TemplateUse | None = None
    gate: str = ""
