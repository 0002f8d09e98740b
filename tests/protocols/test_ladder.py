"""The ladder of keys against pandas and its twin; what it sends, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from persons import linked_by_pandas, names, opened_ids, opened_pairs, persons, share

from protocols.plaintext import ladder as plain
from protocols.rep3 import rungs
from protocols.rep3.ladder import Linked, ladder
from protocols.rep3.relation import Relation
from protocols.rounds import Party, PeerMisbehaved, ProtocolError
from protocols.simulate import Tamper, Transcript, contexts, simulate

SEEDS = st.integers(0, 2**32)


def link(
    left: Sequence[Relation],
    right: Sequence[Relation],
    keys: Sequence[str],
    transcript: Transcript | None = None,
    tamper: Tamper | None = None,
    seed: bytes = b"ladder",
    ranked: bool = True,
) -> tuple[Linked, ...]:
    ranks = [f"{key}_rank" for key in keys if ranked]
    steps = [ladder(c, left[c.me], right[c.me], keys, ranks) for c in contexts(seed)]
    return simulate(steps, tamper, transcript)


def both(seed: int, n_left: int, n_right: int, keys: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    values = int(rng.integers(1, 2 * max(n_left, n_right, 1) + 1))
    return persons(rng, n_left, 0, keys, values), persons(rng, n_right, 5000, keys, values)


@settings(max_examples=12, deadline=None)
@given(
    SEEDS,
    st.sampled_from([(0, 0), (0, 5), (1, 1), (63, 64), (64, 65), (65, 20), (100, 130)]),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
)
def test_pairs_are_those_of_pandas_and_of_the_twin(
    seed: int, sizes: tuple[int, int], keys: int, ranked: bool
) -> None:
    left, right = both(seed, *sizes, keys)
    rows = [64 * max(1, -(-n // 64)) for n in sizes]
    got = link(share(left, rows[0]), share(right, rows[1]), names(keys), ranked=ranked)
    expected = linked_by_pandas(left, right, names(keys))
    pairs = opened_pairs(got)
    assert len(pairs) == len(expected)
    assert set(pairs) == expected
    assert [rung for _, _, rung in pairs] == sorted(rung for _, _, rung in pairs)
    assert got[0].pairs.sorted_by == ("rung",)
    assert opened_ids([g.left for g in got]) == set(left["id"]) - {a for a, _, _ in pairs}
    assert opened_ids([g.right for g in got]) == set(right["id"]) - {b for _, b, _ in pairs}
    assert twin(left, right, names(keys)) == expected


def twin(left: pd.DataFrame, right: pd.DataFrame, keys: Sequence[str]) -> set[tuple[int, int, int]]:
    sides = [
        (
            [side[key].fillna(0).to_numpy(dtype=np.uint64) for key in keys],
            [side[key].notna().to_numpy(dtype=bool) for key in keys],
        )
        for side in (left, right)
    ]
    rows, others, rungs = plain.ladder(*sides)
    ids = left["id"].to_numpy()[rows], right["id"].to_numpy()[others], rungs
    return set(zip(*(column.tolist() for column in ids), strict=True))


def frame(start: int, *keys: list[int | None]) -> pd.DataFrame:
    named = zip(names(len(keys)), keys, strict=True)
    columns = {name: pd.array(key, dtype="UInt64") for name, key in named}
    return pd.DataFrame({"id": range(start, start + len(keys[0])), **columns})


def pairs_of(left: pd.DataFrame, right: pd.DataFrame, keys: int) -> set[tuple[int, int, int]]:
    return set(opened_pairs(link(share(left), share(right), names(keys))))


def test_an_ambiguous_key_waits_and_may_be_clear_later() -> None:
    """Key 7 is twice at the left, so 1 and 2 wait; once rung 2 has linked 2, rung 3 links 1."""
    left = frame(1, [7, 7], [None, 5], [7, 7])
    right = frame(11, [7, 8], [6, 5], [7, 7])
    assert pairs_of(left, right, 3) == {(2, 12, 2), (1, 11, 3)}


@pytest.mark.parametrize("turned", [False, True])
def test_ambiguous_on_one_side_links_nothing(turned: bool) -> None:
    one, two = frame(1, [7]), frame(11, [7, 7])
    assert pairs_of(*((two, one) if turned else (one, two)), 1) == set()


def test_null_matches_nothing_and_makes_nothing_ambiguous() -> None:
    """NULL's other bits are zero, as those of key 0."""
    left = frame(1, [None, 0, None])
    right = frame(11, [None, None, 0])
    assert pairs_of(left, right, 1) == {(2, 13, 1)}


def test_rows_that_are_not_there_count_nowhere() -> None:
    """Padding has all bits set in many rows, as the keys here."""
    ones = 2**64 - 1
    assert pairs_of(frame(1, [ones, 3]), frame(11, [4, ones]), 1) == {(1, 12, 1)}


def test_columns_that_do_not_fit_are_refused() -> None:
    left, right = frame(1, [1]), frame(11, [1])
    with pytest.raises(ValueError, match="needs a key"):
        link(share(left), share(right), [])
    with pytest.raises(ValueError, match="key_0 has 64 bits left, 32 right"):
        link(share(left), share(right, bits=32), names(1))


def test_what_travels_depends_on_sizes_alone() -> None:
    wires = []
    for seed in (1, 2):
        left, right = both(seed, 120, 64, 2)
        transcript = Transcript()
        link(share(left, 128), share(right, 64), names(2), transcript)
        wires.append(transcript.rounds)
    assert wires[0] == wires[1]


def test_without_ranks_only_the_sort_says_more() -> None:
    """Its opened comparisons say how shuffled rows rank, and they alone."""
    wires = []
    for seed in (1, 2):
        left, right = both(seed, 120, 64, 2)
        transcript = Transcript()
        link(share(left, 128), share(right, 64), names(2), transcript, ranked=False)
        others = [[s for s in r if "quicksort" not in s[2]] for r in transcript.rounds]
        wires.append([sends for sends in others if sends])
    assert wires[0] == wires[1]


def test_ranks_that_are_no_permutation_are_refused() -> None:
    left, right = frame(1, [7, 8]), frame(11, [8, 7])
    shares = share(left), share(right)
    twice = [replace(side, columns={**side.columns, "r": side.columns["id"]}) for side in shares[0]]
    same = [replace(side, columns={**side.columns, "r": side.columns["id"]}) for side in shares[1]]
    with pytest.raises(ProtocolError, match="not a permutation"):
        simulate([ladder(c, twice[c.me], same[c.me], ["key_0"], ["r"]) for c in contexts(b"r")])


def test_keys_of_all_rungs_are_merged_at_once_and_rungs_cost_seventeen_rounds() -> None:
    """Counts of up to 1024 rows have 11 bits: 23 planes are compared with zero."""
    n, keys = 512, 4
    left, right = both(3, n, n, keys)
    transcript = Transcript()
    link(share(left, n), share(right, n), names(keys), transcript)
    by_step = {step: [r for r in transcript.rounds if f"t/{step}" in r[0][2]] for step in STEPS}
    merged, grouped = 1 + 3 + 10 * (1 + 7) + 3, 7 + 6
    assert len(by_step["keys"]) == merged + grouped
    assert len(by_step["rung"]) + len(by_step["back"]) == keys * (2 + 2 + 2 + 6 + 2 + 1 + 2)
    assert len(by_step["pairs"]) == 9
    assert sum(map(len, by_step.values())) == len(transcript.rounds)
    sent = {step: most_sent(rounds) for step, rounds in by_step.items()}
    assert sent["keys"] <= keys * 257 * 2 * n
    assert sent["rung"] + sent["back"] <= keys * 44 * 2 * n
    assert sent["pairs"] <= (keys * 66 + 44) * 2 * n


def test_many_rows_are_put_in_order_a_few_keys_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = both(6, 60, 60, 3)
    sides = share(left), share(right)
    at_once = [opened_pairs(link(*sides, names(3), ranked=ranked)) for ranked in (True, False)]
    monkeypatch.setattr(rungs, "MOST", 2 * 128)
    by_two = [opened_pairs(link(*sides, names(3), ranked=ranked)) for ranked in (True, False)]
    assert set(by_two[0]) == set(at_once[0]) == linked_by_pandas(left, right, names(3))
    assert set(by_two[1]) == set(at_once[1])


STEPS = ("keys", "rung", "back", "pairs")


def most_sent(rounds: list) -> int:
    return max(sum(8 * n for r in rounds for s, _, _, n in r if s is p) for p in Party)


@pytest.mark.parametrize("cheat", list(Party))
@pytest.mark.parametrize("at", ["quicksort", "/merge/key", "/origin", "/ends/", "pairs/"])
def test_a_tampered_opening_ends_the_linkage(cheat: Party, at: str) -> None:
    left, right = both(4, 64, 64, 2)

    def tamper(sender: Party, receiver: Party, gate: str, vector: np.ndarray) -> np.ndarray:
        opening = sender is cheat and "/open/" in gate and at in gate
        return vector + np.uint64(1) if opening else vector

    with pytest.raises(PeerMisbehaved) as caught:
        link(share(left), share(right), names(2), tamper=tamper, ranked=at != "quicksort")
    assert cheat in caught.value.suspects
