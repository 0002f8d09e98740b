"""What every protocol step gets: who it is, its randomness, and the gate it stands at."""

from dataclasses import dataclass

from protocols.randomness import Prss
from protocols.rounds import Gate, Party


@dataclass(frozen=True, slots=True)
class Context:
    """One party's place in a running protocol.

    Attributes:
        gate: the path of this step, the same at all parties, used once in a session.
    """

    me: Party
    prss: Prss
    gate: Gate

    def at(self, step: str) -> "Context":
        """Return the context of a sub-step."""
        return Context(self.me, self.prss, Gate(f"{self.gate}/{step}"))
