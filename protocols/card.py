"""What a protocol card says: on what it rests, what it tells whom, and what it doesn't do.

Rule: words for people who decide whether to use a protocol. Nothing here is computed with, and
nothing is claimed that the named tests or the named source don't carry.
"""

from dataclasses import dataclass
from enum import StrEnum


class Technique(StrEnum):
    """The families of privacy-enhancing technologies, as regulators name them."""

    HE = "homomorphic encryption"
    MPC = "secure multiparty computation"
    FL = "federated learning"
    DP = "differential privacy"
    SDC = "statistical disclosure control"
    TEE = "trusted execution environments"
    ZKP = "zero-knowledge proofs"
    NONE = "none of them"


class Maturity(StrEnum):
    """How far a protocol may be trusted to be what it says."""

    TESTED = "tested here, reviewed by nobody outside"
    INSECURE = "insecure: for tests and measurements alone"
    ABSENT = "not implemented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One protocol, or one technique built on others.

    Attributes:
        name: a word: what `cleanroom explain` takes.
        assumes: what has to hold for the rest to be true.
        honest: who must not deviate, or not collude, and what happens if they do.
        leaks: who learns what besides the result.
        not_covered: what it doesn't protect against.
        endpoint, metadata, inference: what is left at those who take part, in who talks to whom
            and when, and in results themselves.
        rests_on: names of cards whose every word holds here, too.
        tests: 'file::test' that show some of this.
        source: papers that were followed.
    """

    name: str
    title: str
    technique: Technique
    maturity: Maturity
    does: str
    assumes: tuple[str, ...]
    honest: tuple[str, ...]
    leaks: tuple[str, ...]
    not_covered: tuple[str, ...]
    endpoint: str
    metadata: str
    inference: str
    rests_on: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    source: tuple[str, ...] = ()

    @property
    def implemented(self) -> bool:
        """Whether the room can use it."""
        return self.maturity is Maturity.TESTED
