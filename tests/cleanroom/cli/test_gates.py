"""What signers and recipients read about gates."""

from typing import Any

import banks
import pytest
from rich.console import Console

from cleanroom.cli.gates import page
from cleanroom.contract.terms import Terms


def shown(**changes: Any) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(page(Terms.of({**banks.contract(), **changes})))
    return " ".join(captured.get().split())


def test_signers_read_text_recipients_and_limits() -> None:
    text = shown()
    assert "HAVING COUNT(DISTINCT member) >= 2" in text
    assert "supervisor, each owner for its own part" in text
    assert "20 rows, 10 times a day to each" in text
    assert "fails above" not in text
    gate = {"sql": "SELECT customer FROM flags", "to": ["supervisor"], "max_rows": 5}
    assert "fails above 16 rows in a join" in shown(gates={"g": {**gate, "max_joined": 16}})
    bounded = {**gate, "max_chosen": 64, "max_joined": 16}
    told = shown(gates={"g": bounded})
    assert "each; fails above 64 chosen rows of one member or 16 rows in a join" in told
    assert "CAN'T RUN" not in text
    assert "REFUSED" not in text


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"sql": "SELECT COUNT(*) FROM flags"}, "CAN'T RUN: unsupported-query: one total of all"),
        ({"sql": "SELECT custoner FROM flags"}, "Did you mean 'customer'?"),
        ({"sql": "SELECT day FROM flags"}, "REFUSED to supervisor: column flags.day used as"),
        ({"sql": "SELECT customer FROM flags", "to": ["outsider"]}, "REFUSED to outsider: column"),
        ({"sql": "SELECT customer FROM flags", "owners": True}, "bank_c has no role 'result'"),
    ],
)
def test_signers_read_what_does_not_work(gate: dict[str, Any], said: str) -> None:
    members = banks.contract()["members"]
    members["bank_c"]["roles"] = ["input", "computing"]
    tables = banks.contract()["tables"]
    for table in tables.values():
        for column in table["columns"].values():
            column["rights"] = {"supervisor": ["reveal"]} if column.get("rights") else {}
    found = {"g": {"to": ["supervisor"], "max_rows": 5, **gate}}
    assert said in shown(gates=found, members=members, tables=tables)
