"""Members that send what they must not: refused by name, and nothing is opened."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from secure_sums import Sums, sums

from protocols.secagg import messages
from protocols.secagg.errors import Misbehaved
from protocols.secagg.messages import HEAD_BYTES, Kind
from protocols.secagg.server import Opened

Tamper = Callable[[dict[str, bytes]], Mapping[str, bytes]]


def ask(session: Sums, trip: int, tamper: Tamper, gone: tuple[str, ...] = ()) -> Opened:
    """Run a second round in which the replies of one trip are changed."""
    session.ask(b"q")
    first = session.trips
    trips = session.server.round(b"q", 10)
    try:
        sent, number = next(trips), 0
        while True:
            replies = {n: session.reply(n, m) for n, m in sent.items() if n not in gone}
            sent = trips.send(tamper(replies) if number == trip else replies)
            number += 1
    except StopIteration as end:
        opened: Opened = end.value
        return opened
    finally:
        session.trips = first


def flip(name: str, place: int) -> Tamper:
    """Change a bit of a reply."""

    def tampered(replies: dict[str, bytes]) -> dict[str, bytes]:
        data = bytearray(replies[name])
        data[place] ^= 1
        return {**replies, name: bytes(data)}

    return tampered


def suspects(caught: pytest.ExceptionInfo[Misbehaved]) -> frozenset[str]:
    return caught.value.suspects


@pytest.mark.parametrize("length", [0, 7, 8, 100, 10**5])
@pytest.mark.parametrize("trip", [0, 1])
def test_a_reply_of_another_length(trip: int, length: int) -> None:
    def tampered(replies: dict[str, bytes]) -> dict[str, bytes]:
        return {**replies, "m002": replies["m002"][:8].ljust(length, b"\0")[:length]}

    with pytest.raises(Misbehaved, match="m002 in round 2: ") as caught:
        ask(sums(5, 4, 10), trip, tampered)
    assert suspects(caught) == {"m002"}


@pytest.mark.parametrize("n_words", [9, 11])
@pytest.mark.parametrize("threshold", [4, 5])
def test_an_update_of_another_shape(threshold: int, n_words: int) -> None:
    session = sums(5, threshold, 10)
    session.words["m002"] = np.zeros(n_words, dtype=np.uint64)
    with pytest.raises(Misbehaved, match=r"m002 in round 1: \d+ bytes instead of \d+"):
        session.ask(b"q")


@pytest.mark.parametrize("trip", [0, 1])
def test_a_late_reply(trip: int) -> None:
    """What a member sent in the same trip of the round before."""
    session = sums(5, 4, 10)

    def tampered(replies: dict[str, bytes]) -> dict[str, bytes]:
        return {**replies, "m002": session.trips[trip + 1][1]["m002"]}

    with pytest.raises(Misbehaved, match="m002 in round 2: a reply to another message, or of an"):
        ask(session, trip, tampered)


def test_a_second_update_for_a_round() -> None:
    """One that was taken for gone sends its words when the others sign the survivors."""
    session = sums(5, 4, 10)
    late: dict[str, bytes] = {}

    def tampered(replies: dict[str, bytes]) -> dict[str, bytes]:
        return {**replies, "m004": late["m004"]}

    session.ask(b"q")
    trips = session.server.round(b"q", 10)
    replies = {name: session.reply(name, message) for name, message in next(trips).items()}
    late["m004"] = replies.pop("m004")
    sent = trips.send(replies)
    with pytest.raises(Misbehaved, match="m004 in round 2: a reply of who wasn't asked"):
        trips.send(tampered({n: session.reply(n, message) for n, message in sent.items()}))


def test_an_update_in_place_of_a_signature() -> None:
    session = sums(5, 4, 10)
    session.ask(b"q")
    trips = session.server.round(b"q", 10)
    replies = {name: session.reply(name, message) for name, message in next(trips).items()}
    sent = trips.send({name: reply for name, reply in replies.items() if name != "m004"})
    signed = {name: session.reply(name, message) for name, message in sent.items()}
    with pytest.raises(Misbehaved, match="m003 in round 2: a reply to another message"):
        trips.send({**signed, "m003": replies["m003"]})


@pytest.mark.parametrize("threshold", [4, 5])
def test_a_member_with_other_masks(threshold: int) -> None:
    session, other = sums(5, threshold, 10), sums(5, threshold, 10)
    session.members["m002"].secrets = {name: bytes(32) for name in other.members["m002"].secrets}
    with pytest.raises(Misbehaved, match="m002 in round 1: masks that don't belong together"):
        session.ask(b"q")


@pytest.mark.parametrize("threshold", [4, 5])
def test_a_pair_whose_key_was_swapped(threshold: int) -> None:
    session = sums(5, threshold, 10)
    member = session.members["m002"]
    member.secrets = {**member.secrets, "m003": bytes(32)}
    with pytest.raises(Misbehaved, match="masks that don't belong together") as caught:
        session.ask(b"q")
    assert suspects(caught) == {"m002", "m003"}


def test_a_pair_of_which_one_dropped_out_and_the_other_has_another_secret() -> None:
    session = sums(5, 4, 10)
    member = session.members["m002"]
    member.secrets = {**member.secrets, "m003": bytes(32)}
    with pytest.raises(Misbehaved, match="a pair with two secrets") as caught:
        session.ask(b"q", {1: ["m003"]})
    assert suspects(caught) == {"m002", "m003"}


@pytest.mark.parametrize("threshold", [4, 5])
def test_words_that_were_changed_under_right_checks(threshold: int) -> None:
    """The check word belongs to the words: a mask that doesn't cancel leaves it not 0."""
    with pytest.raises(Misbehaved, match="the sum is not of what they were asked"):
        ask(sums(5, threshold, 10), 0, flip("m002", HEAD_BYTES + 8 * 10))


def test_a_signature_under_something_else() -> None:
    start = HEAD_BYTES + 8 * 11 + 8 * 4
    with pytest.raises(Misbehaved, match="m002 in round 2: a signature under other survivors"):
        ask(sums(5, 4, 10), 0, flip("m002", start))


def test_a_wrong_share_is_named_where_one_more_helped() -> None:
    with pytest.raises(Misbehaved, match="m002 in round 2: a wrong share") as caught:
        ask(sums(5, 4, 10), 1, flip("m002", HEAD_BYTES + 32))
    assert suspects(caught) == {"m002"}


def test_a_wrong_share_among_just_enough_leaves_all_suspect() -> None:
    tamper = flip("m002", HEAD_BYTES + 32)
    with pytest.raises(Misbehaved, match="a wrong share") as caught:
        ask(sums(5, 4, 10), 2, tamper, gone=("m004",))
    assert suspects(caught) == {"m000", "m001", "m002", "m003"}


def test_a_second_deal_for_one_round() -> None:
    session = sums(5, 4, 10)
    session.ask(b"q")
    session.server._keep_deal("m002", 2, session.server._deals[2]["m002"].raw)
    changed = bytes(len(session.server._deals[2]["m002"].raw))
    with pytest.raises(Misbehaved, match="m002 in round 2: a second deal for one round"):
        session.server._keep_deal("m002", 2, changed)


def test_a_stranger() -> None:
    message = messages.head(Kind.ASK, 2)
    with pytest.raises(Misbehaved, match="mallory in round 2: a reply of who wasn't asked"):
        ask(sums(5, 4, 10), 0, lambda replies: {**replies, "mallory": message})


@pytest.mark.parametrize("secrets", [{}, {"m000": bytes(32)}, {"m001": bytes(32), "x": bytes(32)}])
def test_secrets_that_are_not_one_for_each_other(secrets: dict[str, bytes]) -> None:
    member = sums(3, 3, 1).members["m000"]
    with pytest.raises(ValueError, match="one secret with each other member"):
        type(member)(member.roster, "m000", secrets, member.sign, member.verify, bytes(32))
