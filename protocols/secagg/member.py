"""A member's side of the sums of one session.

Two secrets of a member in one round must never both be opened: its self mask tells what it sent
once its recovery key tells its pairwise masks. Nothing that the server says may lead there:

* A round is answered once, rounds in rising order. What was asked of whom is part of every mask's
  key, so the masks of two that were asked differently don't cancel.
* With its words a member signs that all participants stay. If some don't, it signs one smaller
  list instead, and from then on never helps with the first.
* It helps to unmask once, with the signatures of at least t survivors under the list before it, and
  gives one share a participant: of the self mask of who stayed, of the recovery key of who didn't.
  Two groups of t signers have an honest member in common, so no second list gets t signatures but
  the smaller one, and then fewer than t are left to help with the first. All survivors sign; that t
  are enough is for those that drop out between two trips.

Where all must stay there is nothing to recover, so there are no shares, no self masks and no
signatures: pairwise masks cancel in the sum over all, of those that were asked the same, and in no
other. Nobody can claim that somebody dropped out, as nothing opens a pairwise mask.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from protocols.randomness import add_streams
from protocols.rounds import U64
from protocols.secagg import deals, keys, messages
from protocols.secagg.errors import Misbehaved
from protocols.secagg.messages import HEAD_BYTES, SIGNATURE_BYTES, Kind, Malformed
from protocols.secagg.roster import Roster

Answer = Callable[[bytes], U64]
Sign = Callable[[bytes], bytes]
Verify = Callable[[str, bytes, bytes], bool]


@dataclass(slots=True)
class _Round:
    """What a member promised in the round that it answered last."""

    number: int
    asked: bytes
    participants: tuple[str, ...]
    survivors: tuple[str, ...]
    unmasked: bool = False


@dataclass(slots=True)
class Member:
    """One member in one session. It must not be made twice for the same secrets.

    Args:
        secrets: other member -> 32 bytes that the two share in this session, authenticated.
        sign: returns this member's Ed25519 signature, 64 bytes.
        verify: (member, statement, signature) -> is it that member's?
        coins: 32 fresh random bytes.

    Security: against a server that deviates in any way, together with fewer than
        2 * threshold - n other members (with all staying: fewer than n - 1): it learns one sum a
        round, over at least `threshold` members, all of whom were asked the same question. A
        member can make a sum wrong by what it adds; that isn't found.
        Where members may drop out, sums of two rounds can be over different members. A server that
        asks the same twice, and claims the second time that somebody dropped out, learns that
        member's words as the difference. Against that help only noise, or that all must stay.
    Source: Bonawitz et al., CCS 2017, with differences said in `deals` and above.
    """

    roster: Roster
    me: str
    secrets: Mapping[str, bytes] = field(repr=False)
    sign: Sign = field(repr=False)
    verify: Verify = field(repr=False)
    coins: bytes = field(repr=False)
    _dealer: deals.Dealer = field(init=False, repr=False)
    _round: _Round | None = field(default=None, init=False, repr=False)
    _pair_secrets: dict[int, dict[str, bytes]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.secrets.keys() != set(self.roster.others(self.me)):
            raise ValueError("a member shares one secret with each other member")
        self._dealer = deals.Dealer(self.roster, self.me, self.coins, self.secrets)

    def reply(self, message: bytes, answer: Answer) -> bytes:
        """Return this member's reply to a message of the server.

        Args:
            answer: returns the words, shape (n,), that this member adds to the sum for a question;
                called at most once a round, only after all that the server said was checked. What
                it raises ends this member's part in the round.

        Raises:
            Misbehaved: if the server, or a member through it, deviates; nothing is to be sent.

        Cost: asked: a mask a participant and one of its own; 8 bytes a word and 120 a member.
        """
        try:
            kind, round_ = messages.opened(message)
        except Malformed as error:
            raise Misbehaved({self.roster.server}, 0, str(error)) from None
        try:
            match kind:
                case Kind.DEAL:
                    return self._deal(message, round_)
                case Kind.ASK:
                    return self._asked(message, round_, answer)
                case Kind.SIGN:
                    return self._sign(message, round_)
                case Kind.UNMASK:
                    return self._unmask(message, round_)
        except Malformed as error:
            raise Misbehaved({self.roster.server}, round_, str(error)) from None

    def _deal(self, message: bytes, round_: int) -> bytes:
        messages.parts(message, [])
        self._not_answered(round_)
        if self.roster.all_stay:
            raise Malformed("nobody may drop out, so nothing is dealt")
        return messages.head(Kind.DEAL, round_) + self._dealt(round_)

    def _asked(self, message: bytes, round_: int, answer: Answer) -> bytes:
        self._not_answered(round_)
        start = HEAD_BYTES + self.roster.flags_bytes
        participants = self._group(message[HEAD_BYTES:start])
        question = message[start:]
        asked = self.roster.asked(round_, participants, question)
        self._round = _Round(round_, asked, participants, participants)
        words = answer(question)
        if words.dtype != np.uint64 or words.ndim != 1:
            raise ValueError("a member answers with one vector of words")
        masked = self._masked(words)
        secrets = self._secrets_with(round_)
        checks = [keys.pair_check(secrets[n], asked) for n in participants if n != self.me]
        body: list[bytes | memoryview] = [messages.head(Kind.ASK, round_), masked.data, *checks]
        if not self.roster.all_stay:
            body.append(self.sign(self.roster.statement(asked, participants)))
            body.append(self._dealt(round_ + 1))
        return b"".join(body)

    def _masked(self, words: U64) -> U64:
        """Return the words and a check word of 0, under all of this member's masks."""
        current = self._current()
        masked = np.empty(words.size + 1, dtype="<u8")
        masked[:-1], masked[-1] = words, 0
        secrets = self._secrets_with(current.number)
        shared = {name: secrets[name] for name in current.participants if name != self.me}
        masks = list(keys.pair_masks(self.me, shared, current.asked))
        if not self.roster.all_stay:
            own = self._dealer.self_secret(current.number)
            masks.append(keys.self_mask(own, current.asked, plus=True))
        add_streams(masked, masks)
        return masked

    def _sign(self, message: bytes, round_: int) -> bytes:
        (flags,) = messages.parts(message, [self.roster.flags_bytes])
        current = self._current(round_)
        survivors = self._group(bytes(flags))
        if current.survivors != current.participants:
            raise Malformed("a second list of survivors")
        if not set(survivors) < set(current.participants):
            raise Malformed("survivors that aren't fewer of the participants")
        current.survivors = survivors
        statement = self.roster.statement(current.asked, survivors)
        return messages.head(Kind.SIGN, round_) + self.sign(statement)

    def _unmask(self, message: bytes, round_: int) -> bytes:
        current = self._current(round_)
        n_flags = self.roster.flags_bytes
        start = HEAD_BYTES + n_flags
        signers = self._group(message[start : start + n_flags])
        signed = [SIGNATURE_BYTES] * len(signers)
        dealt = [deals.SEALED_BYTES] * len(current.participants)
        flags, _, *rest = messages.parts(message, [n_flags, n_flags, *signed, *dealt])
        if self._group(bytes(flags)) != current.survivors or not set(signers) <= set(
            current.survivors
        ):
            raise Malformed("other survivors than this member signed")
        self._check_signatures(signers, [bytes(one) for one in rest[: len(signers)]])
        current.unmasked = True
        shares = zip(current.participants, rest[len(signers) :], strict=True)
        return messages.head(Kind.UNMASK, round_) + b"".join(
            self._share(name, bytes(sealed)) for name, sealed in shares
        )

    def _check_signatures(self, signers: Sequence[str], signatures: Sequence[bytes]) -> None:
        current = self._current()
        statement = self.roster.statement(current.asked, current.survivors)
        for name, signature in zip(signers, signatures, strict=True):
            if not self.verify(name, statement, signature):
                raise Malformed(f"no signature of {name} under the survivors")

    def _share(self, dealer: str, sealed: bytes) -> bytes:
        """Return the one share of a participant's two secrets that may be opened."""
        current = self._current()
        try:
            own, recovery = self._dealer.shares(dealer, current.number, sealed)
        except Malformed as error:
            raise Misbehaved({self.roster.server, dealer}, current.number, str(error)) from None
        return own if dealer in current.survivors else recovery

    def _group(self, flags: bytes) -> tuple[str, ...]:
        """Read participants or survivors: this member among at least as many as must stay."""
        group = self.roster.flagged(flags) if len(flags) == self.roster.flags_bytes else ()
        if self.me not in group or len(group) < self.roster.threshold:
            least = self.roster.threshold
            raise Malformed(f"not a group of {least} members or more with {self.me} in it")
        return group

    def _not_answered(self, round_: int) -> None:
        if not (0 if self._round is None else self._round.number) < round_ < messages.MOST_ROUNDS:
            raise Malformed("a round that is over")

    def _current(self, round_: int | None = None) -> _Round:
        """Return the round that was answered, if it is the one meant and still masked."""
        current = self._round
        if current is None or (current.unmasked and round_ is not None):
            raise Malformed("no round is to be unmasked")
        if round_ not in (None, current.number):
            raise Malformed("another round than was answered last")
        if self.roster.all_stay and round_ is not None:
            raise Malformed("all stay, so there is nothing to sign or unmask")
        return current

    def _dealt(self, round_: int) -> bytes:
        return self._dealer.deal(round_, self._secrets_with(round_))

    def _secrets_with(self, round_: int) -> dict[str, bytes]:
        """Return what this member shares with each other one in this round."""
        kept = {number: held for number, held in self._pair_secrets.items() if number >= round_ - 1}
        if round_ not in kept:
            kept[round_] = {
                other: keys.round_secret(secret, self.roster, round_, self.me, other)
                for other, secret in self.secrets.items()
            }
        self._pair_secrets = kept
        return kept[round_]
