"""Checkpoints on their way between members, and those that the coordinator itself holds and shows.

Rule: what is addressed is passed on as it is; whoever gets it checks the signature itself. A member
that comes in is told what is held of it before anything is asked of it.
"""

from collections.abc import Mapping
from dataclasses import replace

from cleanroom.audit.keeping import Keeping
from cleanroom.contract.document import COORDINATOR
from cleanroom.coordinator.line import Line
from cleanroom.transport.envelopes import Shown, pack


class Showing:
    """Args: attending: the lines of all who attend now."""

    def __init__(self, keeping: Keeping, attending: Mapping[str, Line]) -> None:
        self._keeping, self._attending = keeping, attending

    def greet(self, member: str) -> None:
        """Show a member that has just come what is held of it, and of everybody there."""
        if (signed := self._keeping.held_of(member)) is not None:
            self._send(member, Shown(signed, member=COORDINATOR))
        self._send(member, self._keeping.current())
        for name in self._attending:
            signed = self._keeping.held_of(name)
            if name != member and signed is not None:
                self._send(member, Shown(signed))

    def publish(self) -> None:
        """Show everybody where the coordinator's own log stands."""
        message = pack(self._keeping.publish())
        for line in self._attending.values():
            line.put(message)

    def pass_on(self, sender: str, shown: Shown) -> None:
        """Pass on what a member shows, or asks about another's log."""
        signer = shown.checkpoint.signer
        if signer != sender:
            self._deliver(signer, replace(shown, member=sender))
            return
        everybody = (COORDINATOR, *self._attending)
        for name in (shown.member,) if shown.member else everybody:
            if name != sender:
                self._deliver(name, shown)

    def _deliver(self, to: str, shown: Shown) -> None:
        if to != COORDINATOR:
            self._send(to, shown)
            return
        for reply in self._keeping.hear(shown):
            own = reply.checkpoint.signer == COORDINATOR
            self._send(reply.member, reply if own else replace(reply, member=COORDINATOR))

    def _send(self, to: str, shown: Shown) -> None:
        if to in self._attending:
            self._attending[to].put(pack(shown))
