"""Attacks on single persons' secrets: they succeed on exact answers, and not on noisy ones.

Everything but the owner's SQL in reconstructions is what a room runs: plans, ledger, shares, noise.
"""

from pathlib import Path

import attacks
import numpy as np
import pytest

from cleanroom.errors import BudgetExhausted

SEEDS = range(5)
AT_ONCE = 200
TERMS = attacks.terms()


@pytest.mark.parametrize("n", [100, 200, 500])
def test_reconstruction_recovers_no_more_than_guessing(n: int, tmp_path: Path) -> None:
    """F56, R6: 4 n random subset counts, by least squares, for all of the default budget."""
    totals = [f"SUM(CASE WHEN age <> {i} THEN bit ELSE 0 END)" for i in range(AT_ONCE)]
    cost = attacks.part_of_budget(TERMS, 4 * n // AT_ONCE)
    plan = attacks.question(TERMS, totals, cost)
    subsets = np.random.default_rng(n).integers(0, 2, (4 * n, n)).astype(float)
    least_squares = np.linalg.solve(subsets.T @ subsets, subsets.T)
    for seed in SEEDS:
        victim = attacks.Victim(tmp_path, TERMS, n, seed)
        counts = attacks.counts_of(victim, plan, subsets, noisy=True)
        found = victim.recovered(least_squares @ counts)
        assert found <= max(victim.majority, 0.5) + 0.10, (n, seed)
        with pytest.raises(BudgetExhausted):
            victim.ask(plan)
    exact = attacks.counts_of(victim, plan, subsets, noisy=False)
    assert victim.recovered(least_squares @ exact) >= 0.95


def test_the_same_question_a_thousand_times_is_not_averaged_away(tmp_path: Path) -> None:
    """F56: the ledger stops it; the mean of what passed is no better than one answer for all."""
    victim = attacks.Victim(tmp_path, TERMS, 300, seed=1)
    plan = attacks.question(TERMS, ["SUM(bit)"], 0.3)
    answers, refused = [], 0
    for _ in range(1000):
        try:
            answers.append(float(victim.ask(plan)))
        except BudgetExhausted:
            refused += 1
    assert (len(answers), refused) == (10, 990)
    at_once = attacks.question(TERMS, ["SUM(bit)"], attacks.part_of_budget(TERMS, 1))
    averaged = plan.noise.deviation("d0") / np.sqrt(len(answers))
    assert averaged >= 0.999 * at_once.noise.deviation("d0")


def trackers(n: int) -> dict[str, list[str]]:
    """Return for each tracker the totals it asks for, of as many persons as there are."""
    persons = range(n)
    general = "age < 50"
    return {
        "individual": [
            *(f"SUM(CASE WHEN id <> {i} THEN bit ELSE 0 END)" for i in persons),
            "SUM(bit)",
        ],
        "general": [
            *(f"SUM(CASE WHEN id = {i} OR {general} THEN bit ELSE 0 END)" for i in persons),
            *(f"SUM(CASE WHEN id = {i} OR NOT {general} THEN bit ELSE 0 END)" for i in persons),
            "SUM(bit)",
        ],
        "difference": [f"SUM(CASE WHEN id <= {i} THEN bit ELSE 0 END)" for i in persons],
    }


def solved(kind: str, totals: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> object:
    """Return what a tracker makes of its totals: each person's bit, if they are exact."""
    if kind == "individual":
        return totals[-1] - totals[:-1]
    if kind == "difference":
        return np.diff(totals, prepend=0)
    n = len(totals) // 2
    return totals[:n] + totals[n : 2 * n] - totals[-1]  # Denning's, with T and not T


@pytest.mark.parametrize("kind", ["individual", "general", "difference"])
def test_trackers_tell_no_person_apart(kind: str, tmp_path: Path) -> None:
    """F54: totals with and without a person, or padded by a group that is about something else."""
    n = 60
    totals = trackers(n)[kind]
    plan = attacks.question(TERMS, totals, attacks.part_of_budget(TERMS, 1))
    victim = attacks.Victim(tmp_path, TERMS, n, seed=3)
    assert victim.recovered(solved(kind, victim.ask(plan, noisy=False))) == 1
    found = victim.recovered(solved(kind, victim.ask(plan)))
    assert found <= max(victim.majority, 0.5) + 0.10


def test_averages_tell_no_person_apart(tmp_path: Path) -> None:
    """F57: AVG times COUNT with and without a person is that person's value, if it is exact."""
    victim = attacks.Victim(tmp_path, TERMS, 200, seed=4)
    asked = ["SUM(age)", "COUNT(*)"]
    everybody = attacks.question(TERMS, asked, 0.5)
    others = attacks.question(TERMS, asked, 0.5, "WHERE id <> 7")
    exact = [victim.ask(plan, noisy=False) for plan in (everybody, others)]
    assert exact[0][0] - exact[1][0] == victim.ages[7]
    noisy = [victim.ask(plan) for plan in (everybody, others)]
    error = everybody.noise.deviation("d0") * np.sqrt(2)
    assert error > 5 * 99  # of a value from 0 to 99
    assert 0 < abs(noisy[0][0] - noisy[1][0] - victim.ages[7]) < 5 * error


def test_groups_of_nobody_and_of_everybody_are_as_noisy_as_others(tmp_path: Path) -> None:
    """F59: all cells are opened, and whether one is empty doesn't show."""
    plan = attacks.question(TERMS, ["age", "COUNT(*)"], 1.0, "GROUP BY age")
    victim = attacks.Victim(tmp_path, TERMS, 70, seed=5)
    off = victim.ask(plan) - victim.ask(plan, noisy=False)
    empty = np.bincount(victim.ages, minlength=100) == 0
    assert 20 < empty.sum() < 80
    deviation = plan.noise.deviation("d0")
    for some in (off[empty], off[~empty]):
        assert 0.5 < (some**2).mean() / deviation**2 < 1.7
    all_of_them = attacks.question(TERMS, ["COUNT(*)"], 0.1, "WHERE age >= 0")
    none_of_them = attacks.question(TERMS, ["COUNT(*)"], 0.1, "WHERE age > 99")
    assert victim.ask(none_of_them, noisy=False) == 0
    errors = [plan.noise.deviation("d0") for plan in (all_of_them, none_of_them)]
    assert errors[0] == errors[1]
