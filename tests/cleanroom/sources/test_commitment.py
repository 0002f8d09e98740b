"""Commitments to rows: the defined tree over them, another root for any other rows."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import rooms

from cleanroom.sources.database import Database
from protocols.merkle import tree

SALT = b"s" * 32
TABLE = "alpha.people"


def loaded(folder: Path, edit: tuple[str, str] | None = None) -> Database:
    paths = rooms.write(folder, rooms.rows())["alpha"]
    if edit is not None:
        text = paths[TABLE].read_text()
        assert edit[0] in text
        paths[TABLE].write_text(text.replace(*edit, 1))
    return Database(rooms.terms(), "alpha", paths)


def defined(rows: Sequence[Sequence[str | None]]) -> bytes:
    leaves = []
    for i, row in enumerate(rows):
        salt = hashlib.sha256(SALT + b"%d" % i).digest()
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        leaves.append(tree.leaf_hash(salt + text.encode()))
    return tree.root(tree.in_memory(leaves), len(leaves))


def test_the_root_is_that_of_all_rows_as_the_contract_types_them(tmp_path: Path) -> None:
    database = loaded(tmp_path)
    columns = rooms.terms().tables[TABLE].columns
    select = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in columns)
    rows = database._connection.execute(f"SELECT {select} FROM alpha.people").fetchall()
    assert any(None in row for row in rows)
    assert database.commit(TABLE, SALT) == defined(rows)


def test_another_cell_salt_or_order_is_another_root(tmp_path: Path) -> None:
    root = loaded(tmp_path).commit(TABLE, SALT)
    assert loaded(tmp_path).commit(TABLE, SALT) == root
    assert loaded(tmp_path).commit(TABLE, b"t" * 32) != root
    lines = rooms.write(tmp_path, rooms.rows())["alpha"][TABLE].read_text().splitlines()
    swapped = f"{lines[1]}\n{lines[2]}", f"{lines[2]}\n{lines[1]}"
    assert loaded(tmp_path, swapped).commit(TABLE, SALT) != root
    assert loaded(tmp_path, (f"{lines[3]}\n", "")).commit(TABLE, SALT) != root


@pytest.mark.parametrize("n", [0, 1])
def test_tables_of_hardly_any_rows(n: int, tmp_path: Path) -> None:
    paths = rooms.write(tmp_path, rooms.rows())["alpha"]
    lines = paths[TABLE].read_text().splitlines()
    paths[TABLE].write_text("\n".join(lines[: 1 + n]) + "\n")
    database = Database(rooms.terms(), "alpha", paths)
    assert (database.commit(TABLE, SALT) == tree.EMPTY) == (n == 0)
