"""Counts are rounded and redacted on shares exactly as in plain numbers."""

import numpy as np
import pytest
from relations import run

from protocols.rep3.rounding import Rule, divided, rounded
from protocols.rep3.share import Arith, join_arith, split_arith
from protocols.rounds import Party
from protocols.simulate import Transcript

BASES = (1, 2, 3, 5, 6, 7, 10, 100, 999, 1000)
RULES = [Rule(b, m, r) for b in BASES for m in (False, b > 1) for r in (0, 7)]


def counts(rule: Rule) -> np.ndarray:
    """Return two columns: small counts, those around multiples, the largest, random ones."""
    most = rule.most
    around = [k * rule.base + d for k in (50, 1000, most // rule.base - 3) for d in (-1, 0, 1, 3)]
    other = np.random.default_rng(rule.base).integers(0, most, 79)
    column = np.concatenate([np.arange(100), np.array(around), other, [most]])
    return np.stack([column, column[::-1]]).astype(np.uint64)


def plain(count: int, rule: Rule) -> tuple[int, int]:
    if rule.redact and count <= rule.redact:
        return 0, 1
    if rule.midpoint:
        whole, rest = divmod(count, rule.base)
        above = whole + (rest > 0)
        return above * rule.base - (rule.base // 2 if count else 0), 0
    return int(np.floor(count / rule.base + 0.5)) * rule.base, 0


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_counts_are_told_as_the_rule_says(rule: Rule) -> None:
    given = counts(rule)
    shares = split_arith(given)
    found = run(lambda ctx: rounded(ctx, shares[ctx.me], rule))
    told, hidden = (join_arith([part[i] for part in found]) for i in (0, 1))
    expected = [[plain(int(count), rule) for count in column] for column in given]
    assert np.stack([told, hidden], axis=-1).tolist() == [[list(e) for e in c] for c in expected]


@pytest.mark.parametrize("by", BASES)
def test_division_is_exact_up_to_its_largest_number(by: int) -> None:
    largest = Rule(by).most + by
    given = np.array([[largest - d for d in range(64)]], dtype=np.uint64)
    shares = split_arith(given)
    found = join_arith(run(lambda ctx: divided(ctx, shares[ctx.me], by)))
    assert (found == given // np.uint64(by)).all()


@pytest.mark.parametrize(
    ("rule", "rounds", "n_bytes"), [(Rule(5, redact=7), 11, 62_640), (Rule(6, True), 11, 71_008)]
)
def test_rounding_costs_no_more_than_this(rule: Rule, rounds: int, n_bytes: int) -> None:
    shares = split_arith(np.zeros((1, 128), dtype=np.uint64))
    transcript = Transcript()
    run(lambda ctx: rounded(ctx, shares[ctx.me], rule), transcript)
    assert len(transcript.rounds) <= rounds
    assert sum(transcript.bytes_sent(party) for party in Party) <= n_bytes


def test_nothing_of_the_counts_shows() -> None:
    sizes = []
    for value in (0, 12345):
        shares: tuple[Arith, ...] = split_arith(np.full((1, 64), value, dtype=np.uint64))
        transcript = Transcript()
        run(lambda ctx, s=shares: rounded(ctx, s[ctx.me], Rule(5, redact=7)), transcript)
        sizes.append(transcript.rounds)
    assert sizes[0] == sizes[1]
