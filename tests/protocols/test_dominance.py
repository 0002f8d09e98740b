"""The largest contributors of each group's sum are judged on shares as in plain numbers."""

import numpy as np
import pandas as pd
import pytest
from relations import run, share

from protocols.context import Context
from protocols.rep3.dominance import Limits, dominated
from protocols.rep3.segments import segments
from protocols.rep3.share import Arith, join_arith, stack
from protocols.rounds import Steps

LIMITS = [Limits(90, 0), Limits(100, 10), Limits(90, 10), Limits(60, 40), Limits(34, 100)]


def plain(parts: list[int], limits: Limits) -> bool:
    first, second, *rest = [*sorted(parts, reverse=True), 0, 0]
    two = 100 * (first + second) > limits.top_two * sum(parts)
    return (limits.top_two < 100 and two) or 100 * sum(rest) < limits.p_percent * first


def rows(seed: int) -> pd.DataFrame:
    """Return groups of a few contributors: alike, skewed, mostly nothing, or at the limits."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    parts = [
        rng.integers(0, 1000, n),
        (rng.pareto(0.7, n) * 100).astype(int) % 10**9,
        (rng.random(n) < 0.1) * rng.integers(0, 50, n),
        rng.choice([45, 45, 5, 1, 0], n),
    ][seed % 4]
    return pd.DataFrame({"k": rng.integers(0, 31, n), "x": parts}).sort_values("k")


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("keys", [("k",), ()], ids=["groups", "one group"])
def test_rules_hold_as_in_plain_numbers(limits: Limits, keys: tuple[str, ...]) -> None:
    found = set()
    for seed in range(8):
        frame = rows(seed)
        shares = share(frame, ["x"], ("k",))

        def judged(ctx: Context, shares: list = shares) -> Steps[Arith]:
            relation = shares[ctx.me]
            parts = stack([relation.sums["x"]])
            groups, sums = yield from segments(ctx.at("groups"), relation, keys, parts, 32)
            sums = sums[:, : groups.most]
            return (yield from dominated(ctx.at("rule"), groups, parts, sums, limits))

        told = join_arith(run(judged))[0].tolist()
        parted = frame.groupby("k")["x"].apply(list) if keys else [frame["x"].tolist()]
        expected = [plain(parts, limits) for parts in parted]
        assert told == [*expected, *[0] * (len(told) - len(expected))]
        found |= set(expected)
    assert found == {True, False} or not keys
