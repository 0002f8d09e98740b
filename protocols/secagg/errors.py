"""Why a secure sum ends without a result. No message holds a value of anybody's."""

from collections.abc import Iterable

from protocols.rounds import ProtocolError


class Misbehaved(ProtocolError):
    """The server or a member sent what the protocol doesn't allow.

    Attributes:
        suspects: names of whom at least one deviated.
        round: in which round it showed.
    """

    def __init__(self, suspects: Iterable[str], round_: int, what: str) -> None:
        self.suspects = frozenset(suspects)
        self.round = round_
        super().__init__(f"{', '.join(sorted(self.suspects))} in round {round_}: {what}")


class TooFewMembers(ProtocolError):
    """Fewer members stayed than a sum must hide each of them among.

    Attributes:
        missing: those that dropped out.
    """

    def __init__(self, missing: Iterable[str], round_: int, threshold: int) -> None:
        self.missing = frozenset(missing)
        names = ", ".join(sorted(self.missing))
        super().__init__(f"round {round_} needs {threshold} members to stay; without {names}")


class UpdateRefused(ProtocolError):
    """A member's own numbers can't enter a sum."""


class NotFinite(UpdateRefused):
    """An entry is NaN or infinite."""


class BeyondBound(UpdateRefused):
    """An entry is larger than its declared bound."""
