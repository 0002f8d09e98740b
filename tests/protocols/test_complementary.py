"""Withheld groups stay unknown to whoever knows all totals that one could be told.

On shares as in plain sets; and of the plain ones, a linear program finds what each withheld cell
may be, given everything opened, and every row's, column's and the whole table's true total.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from relations import run, share
from scipy.optimize import linprog

from cleanroom.plan.plaintext_suppression import kept
from protocols.rep3.complementary import protected
from protocols.rep3.lines import smallest
from protocols.rep3.share import join_bits, split_arith, split_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import Party
from protocols.simulate import Transcript

LEAST = 10
NAMES = ("k", "j", "p")
Persons = dict[tuple[int, ...], int]


def table(seed: int, n_keys: int) -> tuple[Persons, set[tuple[int, ...]]]:
    """Return persons by cell, some cells empty, and the cells that pass by themselves."""
    rng = np.random.default_rng(seed)
    sizes = [int(rng.integers(2, 8)) for _ in range(n_keys)]
    mean = rng.choice([8, 15, 40, 200])
    persons = {
        tuple(map(int, cell)): int(1 + rng.poisson(2 * mean * rng.random()))
        for cell in np.ndindex(*sizes)
        if rng.random() < 0.85
    }
    dominated = 0.1 * (seed % 5 == 0)
    return persons, {c for c, n in persons.items() if n >= LEAST and rng.random() >= dominated}


@pytest.mark.parametrize(("n_keys", "rounds"), [(1, 35), (2, 191), (3, 12)])
def test_shares_withhold_what_sets_do(n_keys: int, rounds: int) -> None:
    names = NAMES[:n_keys]
    for seed in range(12):
        persons, passing = table(seed, n_keys)
        frame = pd.DataFrame([[*cell, n] for cell, n in persons.items()], columns=[*names, "x"])
        shares = share(frame, ["x"], names)
        n = shares[0].n
        planes = split_bits(to_planes(marks([c in passing for c in persons], n), 1))
        lines = names if n_keys < 3 else None
        transcript = Transcript()
        found = run(
            lambda ctx, s=shares, p=planes, w=lines: protected(
                ctx, s[ctx.me], p[ctx.me], s[ctx.me].sums["x"], w, LEAST
            ),
            transcript,
        )
        left = from_planes(join_bits(found), n).astype(bool)
        assert not left[len(persons) :].any()
        opened = {cell for cell, flag in zip(persons, left, strict=False) if flag}
        assert opened == kept(persons, passing, None if lines is None else n_keys, LEAST)
        assert len(transcript.rounds) <= rounds


def marks(flags: list[bool], n: int) -> np.ndarray:
    out = np.zeros(n, dtype=np.uint64)
    out[: len(flags)] = flags
    return out


def widths(persons: Persons, opened: set[tuple[int, ...]], n_keys: int) -> Iterator[float]:
    """Yield for each withheld cell how many values more than one it may take.

    Whoever asks knows the public domain of each key, and totals of the lines that it would be
    told of when it asks for one key alone.
    """
    domain = [sorted({cell[i] for cell in persons}) for i in range(n_keys)]
    unknown = [c for c in (tuple(c) for c in _product(domain)) if c not in opened]
    rows, right = [[1.0] * len(unknown)], [sum(n for c, n in persons.items() if c not in opened)]
    for place in range(n_keys if n_keys > 1 else 0):
        totals = {(v,): sum(n for c, n in persons.items() if c[place] == v) for v in domain[place]}
        told = kept(totals, {v for v, n in totals.items() if n >= LEAST}, 1, LEAST)
        for (value,) in told:
            rows.append([float(cell[place] == value) for cell in unknown])
            known = sum(persons[c] for c in opened if c[place] == value)
            right.append(totals[value,] - known)
    for cell in (c for c in persons if c not in opened):
        along = np.array([float(c == cell) for c in unknown])
        ends = [linprog(s * along, A_eq=rows, b_eq=right, bounds=(0, None)) for s in (1, -1)]
        yield -ends[1].fun - ends[0].fun


def _product(domain: list[list[int]]) -> Iterator[tuple[int, ...]]:
    grid = np.array(np.meshgrid(*domain)).T.reshape(-1, len(domain))
    return (tuple(int(x) for x in cell) for cell in grid)


@pytest.mark.parametrize("n_keys", [1, 2])
def test_no_withheld_cell_is_bounded_closer_than_the_smallest_group(n_keys: int) -> None:
    partly = 0
    for seed in range(40):
        persons, passing = table(seed, n_keys)
        opened = kept(persons, passing, n_keys, LEAST)
        assert opened <= passing
        if not opened or opened == set(persons):
            continue
        partly += 1
        assert min(widths(persons, opened, n_keys)) >= LEAST - 1e-6
    assert partly > 10


def test_by_themselves_small_cells_can_be_told_from_totals() -> None:
    """The same program finds cells that the threshold alone gives away."""
    persons, passing = table(3, 2)
    assert min(widths(persons, passing, 2)) < LEAST


@pytest.mark.parametrize("n", [64, 256, 320, 8192])
def test_the_smallest_of_many_is_found(n: int) -> None:
    rng = np.random.default_rng(n)
    for share_wanted in (0.0, 0.01, 0.5, 1.0):
        numbers, wanted = rng.integers(0, n // 8, n), rng.random(n) < share_wanted
        parts = split_arith(numbers.astype(np.uint64)), split_arith(wanted.astype(np.uint64))
        transcript = Transcript()
        found = run(lambda c, p=parts: smallest(c, p[0][c.me], p[1][c.me]), transcript)
        expected = np.zeros(n, dtype=bool)
        if wanted.any():
            expected[np.flatnonzero(wanted)[np.argmin(numbers[wanted])]] = True
        assert (from_planes(join_bits(found), n).astype(bool) == expected).all()
    assert len(transcript.rounds) <= (23 if n <= 256 else 80)


def test_costs_of_one_and_two_keys() -> None:
    for n_keys, most in ((1, 186_280), (2, 4_456_336)):
        persons, _ = table(1, n_keys)
        frame = pd.DataFrame([[*c, n] for c, n in persons.items()], columns=[*NAMES[:n_keys], "x"])
        shares = share(frame, ["x"], NAMES[:n_keys])
        transcript = Transcript()
        run(
            lambda ctx, s=shares, w=NAMES[:n_keys]: protected(
                ctx, s[ctx.me], s[ctx.me].valid, s[ctx.me].sums["x"], w, LEAST
            ),
            transcript,
        )
        assert sum(transcript.bytes_sent(party) for party in Party) <= most
