"""The server's side of the sums of one session: it asks, and learns one sum a round.

Rule: a generator a round. It yields a message for each member that it asks, and is resumed with
the replies that came; whoever didn't reply has dropped out of this round. It sends no words about
one member to another, but for what is sealed or signed.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from protocols.rounds import U64
from protocols.secagg import deals, messages
from protocols.secagg.checks import disagreeing
from protocols.secagg.deals import Deal
from protocols.secagg.errors import Misbehaved, TooFewMembers
from protocols.secagg.keys import CHECK_BYTES
from protocols.secagg.messages import SIGNATURE_BYTES, Kind, Malformed
from protocols.secagg.roster import Roster
from protocols.secagg.shamir import SHARE_BYTES
from protocols.secagg.unmasking import Recovery

Verify = Callable[[str, bytes, bytes], bool]
Messages: TypeAlias = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """The sum of one round.

    Attributes:
        words: mod 2^64, shape (n,).
        survivors: whose words are in it, at least as many as the threshold.
    """

    words: U64
    survivors: tuple[str, ...]


Trips: TypeAlias = Generator[Messages, Messages, Opened]


@dataclass(slots=True)
class _Asked:
    """One round as the server knows it."""

    number: int
    asked: bytes
    participants: tuple[str, ...]
    total: U64
    checks: dict[str, U64] = field(default_factory=dict)
    signatures: dict[str, bytes] = field(default_factory=dict)

    @property
    def survivors(self) -> tuple[str, ...]:
        return tuple(name for name in self.participants if name in self.checks)


@dataclass(slots=True)
class Server:
    """The server in one session.

    Args:
        verify: (member, statement, signature) -> is it that member's?
    """

    roster: Roster
    verify: Verify = field(repr=False)
    _round: int = field(default=0, init=False)
    _deals: dict[int, dict[str, Deal]] = field(default_factory=dict, init=False, repr=False)

    def round(self, question: bytes, n_words: int) -> Trips:
        """Ask all members for words, and return their sum.

        A member that drops out is asked again in the next round; one that missed to deal for it
        takes part in the round after that.

        Args:
            question: what every member is asked; all of them see it.
            n_words: how many words each adds.

        Raises:
            Misbehaved: if a member's message isn't what it must be; the round has no result.
            TooFewMembers: if fewer than the threshold stayed.

        Cost: where all must stay, 1 trip; else 2, or 3 if a member drops out, and 1 more before
            the first round. Each member sends 8 bytes a word and, unless all must stay, 152 bytes
            a member; the server works off a mask a survivor, and a mask for each pair of a
            survivor and one that dropped out.
        Security: said at `member.Member`; a server that runs this learns the sum and who stayed.
        """
        if self._round >= messages.MOST_ROUNDS:
            raise Misbehaved({self.roster.server}, self._round, "no rounds are left")
        self._round = round_ = self._round + 1
        participants = yield from self._participants(round_)
        asked = self.roster.asked(round_, participants, question)
        total = np.zeros(n_words + 1, dtype=np.uint64)
        current = _Asked(round_, asked, participants, total)
        yield from self._collect(current, question)
        if not self.roster.all_stay:
            yield from self._unmask(current)
        if current.total[-1]:
            raise Misbehaved(current.survivors, round_, "the sum is not of what they were asked")
        return Opened(current.total[:-1], current.survivors)

    def _participants(self, round_: int) -> Generator[Messages, Messages, tuple[str, ...]]:
        """Return who takes part: all members, or those whose deal is here."""
        roster = self.roster
        if roster.all_stay:
            return roster.members
        self._deals = {number: held for number, held in self._deals.items() if number >= round_}
        if len(self._deals.get(round_, {})) < roster.threshold:
            asked = [name for name in roster.members if name not in self._deals.get(round_, {})]
            yield from self._deal_trip(asked, round_)
        held = self._deals.get(round_, {})
        self._enough(held, round_)
        return tuple(name for name in roster.members if name in held)

    def _deal_trip(self, names: Sequence[str], round_: int) -> Generator[Messages, Messages, None]:
        message = messages.head(Kind.DEAL, round_)
        replies = yield dict.fromkeys(names, message)
        for name, reply in self._replies(replies, names, round_):
            self._take_deal(name, reply, round_)

    def _collect(self, current: _Asked, question: bytes) -> Generator[Messages, Messages, None]:
        """Ask for words, and add up what comes."""
        roster, round_ = self.roster, current.number
        ask = messages.head(Kind.ASK, round_) + roster.flags(current.participants) + question
        sent = dict.fromkeys(current.participants, ask)
        late = [name for name in roster.members if name not in sent]
        sent |= dict.fromkeys(late, messages.head(Kind.DEAL, round_ + 1))
        replies = yield sent
        for name, reply in self._replies(replies, roster.members, round_):
            if name in late:
                self._take_deal(name, reply, round_ + 1)
            else:
                self._take(current, name, reply)
        if suspects := disagreeing(current.participants, current.checks):
            raise Misbehaved(suspects, round_, "masks that don't belong together")
        self._enough(current.survivors, round_)

    def _take(self, current: _Asked, name: str, reply: bytes) -> None:
        """Add a member's masked words to the sum."""
        lengths = [8 * current.total.size, CHECK_BYTES * (len(current.participants) - 1)]
        if not self.roster.all_stay:
            lengths += [SIGNATURE_BYTES, deals.deal_bytes(self.roster)]
        words, checks, *rest = self._parts(name, reply, Kind.ASK, current.number, lengths)
        if rest:
            self._keep_signature(current, name, current.participants, bytes(rest[0]))
            self._keep_deal(name, current.number + 1, bytes(rest[1]))
        current.total += np.frombuffer(words, dtype="<u8")
        place = current.participants.index(name)
        current.checks[name] = np.insert(np.frombuffer(checks, dtype="<u8"), place, 0)

    def _unmask(self, current: _Asked) -> Generator[Messages, Messages, None]:
        """Take off the masks that survivors' help opens."""
        if current.survivors != current.participants:
            yield from self._sign_trip(current)
        names = list(current.signatures)
        replies = yield {name: self._unmask_message(current, name) for name in names}
        helped = {}
        for name, reply in self._replies(replies, names, current.number):
            lengths = [SHARE_BYTES] * len(current.participants)
            shares = self._parts(name, reply, Kind.UNMASK, current.number, lengths)
            helped[name] = [int.from_bytes(share, "little") for share in shares]
        self._enough(helped, current.number)
        held, group = self._deals[current.number], current.participants
        Recovery(
            self.roster, current.number, current.asked, group, held, current.checks, helped
        ).take_off(current.total)

    def _sign_trip(self, current: _Asked) -> Generator[Messages, Messages, None]:
        survivors = current.survivors
        current.signatures.clear()
        message = messages.head(Kind.SIGN, current.number) + self.roster.flags(survivors)
        replies = yield dict.fromkeys(survivors, message)
        for name, reply in self._replies(replies, survivors, current.number):
            (signature,) = self._parts(name, reply, Kind.SIGN, current.number, [SIGNATURE_BYTES])
            self._keep_signature(current, name, survivors, bytes(signature))
        self._enough(current.signatures, current.number)

    def _unmask_message(self, current: _Asked, name: str) -> bytes:
        roster, held = self.roster, self._deals[current.number]
        signers = roster.flags(current.signatures)
        signatures = [current.signatures[n] for n in roster.members if n in current.signatures]
        sealed = [held[dealer].sealed(name) for dealer in current.participants]
        first = messages.head(Kind.UNMASK, current.number) + roster.flags(current.survivors)
        return b"".join([first, signers, *signatures, *sealed])

    def _keep_signature(
        self, current: _Asked, name: str, survivors: Sequence[str], signature: bytes
    ) -> None:
        statement = self.roster.statement(current.asked, survivors)
        if not self.verify(name, statement, signature):
            raise Misbehaved({name}, current.number, "a signature under other survivors")
        current.signatures[name] = signature

    def _take_deal(self, name: str, reply: bytes, round_: int) -> None:
        lengths = [deals.deal_bytes(self.roster)]
        (deal,) = self._parts(name, reply, Kind.DEAL, round_, lengths)
        self._keep_deal(name, round_, bytes(deal))

    def _keep_deal(self, name: str, round_: int, raw: bytes) -> None:
        deal = Deal(self.roster, name, raw)
        if self._deals.setdefault(round_, {}).setdefault(name, deal) != deal:
            raise Misbehaved({name}, round_, "a second deal for one round")

    def _replies(
        self, replies: Messages, asked: Sequence[str], round_: int
    ) -> Iterator[tuple[str, bytes]]:
        """Yield the replies of those that were asked, in the members' order."""
        if uncalled := replies.keys() - set(asked):
            raise Misbehaved(uncalled, round_, "a reply of who wasn't asked")
        return ((name, replies[name]) for name in asked if name in replies)

    def _parts(
        self, name: str, reply: bytes, kind: Kind, round_: int, lengths: Sequence[int]
    ) -> list[memoryview]:
        """Return the parts of a reply, or refuse its sender."""
        try:
            if messages.opened(reply) != (kind, round_):
                raise Malformed("a reply to another message, or of another round")
            return messages.parts(reply, lengths)
        except Malformed as error:
            raise Misbehaved({name}, round_, str(error)) from None

    def _enough(self, stayed: Collection[str], round_: int) -> None:
        if len(stayed) < self.roster.threshold:
            missing = set(self.roster.members) - set(stayed)
            raise TooFewMembers(missing, round_, self.roster.threshold)
