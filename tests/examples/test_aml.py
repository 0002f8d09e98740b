"""The screening of three banks: its rows, what its gates find in them, and a small run of it."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from cleanroom.cli.warnings import warnings
from cleanroom.contract.terms import Terms
from cleanroom.local.given import by_member
from cleanroom.plan.question import Question
from cleanroom.query.compile import compile_question
from examples.aml import pooled, run
from examples.aml.data import LIMIT, generate, load
from examples.aml.world import BANKS, TYPOLOGIES, World

CONTRACT = run.HERE / "room.toml"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "aml" / "amlgentex_3bank"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(700, each=2, days=30, seed=3)


@pytest.fixture(scope="module")
def rows(world: World) -> duckdb.DuckDBPyConnection:
    return pooled.database(world.tables(), columns())


def columns() -> pd.DataFrame:
    tables = Terms.of(CONTRACT).tables.items()
    found = [(name, c, of.type) for name, table in tables for c, of in table.columns.items()]
    return pd.DataFrame(found, columns=["table", "column", "type"])


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(world: World) -> None:
    again, other = generate(700, each=2, days=30, seed=3), generate(700, each=2, days=30, seed=4)
    for name in ("accounts", "payments", "flags", "reports"):
        assert getattr(world, name).equals(getattr(again, name))
        assert not getattr(world, name).equals(getattr(other, name))


def test_every_pattern_is_labelled_and_most_span_banks(world: World) -> None:
    bank = world.accounts.set_index("id").bank
    staged = world.payments[world.payments.pattern >= 0]
    assert staged.groupby("pattern").typology.nunique().eq(1).all()
    assert staged.groupby("typology").pattern.nunique().to_dict() == dict.fromkeys(TYPOLOGIES, 2)
    spans = staged.groupby("pattern").dst.agg(lambda ids: bank[ids].nunique())
    assert (spans > 1).mean() > 0.8
    ends = pd.concat([staged.src, staged.dst]).unique()
    labelled = world.accounts[world.accounts.pattern >= 0]
    assert set(labelled.id) == set(ends)
    assert (labelled.typology != "").all()
    assert staged[staged.typology != "cycle"].amount.lt(2 * LIMIT).all()


def test_each_bank_holds_its_customers_side_of_every_payment(world: World) -> None:
    tables, bank = world.tables(), world.accounts.set_index("id").bank
    for name, end in (("credits", "dst"), ("debits", "src")):
        parts = tables[name]
        assert sum(map(len, parts.values())) == len(world.payments)
        assert all((bank[part[end]] == held).all() for held, part in parts.items())
    by_member(Terms.of(CONTRACT), tables)  # fits the contract


def test_gates_find_most_staged_patterns(world: World, rows: duckdb.DuckDBPyConnection) -> None:
    terms = Terms.of(CONTRACT)
    found = {name: rows.sql(gate.sql).df() for name, gate in terms.gates.items()}
    assert all(len(f) <= terms.gates[name].max_rows for name, f in found.items())
    staged = world.payments[world.payments.pattern >= 0]
    rings = staged[staged.typology == "cycle"].groupby("pattern").src.agg(frozenset)
    places = {"cycle_3": ["one", "two", "three"], "cycle_4": ["one", "two", "three", "four"]}
    got = [found[name][columns] for name, columns in places.items()]
    assert set(rings) <= {frozenset(row) for part in got for row in part.to_numpy()}
    owner = world.accounts.set_index("id").customer
    hubs = staged[staged.typology == "scatter_gather"]
    middle = set(owner[hubs.src]) & set(owner[hubs.dst])
    assert len(middle & set(found["through"].customer)) >= len(middle) / 3


@pytest.mark.parametrize("name", run.GATES)
def test_every_gate_is_bounded_and_has_a_part_for_each_bank(name: str) -> None:
    terms = Terms.of(CONTRACT)
    for bank in BANKS:
        asked = Question(terms.gates[name].sql, bank, gate=name)
        plan = compile_question(asked, terms, "0" * 64)
        assert plan.gate is not None
        assert plan.gate.own
        assert sum(leaf.max_rows for leaf in plan.leaves) <= 6 * 4096


def test_signers_are_warned_of_nothing() -> None:
    assert not list(warnings(Terms.of(CONTRACT)))


def test_scores_flow_as_said(world: World) -> None:
    weights = np.zeros((len(world.accounts),) * 2)
    place = {account: i for i, account in enumerate(world.accounts.id)}
    for one in world.payments.itertuples():
        weights[place[one.src], place[one.dst]] += one.amount
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    expected = world.accounts.score.to_numpy()
    for _ in range(3):
        expected = 0.5 * expected + 0.5 * expected @ weights
    assert np.allclose(pooled.scores(world, 3), expected)


def test_a_small_run_is_right_and_writes_what_it_says(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = {name: (asking[:1], own) for name, (asking, own) in run.GATES.items() if name in JOBS}
    monkeypatch.setattr(run, "GATES", chosen)
    monkeypatch.setattr(run, "BANKS", BANKS[:1])
    assert run.screen(world, tmp_path)
    told = capsys.readouterr().out
    assert told.count("equal: yes") == len(chosen) + 2 + 3
    assert "supervisor: " in told
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "rings.png", "scores.png"}
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<svg") == 3


JOBS = ("flagged", "cycle_3")


@pytest.mark.shared_data
def test_files_of_amlgentex_give_the_same_shape(world: World) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is absent")
    read = load(SHARED)
    assert (len(read.accounts), len(read.payments)) == (3000, 14_691)
    assert read.payments.pattern.nunique() == 57
    assert set(read.payments.typology) == {"", *TYPOLOGIES}
    assert set(world.accounts.columns) - set(read.accounts.columns) == {"address"}
    by_member(Terms.of(CONTRACT), read.tables())
