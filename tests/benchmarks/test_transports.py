"""Every benchmark's operator over gRPC: the words, bytes and rounds of the same run in memory."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from links import over_grpc

from benchmarks.case import Case
from benchmarks.names import CASES, make
from protocols.rep3.ladder import Linked
from protocols.rep3.relation import Relation
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits
from protocols.rounds import Party, Steps
from protocols.simulate import Transcript, contexts, simulate

ROWS = 500
LATENCY_S = 0.02
# Rounds, and the bytes of all parties, at ROWS: a change that takes more fails here.
COSTS = {
    "and": (1, 1_536),
    "multiply": (1, 12_000),
    "less_than": (7, 18_240),
    "equality": (6, 12_096),
    "shuffle": (2, 16_000),
    "sort": (138, 229_640),
    "merge": (83, 338_336),
    "join": (97, 596_512),
    "group_by": (171, 480_456),
    "distinct": (169, 379_080),
    "link_ladder": (279, 7_838_400),
    "link_compare": (66, 888_456),
    "train_joined": (761, 7_631_984),
    "propagate": (244, 1_178_664),
}


def steps(case: Case) -> list[Steps[Any]]:
    """Return one step per party, with the same randomness each time."""
    return [case.step(ctx, case.inputs[ctx.me]) for ctx in contexts(b"the same")]


def words(held: Any) -> list[np.ndarray]:
    """Return all words of a party's result."""
    match held:
        case Arith() | Bits():
            return [held.own, held.next]
        case Rows():
            return words([held.bits, held.sums])
        case Relation():
            columns = [column.planes for column in held.columns.values()]
            return words([held.valid, *columns, *held.sums.values()])
        case Linked():
            return [array for part in (held.pairs, held.left, held.right) for array in words(part)]
        case np.ndarray():
            return [held]
        case Sequence():
            return [array for part in held for array in words(part)]
    return []


@pytest.mark.parametrize("name", CASES)
def test_memory_and_grpc_give_the_same_words(name: str) -> None:
    case, transcript = make(name, ROWS), Transcript()
    in_memory = simulate(steps(case), transcript=transcript)
    played = over_grpc(steps(case))
    assert played.bytes_sent == tuple(transcript.bytes_sent(party) for party in Party)
    assert set(played.rounds) == {len(transcript.rounds)}
    rounds, n_bytes = COSTS[name]
    assert played.rounds[0] <= rounds
    assert sum(played.bytes_sent) <= n_bytes
    for here, there in zip(in_memory, played.results, strict=True):
        assert words(here)
        for one, other in zip(words(here), words(there), strict=True):
            np.testing.assert_array_equal(one, other)
    assert case.correct(played.results, case.plaintext())


def test_a_large_join_has_few_rounds() -> None:
    """At 20 ms a round, 2^16 rows a side wait for three seconds."""
    case, transcript = make("join", 1 << 16), Transcript()
    simulate(steps(case), transcript=transcript)
    assert len(transcript.rounds) <= 153


def test_a_join_through_slow_wires_is_right_and_waits_once_a_round() -> None:
    """A round waits for one message; more would show as a multiple of the latency."""
    case = make("join", ROWS)
    started = time.perf_counter()
    played = over_grpc(steps(case), LATENCY_S)
    seconds = time.perf_counter() - started
    assert case.correct(played.results, case.plaintext())
    waits = seconds / LATENCY_S
    assert played.rounds[0] <= waits  # the relay does delay
    assert waits < 3 * played.rounds[0] + 10 / LATENCY_S
