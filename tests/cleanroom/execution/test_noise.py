"""The noise of released totals, as it comes out of the protocol: as much as promised, no less."""

import hashlib
import math
from dataclasses import replace

import attacks
import numpy as np
import pytest
from in_memory import run_on_shares
from scipy.stats import beta, chi2

from cleanroom.execution.noise import shares_of
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.plan import Plan
from protocols.dp.words import Words

TERMS = attacks.terms(epsilon=4.0)
PARTIES = range(3)


class Nobody:
    """An owner without rows."""

    def run(self, sql: str, text_key: bytes) -> dict[str, np.ndarray]:
        del sql, text_key
        return {name: np.zeros(0, np.int64) for name in ("s0_2", "b0_0_0", "b0_1_0")}

    def rows(self, table: str) -> int:
        return len(table)

    def interrupt(self) -> None:
        """Nothing runs."""


def cells_plan(cost: float) -> Plan:
    """Return the plan of a count in 10 100 cells."""
    return attacks.question(TERMS, ["COUNT(*)"], cost, "GROUP BY age, id // 10")


def drawn(noise: QueryNoise, seed: str) -> list[np.ndarray]:
    """Return each member's share of the noise of a question's only total."""
    keys = (hashlib.sha256(f"{seed}|{party}".encode()).digest() for party in PARTIES)
    return [shares_of(noise, Words(key))[noise.totals[0].name] for key in keys]


def half(noise: QueryNoise) -> QueryNoise:
    """Plant the fault: a standard deviation half as large as promised."""
    (total,) = noise.totals
    over, under = total.share
    return replace(noise, totals=(replace(total, share=(over, 4 * under)),))


def keeps_promise(values: np.ndarray, variance: float) -> bool:
    """Whether the mean square isn't below the promise by chance alone, at 99.99 %."""
    n = values.size
    return bool((values.astype(float) ** 2).sum() / variance >= chi2.ppf(1e-4, n))


def test_released_totals_have_the_promised_noise_and_half_of_it_is_noticed() -> None:
    plan = cells_plan(0.5)
    promised = plan.noise.deviation("d0") ** 2
    for noise, right in ((plan.noise, True), (half(plan.noise), False)):
        opened = run_on_shares(replace(plan, noise=noise), {"owner": Nobody()}, noise="half")
        values = opened.columns["d0"]
        assert opened.n == 10_100
        assert keeps_promise(values, promised) is right
        assert abs(values).max() < 6 * math.sqrt(promised)


def test_noise_suffices_without_any_one_member() -> None:
    noise = cells_plan(0.5).noise
    each = drawn(noise, "each")
    needed = float(next(noise.shared())[1].variance)
    for one in PARTIES:
        left = sum((x for i, x in enumerate(each) if i != one), np.zeros_like(each[0]))
        assert keeps_promise(left, needed)
        assert not keeps_promise(each[one], needed)
    assert abs(np.corrcoef(each)[np.triu_indices(3, 1)]).max() < 0.05


@pytest.mark.parametrize("cost", [1.0])
def test_answers_prove_no_more_than_epsilon(cost: float) -> None:
    """What 200 000 answers each to neighbouring tables prove of epsilon, at 99.9 %."""
    noise = replace(cells_plan(cost).noise, cells=200_000)
    delta = noise.delta

    def proven(of: QueryNoise) -> float:
        without, person = (sum(drawn(of, f"{cost}|{i}")) + i for i in (0, 1))
        found, n = [0.0], without.size
        for threshold in np.unique(np.quantile(person, np.linspace(0.5, 0.9995, 40)).astype(int)):
            high, low = (int((x >= threshold).sum()) for x in (person, without))
            least = beta.ppf(0.001, high, n - high + 1)
            most = beta.ppf(0.999, low + 1, n - low)
            found.append(math.log(max(least - delta, delta) / most))
        return max(found)

    assert 0 < proven(noise) <= cost
    assert proven(half(noise)) > 1.6 * proven(noise)


def test_every_answer_is_possible_with_and_without_a_person() -> None:
    """No value of the noisy count proves that somebody is there: parity, sign or range."""
    noise = replace(cells_plan(4.0).noise, cells=200_000)
    values = sum(drawn(noise, "support"))
    likely = set(range(-8, 9))
    assert likely <= set(values.tolist())
    assert likely <= set((values + 1).tolist())
