"""Persons on an owner's list are in none of its tables, and a wrong list stops its process."""

from pathlib import Path

import pytest
import rooms

from cleanroom.errors import ConfigInvalid, DataMismatch
from cleanroom.sources.opted_out import load

GONE = ("3", "17", "59")


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    return rooms.write(tmp_path, rooms.rows())["alpha"]


def _given(table: str) -> rooms.Rows:
    rows = rooms.rows()[table]
    return rows["alpha"] if isinstance(rows, dict) else rows


def _listed(folder: Path, *lines: str) -> Path:
    path = folder / "opt-outs.txt"
    path.write_text("\ufeff" + "\n".join(lines))  # as spreadsheets begin their files
    return path


def test_their_rows_are_in_no_table(tables: dict[str, Path], tmp_path: Path) -> None:
    opted_out = _listed(tmp_path, *GONE, "", f" {GONE[0]} ")
    database = load(rooms.terms(), "alpha", tables, opt_outs=opted_out)
    for table, person in (("alpha.people", "id"), ("alpha.visits", "id"), ("transactions", "cust")):
        given = _given(table)
        kept = [row for row in given if str(row[person]) not in GONE]
        assert 0 < len(kept) < len(given)
        assert database.rows(table) == len(kept)
        owner, _, name = table.rpartition(".")
        where = f'"{owner}"."{name}"' if owner else f'"{name}"'
        found = database.run(f'SELECT "{person}" AS p FROM {where} ORDER BY p', b"")["p"]
        assert found.tolist() == sorted(row[person] for row in kept)


def test_without_a_list_or_names_on_it_all_rows_stay(
    tables: dict[str, Path], tmp_path: Path
) -> None:
    for opt_outs in (None, _listed(tmp_path)):
        database = load(rooms.terms(), "alpha", tables, opt_outs=opt_outs)
        assert database.rows("alpha.people") == len(_given("alpha.people"))


def test_what_is_committed_to_is_without_them(tables: dict[str, Path], tmp_path: Path) -> None:
    roots = [
        load(rooms.terms(), "alpha", tables, opt_outs=opt_outs).commit("alpha.people", b"s" * 32)
        for opt_outs in (None, _listed(tmp_path, *GONE))
    ]
    assert roots[0] != roots[1]


def test_what_is_no_person_is_refused_without_its_text(
    tables: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(DataMismatch, match=r"a person of .* isn't written as its column") as said:
        load(rooms.terms(), "alpha", tables, opt_outs=_listed(tmp_path, "3", "no-number"))
    assert "no-number" not in str(said.value)


def test_a_list_that_cannot_be_read_is_refused(tables: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="cannot read"):
        load(rooms.terms(), "alpha", tables, opt_outs=tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigInvalid, match="no text in UTF-8"):
        load(rooms.terms(), "alpha", tables, opt_outs=tmp_path / "binary")
