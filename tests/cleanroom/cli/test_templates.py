"""What signers read about templates, and how a command names one."""

from pathlib import Path
from typing import Any

import pytest
import rooms
from rich.console import Console
from typer import BadParameter

from cleanroom.cli.templates import asking, explaining, page
from cleanroom.contract.terms import Terms
from cleanroom.recipient.room import Room

BELOW = {
    "sql": "SELECT COUNT(*) FROM transactions WHERE amt < :most",
    "recipients": ["analyst"],
    "parameters": {"most": {"type": "DECIMAL(10,2)", "bounds": [0, 9000]}},
}


def shown(**changes: Any) -> str:
    console = Console(width=250)
    offered = {"below": {**BELOW, **changes}}
    with console.capture() as captured:
        room = {**rooms.room(), "templates": offered}
        room["members"] = {**room["members"], "auditor": {"roles": ["result"]}}
        console.print(page(Terms.of(room)))
    return " ".join(captured.get().split())


def test_signers_read_text_recipients_and_values() -> None:
    text = shown()
    assert "WHERE amt < :most" in text
    assert "most DECIMAL(10,2) from 0 to 9000" in text
    assert "CAN'T RUN" not in text
    assert "REFUSED" not in text


def test_the_example_offers_what_runs() -> None:
    console = Console(width=250)
    with console.capture() as captured:
        console.print(page(Terms.of(Path(__file__).parents[3] / "examples" / "room.toml")))
    text = captured.get()
    assert "least DECIMAL(12,2) from 0 to 10000" in text
    assert "CAN'T RUN" not in text
    assert "REFUSED" not in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sql": "SELECT COUNT(*) FROM transactions"}, "its query has no :most"),
        ({"sql": "SELECT COUNT(*) FROM transactoins WHERE amt < :most"}, "CAN'T RUN: unknown-name"),
        ({"recipients": ["auditor"]}, "REFUSED to auditor: column transactions.amt used as"),
    ],
)
def test_signers_read_what_does_not_work(changed: dict[str, Any], said: str) -> None:
    assert said in shown(**changed)


@pytest.mark.parametrize(
    ("sql", "template", "settings"),
    [
        ("", None, []),
        ("SELECT 1", "below", []),
        ("SELECT 1", None, ["most=1"]),
        ("", "below", ["most"]),
        ("", "below", ["most=1", "most=2"]),
    ],
)
def test_a_command_asks_either_a_text_or_a_template(
    sql: str, template: str | None, settings: list[str]
) -> None:
    for ask in (asking, explaining):
        with pytest.raises(BadParameter):
            ask(Room(None), sql, template, settings)
