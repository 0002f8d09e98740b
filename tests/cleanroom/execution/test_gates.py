"""Gates on shares: as on plain rows, and alike on the wires whatever the rows are."""

from pathlib import Path
from typing import Any

import banks
import numpy as np
import pandas as pd
import pytest

from cleanroom.execution.compute import compute
from cleanroom.execution.contribute import Contribution, contribute
from cleanroom.execution.outcome import Opened, Outcome, reconstruct
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.query.compile import compile_question
from cleanroom.sources.database import Database
from protocols.rounds import Party
from protocols.simulate import Transcript, contexts, simulate

Run = tuple[list[Any], list[Outcome], Opened]


def plan_of(name: str, recipient: str = "supervisor", max_rows: int = 20) -> Plan:
    agreed = banks.terms(max_rows)
    question = Question(agreed.gates[name].sql, recipient, gate=name)
    return compile_question(question, agreed, "0" * 64)


def run(plan: Plan, owners: dict[str, Database]) -> Run:
    """Return gates and sizes, without quicksorts' levels: those follow from fresh randomness."""
    parts: list[dict[int, Contribution]] = [{}, {}, {}]
    for owner, database in owners.items():
        for triple in contribute(plan, owner, database, b"k" * 16):
            for party in Party:
                parts[party][triple[party].leaf] = triple[party]
    transcript = Transcript()
    steps = [compute(ctx, plan, parts[ctx.me]) for ctx in contexts(b"s")]
    outcomes = simulate(steps, transcript=transcript)
    rounds = ([send for send in r if "quicksort" not in send[2]] for r in transcript.rounds)
    sizes = [sorted(sends) for sends in rounds if sends]
    return sizes, list(outcomes), reconstruct(plan, outcomes)


def as_rows(n: int, columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    values = [columns[name] for name in sorted(columns)]
    return sorted(tuple(int(v[i]) for v in values) for i in range(n))


@pytest.mark.parametrize(
    ("name", "recipient", "max_rows"),
    [
        ("their_flags", "supervisor", 3),
        ("their_flags", "bank_b", 500),
        ("by_phone", "bank_b", 3),
        ("on_the_list", "bank_b", 500),
    ],
)
def test_as_on_plain_rows(name: str, recipient: str, max_rows: int, tmp_path: Path) -> None:
    owners = banks.stored(banks.rows(), tmp_path)
    plan = plan_of(name, recipient, max_rows)
    _, _, opened = run(plan, owners)
    expected = insecure_run(plan, owners)
    assert as_rows(opened.n, opened.columns) == as_rows(expected.n, expected.columns)
    assert opened.suppressed == expected.suppressed == (max_rows == 3)


def alike(customers: list[int]) -> dict[str, Any]:
    """Return rows of which every bank flags the same customers, each for 9000."""
    data = banks.rows()
    data["flags"] = {
        bank: pd.DataFrame({**part.to_dict("list"), "customer": customers, "amount": 9000.0})
        for bank, part in data["flags"].items()
    }
    return data


def test_nothing_tells_how_many_match(tmp_path: Path) -> None:
    draw = np.random.default_rng(7)
    data = [alike(list(range(40))), alike([5] * 40), alike(list(draw.integers(0, 12, 40)))]
    once = alike([0] * 40)
    for place, bank in enumerate(banks.BANKS):
        once["flags"][bank]["customer"] = range(40 * place, 40 * place + 40)
    data += [once, banks.rows(1), banks.rows(2, flagged=70), banks.rows(3, flagged=1)]
    plan, seen, opened = plan_of("flagged_twice"), [], []
    for place, rows in enumerate(data):
        (tmp_path / str(place)).mkdir()
        sizes, outcomes, found = run(plan, banks.stored(rows, tmp_path / str(place)))
        seen.append((sizes, [(o.n, o.words.shape) for o in outcomes]))
        opened.append((found.n, found.suppressed))
    assert all(one == seen[0] for one in seen)
    assert {n for _, shapes in seen for n, _ in shapes} == {64}
    assert opened[0] == (20, 1)
    assert opened[1] == (1, 0)
    assert opened[3] == (0, 0)
    assert opened[2] == (12, 0)


def test_an_owner_cannot_pass_its_rows_off_as_anothers(tmp_path: Path) -> None:
    """Else its own flag and its word for another's were two, and others' amounts would open."""
    honest = banks.stored(banks.rows(), tmp_path)
    files = {name: tmp_path / f"bank_a-{name}.parquet" for name in ("flags", "phones")}
    lying = {**honest, "bank_a": Database(banks.terms(), "bank_b", files)}
    plan = plan_of("flagged_twice", max_rows=500)
    expected = insecure_run(plan, honest)
    assert insecure_run(plan, lying).n != expected.n
    _, _, opened = run(plan, lying)
    assert as_rows(opened.n, opened.columns) == as_rows(expected.n, expected.columns)
