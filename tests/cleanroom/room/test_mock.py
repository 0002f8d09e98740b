"""Mock rows: what a contract allows and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import banks
import cancer
import pyarrow as pa
import pytest
import rooms
import scoring
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.contract.terms import Terms
from cleanroom.local.given import as_file, as_json, by_member
from cleanroom.local.mock import mock_models, mock_rows
from cleanroom.party.weights import load_models
from cleanroom.sources.database import Database

EXAMPLES = Path(__file__).parents[3] / "examples"
EXAMPLE = EXAMPLES / "room.toml"
OF_EXAMPLES = [Terms.of(EXAMPLE), Terms.of(EXAMPLES / "dp-room.toml")]
CONTRACTS = [banks.terms(), rooms.terms(), cancer.terms(), *OF_EXAMPLES]


def parts(terms: Terms, rows: int, seed: int = 0) -> Iterator[tuple[str, str, pa.Table]]:
    for member, tables in by_member(terms, mock_rows(terms, rows, seed)).items():
        for name, table in tables.items():
            assert isinstance(table, pa.Table)
            yield member, name, table


@pytest.mark.parametrize("rows", [1, 200])
@pytest.mark.parametrize("terms", CONTRACTS, ids=lambda terms: terms.room.name)
def test_owners_take_mock_rows(terms: Terms, rows: int, tmp_path: Path) -> None:
    """A database checks types, bounds, NULLs, declared values and rows of a person."""
    held: dict[str, dict[str, Path]] = {}
    for member, name, table in parts(terms, rows):
        path = tmp_path / f"{member}-{name}.parquet"
        columns = tuple(terms.tables[name].columns)
        held.setdefault(member, {})[name] = as_file(table, path, name, columns)
        assert 0 < table.num_rows <= min(rows, terms.tables[name].max_rows)
    for member, files in held.items():
        Database(terms, member, files).close()


def test_a_seed_gives_the_same_rows_and_another_one_others() -> None:
    first, again, other = (dict(mock_rows(rooms.terms(), 50, seed)) for seed in (3, 3, 4))
    assert first == again
    assert first["alpha.visits"] != other["alpha.visits"]
    assert mock_rows(rooms.terms(), 50)["transactions"]["alpha"] != first["transactions"]["beta"]


def test_null_only_where_the_contract_allows_it() -> None:
    terms = rooms.terms()
    for _, name, table in parts(terms, 200):
        for column, declared in terms.tables[name].columns.items():
            assert bool(table[column].null_count) == (declared.nullable and table.num_rows > 50)


def test_owners_know_the_same_persons() -> None:
    found = mock_rows(banks.terms())
    customers = [set(part["customer"].to_pylist()) for part in found["flags"].values()]
    assert len(set.intersection(*customers)) > 10
    assert customers[0] & set(found["bank_a.watched"]["customer"].to_pylist())


@pytest.mark.parametrize(("rows", "seed"), [(0, 0), (1 << 21, 0), (5, -1)])
def test_impossible_numbers_are_refused(rows: int, seed: int) -> None:
    with pytest.raises(ValueError, match="rows from 1 to"):
        mock_rows(rooms.terms(), rows, seed)


def test_models_are_those_of_the_contract(tmp_path: Path) -> None:
    terms = scoring.terms()
    held: dict[str, dict[str, Path]] = {}
    for name, model in mock_models(terms).items():
        path = as_json(model, tmp_path / f"{name}.json")
        held.setdefault(name.partition(".")[0], {})[name] = path
    for member, files in held.items():
        assert load_models(terms, member, files).keys() == files.keys()


def test_the_command_writes_files_that_owners_take(tmp_path: Path) -> None:
    words = ["mock", "--terms", str(EXAMPLE), "--output", str(tmp_path / "mock"), "--rows", "20"]
    written = CliRunner().invoke(app, words)
    assert written.exit_code == 0, written.output
    terms = Terms.of(EXAMPLE)
    for member in ("bank_a", "bank_b", "bank_c"):
        files = {n: tmp_path / "mock" / member / f"{n}.csv" for n in terms.tables_of(member)}
        Database(terms, member, files).close()
    assert CliRunner().invoke(app, ["mock", "--output", str(tmp_path)]).exit_code == 2
    exported = {"CLEANROOM_CONFIG": str(tmp_path / "none.toml")}
    assert CliRunner().invoke(app, words, env=exported).output == written.output
    typed = [*words, "--config", exported["CLEANROOM_CONFIG"]]
    assert CliRunner().invoke(app, typed).exit_code == 2
