"""Exact sums of those that stayed, whenever others leave; trips and bytes."""

import numpy as np
import pytest
from secure_sums import sums

from protocols.rounds import U64
from protocols.secagg.errors import NotFinite, TooFewMembers
from protocols.secagg.fixed_point import FixedPoint
from protocols.secagg.roster import Roster, RosterRefused, safe_threshold


@pytest.mark.parametrize(("n", "threshold"), [(3, 3), (4, 3), (5, 5), (9, 7)])
@pytest.mark.parametrize("n_words", [0, 1, 100])
def test_sum_of_all(n: int, threshold: int, n_words: int) -> None:
    session = sums(n, threshold, n_words)
    for _ in range(3):
        opened = session.ask(b"gradient")
        assert np.array_equal(opened.words, session.expected(session.words))
        assert opened.survivors == session.roster.members


@pytest.mark.parametrize("trip", [0, 1, 2, 3])
def test_sum_of_survivors(trip: int) -> None:
    session = sums(9, 7, 100)
    gone = {0: [], 1: ["m001"], 2: [], 3: []}
    gone[trip].append("m004")
    opened = session.ask(b"q", gone)
    stayed = [n for n in session.words if n not in gone[0] + gone[1]]
    assert opened.survivors == tuple(stayed)
    assert np.array_equal(opened.words, session.expected(stayed))
    again = session.ask(b"q")
    assert set(opened.survivors) <= set(again.survivors)
    assert np.array_equal(again.words, session.expected(again.survivors))
    assert session.ask(b"q").survivors == session.roster.members


@pytest.mark.parametrize("trip", [0, 1, 2, 3])
def test_too_few_stay(trip: int) -> None:
    session = sums(7, 5, 10)
    gone = {1: ["m000"]} | {trip: ["m001", "m002", "m003"]}
    with pytest.raises(TooFewMembers, match="m001, m002, m003") as caught:
        session.ask(b"q", gone)
    assert caught.value.missing >= {"m001", "m002", "m003"}
    assert session.ask(b"q").survivors


@pytest.mark.parametrize("threshold", [5, 7])
@pytest.mark.parametrize("trip", [0, 1])
def test_nobody_stays(threshold: int, trip: int) -> None:
    session = sums(7, threshold, 10)
    with pytest.raises(TooFewMembers):
        session.ask(b"q", {trip if threshold < 7 else 0: session.words})
    assert session.ask(b"q").survivors == session.roster.members


def test_all_must_stay_where_the_threshold_says_so() -> None:
    session = sums(3, 3, 10)
    with pytest.raises(TooFewMembers, match="needs 3 members to stay; without m001"):
        session.ask(b"q", {0: ["m001"]})
    assert session.ask(b"q").survivors == session.roster.members


def test_forty_members_of_whom_ten_drop_out_at_several_times() -> None:
    session = sums(40, safe_threshold(40), 20)
    names = list(session.words)
    opened = session.ask(b"q", {0: names[:2], 1: names[10:16], 2: names[30:31], 3: names[35:36]})
    stayed = [n for n in names if n not in names[:2] + names[10:16]]
    assert opened.survivors == tuple(stayed)
    assert np.array_equal(opened.words, session.expected(stayed))


def test_an_update_that_is_refused_leaves_its_member_out_of_one_round() -> None:
    session = sums(4, 3, 2)
    fixed = FixedPoint(1.0, 4)

    def not_finite(_question: bytes) -> U64:
        return fixed.encode(np.array([0.0, np.nan]))

    trips = session.server.round(b"q", 2)
    dealt = {name: session.reply(name, message) for name, message in next(trips).items()}
    asked = trips.send(dealt)
    with pytest.raises(NotFinite):
        session.members["m000"].reply(asked["m000"], not_finite)
    sent = trips.send({n: session.reply(n, asked[n]) for n in asked if n != "m000"})
    sent = trips.send({name: session.reply(name, message) for name, message in sent.items()})
    with pytest.raises(StopIteration) as end:
        trips.send({name: session.reply(name, message) for name, message in sent.items()})
    assert end.value.value.survivors == ("m001", "m002", "m003")
    assert "m000" not in session.ask(b"q").survivors
    assert "m000" in session.ask(b"q").survivors


def test_trips() -> None:
    session = sums(4, 3, 10)
    n_trips = []
    for gone in ({}, {}, {0: ["m001"]}, {}):
        session.ask(b"q", gone)
        n_trips.append(len(session.trips))
    assert n_trips == [3, 2, 3, 2]
    everybody = sums(3, 3, 10)
    everybody.ask(b"q")
    assert len(everybody.trips) == 1


@pytest.mark.parametrize(("n", "threshold"), [(3, 3), (4, 3), (20, 14)])
def test_bytes(n: int, threshold: int) -> None:
    n_words = 1000
    session = sums(n, threshold, n_words)
    session.ask(b"q")
    session.ask(b"q")
    up = sum(len(replies["m001"]) for _, replies in session.trips)
    down = sum(len(sent["m001"]) for sent, _ in session.trips)
    if n == threshold:
        assert up == 8 + 8 * (n_words + 1) + 8 * (n - 1)
        assert down == 8 + 1 + len(b"q")
    else:
        assert up == 16 + 8 * (n_words + 1) + 152 * n + 88
        assert down == 16 + 3 * -(-n // 8) + len(b"q") + (64 + 80) * n


@pytest.mark.parametrize("gone", [[], ["m003"]])
def test_lengths_tell_nothing_of_the_words(gone: list[str]) -> None:
    lengths = []
    for seed in (1, 2):
        session = sums(5, 4, 50, seed)
        session.ask(b"q", {1: gone})
        lengths.append([[len(m) for m in side.values()] for trip in session.trips for side in trip])
    assert lengths[0] == lengths[1]


@pytest.mark.parametrize(
    ("members", "threshold"),
    [(("a", "b"), 2), (("a", "b", "b"), 3), (("a", "b", "c", "d"), 2), (("a", "b", "c"), 4)],
)
def test_rosters_that_are_refused(members: tuple[str, ...], threshold: int) -> None:
    with pytest.raises(RosterRefused):
        Roster(members, threshold, "r", "context")


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 10, 100, 1000])
def test_thresholds_keep_two_groups_from_meeting_in_a_third_of_all(n: int) -> None:
    threshold = safe_threshold(n)
    assert 3 <= threshold <= n
    assert 3 * (2 * threshold - n) > n
