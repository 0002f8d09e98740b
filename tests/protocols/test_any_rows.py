"""Sorting, merging and comparing any small lists of numbers, extremes and ties included."""

from hypothesis import given
from hypothesis import strategies as st
from numpy import array, sort, uint64

from protocols.rep3 import merge as merging
from protocols.rep3 import sort as sorting
from protocols.rep3.compare import equal, less_than
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Bits, join_bits, split_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import U64
from protocols.simulate import contexts, simulate

WORD = st.one_of(st.sampled_from([0, 1, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))
LIST = st.lists(WORD, min_size=1, max_size=70)
SEED = st.binary(min_size=4, max_size=4)


def shared(words: U64) -> tuple[Bits, Bits, Bits]:
    return split_bits(to_planes(words, 64))


def bare(n: int) -> Rows:
    return Rows(n, no_bits(n), no_sums(n))


def opened(results, n: int) -> list[int]:
    return from_planes(join_bits([r[1] for r in results]), n).tolist()


@given(LIST, SEED)
def test_sort(values: list[int], seed: bytes) -> None:
    n, key = len(values), shared(array(values, dtype=uint64))
    got = simulate([sorting.sort(c, bare(n), key[c.me]) for c in contexts(seed)])
    assert opened(got, n) == sorted(values)


@given(LIST, LIST, SEED)
def test_merge(first: list[int], second: list[int], seed: bytes) -> None:
    a, b = (shared(sort(array(v, dtype=uint64))) for v in (first, second))
    sizes = len(first), len(second)
    steps = [
        merging.merge(c, bare(sizes[0]), a[c.me], bare(sizes[1]), b[c.me]) for c in contexts(seed)
    ]
    assert opened(simulate(steps), sum(sizes)) == sorted(first + second)


@given(st.lists(st.tuples(WORD, WORD), min_size=1, max_size=70), SEED)
def test_compare(pairs: list[tuple[int, int]], seed: bytes) -> None:
    n = len(pairs)
    a, b = (shared(array(column, dtype=uint64)) for column in zip(*pairs, strict=True))
    for step, expected in (
        (less_than, [x < y for x, y in pairs]),
        (equal, [x == y for x, y in pairs]),
    ):
        got = simulate([step(c, a[c.me], b[c.me]) for c in contexts(seed)])
        assert from_planes(join_bits(got), n).tolist() == expected
