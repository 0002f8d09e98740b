"""A server that deviates in every way that it can: it gets nothing, and members name it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from secure_sums import Sums, sums

from protocols.rounds import U64
from protocols.secagg import deals, messages
from protocols.secagg.errors import Misbehaved
from protocols.secagg.messages import HEAD_BYTES, SIGNATURE_BYTES, Kind

QUESTION = b"gradient"


class Liar:
    """A server that sends what it likes, and keeps what it gets."""

    def __init__(self, session: Sums) -> None:
        self.session = session
        self.roster = session.roster
        self.names = session.roster.members
        self.sent: dict[str, bytes] = {}
        self.dealt = {name: self.deal(name, 1) for name in self.names}

    def deal(self, name: str, round_: int) -> deals.Deal:
        reply = self.session.reply(name, messages.head(Kind.DEAL, round_))
        return deals.Deal(self.roster, name, reply[HEAD_BYTES:])

    def ask(
        self, names: Sequence[str], participants: Sequence[str] | None = None, question=QUESTION
    ) -> dict[str, bytes]:
        """Ask for words in round 1; return the signatures under all of the participants."""
        group = participants or self.names
        message = messages.head(Kind.ASK, 1) + self.roster.flags(group) + question
        signatures = {}
        for name in names:
            reply = self.session.reply(name, message)
            self.sent[name] = reply
            end = len(reply) - deals.deal_bytes(self.roster)
            signatures[name] = reply[end - SIGNATURE_BYTES : end]
        return signatures

    def sign(self, names: Sequence[str], survivors: Sequence[str]) -> dict[str, bytes]:
        message = messages.head(Kind.SIGN, 1) + self.roster.flags(survivors)
        return {name: self.session.reply(name, message)[HEAD_BYTES:] for name in names}

    def unmask(
        self,
        name: str,
        survivors: Sequence[str],
        signatures: Mapping[str, bytes],
        participants: Sequence[str] | None = None,
    ) -> bytes:
        signers = self.roster.flags(signatures)
        signed = [signatures[n] for n in self.names if n in signatures]
        sealed = [self.dealt[dealer].sealed(name) for dealer in participants or self.names]
        head = messages.head(Kind.UNMASK, 1) + self.roster.flags(survivors)
        return self.session.reply(name, b"".join([head, signers, *signed, *sealed]))


@pytest.fixture
def liar() -> Liar:
    return Liar(sums(7, 5, 10))


def refused(what: str) -> pytest.RaisesExc[Misbehaved]:
    return pytest.RaisesExc(Misbehaved, match=f"^recipient in round [0-9]+: {what}")


def test_asking_for_one_update_alone(liar: Liar) -> None:
    with refused("not a group of 5 members or more with m000"):
        liar.ask(["m000"], ["m000"])
    signatures = liar.ask(liar.names)
    for survivors in (["m000"], liar.names[:4]):
        with refused("not a group of 5 members or more"):
            liar.sign(["m000"], survivors)
        with refused("not a group of 5 members or more"):
            liar.unmask("m000", survivors, {n: signatures[n] for n in survivors})


def test_asking_for_words_of_others(liar: Liar) -> None:
    with refused("not a group of 5 members or more with m006"):
        liar.ask(["m006"], liar.names[:6])


def test_survivors_that_too_few_signed(liar: Liar) -> None:
    signatures = liar.ask(liar.names)
    with refused("not a group of 5 members or more"):
        liar.unmask("m000", liar.names, {n: signatures[n] for n in liar.names[:4]})


def test_survivors_that_others_signed_differently(liar: Liar) -> None:
    signatures = liar.ask(liar.names)
    forged = {**signatures, "m001": signatures["m002"]}
    with refused("no signature of m001 under the survivors"):
        liar.unmask("m000", liar.names, forged)
    liar.sign(["m000"], liar.names[:6])
    with refused("no signature of m000 under the survivors"):
        liar.unmask("m000", liar.names[:6], {n: signatures[n] for n in liar.names[:6]})


def test_one_that_agreed_to_fewer_never_helps_with_more(liar: Liar) -> None:
    signatures = liar.ask(liar.names)
    liar.sign(["m000"], liar.names[:6])
    with refused("other survivors than this member signed"):
        liar.unmask("m000", liar.names, signatures)
    with refused("a second list of survivors"):
        liar.sign(["m000"], liar.names[:5])


def test_nobody_helps_twice_in_a_round(liar: Liar) -> None:
    signatures = liar.ask(liar.names)
    liar.unmask("m000", liar.names, signatures)
    with refused("no round is to be unmasked"):
        liar.unmask("m000", liar.names, signatures)
    with refused("no round is to be unmasked"):
        liar.sign(["m000"], liar.names[:6])


def test_a_survivor_that_never_took_part(liar: Liar) -> None:
    liar.ask(liar.names[:6], liar.names[:6])
    with refused("survivors that aren't fewer of the participants"):
        liar.sign(["m000"], [*liar.names[:5], "m006"])


@pytest.mark.parametrize("split", range(1, 7))
def test_both_secrets_of_nobody_when_members_are_told_different_survivors(split: int) -> None:
    """The server opens the full list with some, and claims with the others that m006 is gone."""
    liar = Liar(sums(7, 5, 10))
    full, fewer = liar.ask(liar.names), liar.names[:6]
    helped = {"self": 0, "recovery": 0}
    for name in liar.names[split:]:
        liar.unmask(name, liar.names, full)
        helped["self"] += 1
    signed = liar.sign(liar.names[:split], fewer)
    for name in signed:
        try:
            liar.unmask(name, fewer, signed)
        except Misbehaved:
            continue
        helped["recovery"] += 1
    assert sum(count >= liar.roster.threshold for count in helped.values()) <= 1


def test_members_that_are_asked_differently_do_not_help(liar: Liar) -> None:
    signatures = liar.ask(liar.names[1:]) | liar.ask(["m000"], question=b"other")
    with refused("no signature of m000"):
        liar.unmask("m001", liar.names, signatures)
    with refused("no signature of m001"):
        liar.unmask("m000", liar.names, signatures)


def test_members_that_are_told_of_other_participants_do_not_help(liar: Liar) -> None:
    signatures = liar.ask(liar.names[1:]) | liar.ask(["m000"], liar.names[:6])
    with refused("no signature of m000"):
        liar.unmask("m001", liar.names, signatures)


@pytest.mark.parametrize("n", [3, 7])
def test_a_round_that_is_replayed(n: int) -> None:
    session = sums(n, min(n, 5), 10)
    session.ask(QUESTION)
    for sent, _ in session.trips:
        with refused("a round that is over|no round is|all stay"):
            session.reply("m000", sent["m000"])
    session.server = type(session.server)(session.roster, session.server.verify)
    with refused("a round that is over"):
        session.ask(b"restarted")


def test_the_answer_is_not_computed_for_what_is_refused(liar: Liar) -> None:
    def never(_question: bytes) -> U64:
        raise AssertionError

    message = messages.head(Kind.ASK, 1) + liar.roster.flags(["m000"])
    with refused("not a group"):
        liar.session.members["m000"].reply(message, never)


def test_a_share_of_another_round_or_dealer(liar: Liar) -> None:
    signatures = liar.ask(liar.names)
    liar.dealt["m003"] = liar.deal("m003", 2)
    with pytest.raises(Misbehaved, match="a share is not the dealer's") as caught:
        liar.unmask("m000", liar.names, signatures)
    assert caught.value.suspects == {"recipient", "m003"}


def test_what_is_opened_of_a_dropped_member_opens_no_other_round() -> None:
    """Pairs' secrets of one round, as the server recovers them, are none of any other round."""
    session = sums(4, 3, 10)
    opened = []
    for round_ in (1, 2, 3):
        session.ask(QUESTION, {1 if round_ == 1 else 0: ["m003"]} if round_ != 2 else {})
        dealer = session.members["m003"]._dealer
        recovery = dealer._coefficients("recovery", round_)[0].to_bytes(32, "little")
        raw = dealer.deal(round_, session.members["m003"]._secrets_with(round_))
        held = deals.Deal(session.roster, "m003", raw)
        opened += held.pair_secrets(recovery).values()
        theirs = {
            n: session.members[n]._secrets_with(round_)["m003"]
            for n in session.words
            if n != "m003"
        }
        assert held.pair_secrets(recovery) == theirs
    assert len(set(opened)) == 9


def test_where_all_stay_a_sum_of_different_questions_stays_masked() -> None:
    session = sums(3, 3, 10)
    total = np.zeros(11, dtype=np.uint64)
    for name, question in zip(session.words, (b"q", b"q", b"other"), strict=True):
        ask = messages.head(Kind.ASK, 1) + session.roster.flags(session.words) + question
        reply = session.reply(name, ask)
        total += np.frombuffer(reply, "<u8", 11, HEAD_BYTES)
    assert not (total[:-1] == session.expected(session.words)).any()
    assert total[-1] != 0


@pytest.mark.parametrize("kind", [Kind.DEAL, Kind.SIGN, Kind.UNMASK])
def test_where_all_stay_there_is_nothing_else_to_ask(kind: Kind) -> None:
    session = sums(3, 3, 10)
    session.ask(QUESTION)
    flags = session.roster.flags(session.words) if kind != Kind.DEAL else b""
    round_ = 2 if kind == Kind.DEAL else 1
    with refused("nobody may drop out|all stay"):
        session.reply("m000", messages.head(kind, round_) + flags)


@given(st.binary(max_size=40), st.sampled_from([None, *Kind]), st.integers(0, 3))
def test_bytes_that_are_no_message(data: bytes, kind: Kind | None, round_: int) -> None:
    session = sums(4, 3, 2)
    message = data if kind is None else messages.head(kind, round_) + data
    try:
        session.reply("m000", message)
        suspects = frozenset({"recipient"})  # a request for a deal is one
    except Misbehaved as error:
        suspects = error.suspects
    assert suspects == {"recipient"}
