"""Gates in a room of three banks' processes: who gets which rows, and how the wrong are refused."""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import banks
import duckdb
import pytest
import rooms
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.contract.terms import Terms
from cleanroom.errors import ConfigInvalid, NotAuthorised, PlanMismatch, PolicyDenied
from cleanroom.local.room import LocalRoom
from cleanroom.plan.question import Question
from cleanroom.query.compile import compile_question
from cleanroom.recipient.charts import Bars
from cleanroom.recipient.client import Client
from cleanroom.recipient.report_file import ReportFile
from cleanroom.recipient.reports import Section
from cleanroom.recipient.room import Room

ASKED = banks.GATES["flagged_twice"]


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    contract = banks.contract(500)
    contract["gates"]["by_phone"]["per_day"] = 2
    with LocalRoom(contract, banks.rows(), recipient="supervisor") as room:
        yield room


@pytest.fixture(scope="module")
def matching() -> list[tuple[Any, ...]]:
    connection: duckdb.DuckDBPyConnection = banks.pooled(banks.rows())
    return rooms.cells(connection.sql(ASKED).df(), ordered=True)


def as_member(room: LocalRoom, name: str) -> Room:
    """Return the room as another of its members holds it."""
    return Room(Client.of(room.workers["bank_a"].config.parents[1] / name / "config.toml"))


def test_the_supervisor_gets_all_matching_rows(
    room: LocalRoom, matching: list[tuple[Any, ...]]
) -> None:
    result = room.gate("flagged_twice")
    assert rooms.cells(result.to_pandas(), ordered=True) == matching
    assert len(matching) > 5
    assert not result.more
    assert result.privacy == {"kind": "gated", "threshold": 1}


def test_a_report_says_what_was_opened_to_whom_and_by_which_text(
    room: LocalRoom, matching: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    result = room.gate("flagged_twice")
    sections = [Section("Flagged <twice>", result, Bars("customer", "total"), "Read & judge.")]
    room.report(tmp_path / "report.html", "<script>Screening", sections)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "<h1>&lt;script&gt;Screening</h1>" in page
    assert "<h2>Flagged &lt;twice&gt;</h2>" in page
    assert "Read &amp; judge." in page
    assert page.count('<td class="number">') == len(matching) * 2
    values = result.to_arrow().to_pylist()
    assert all(f">{row['customer']}</td>" in page for row in values)
    assert all(f">{row['total']:,}</td>" in page for row in values)
    assert escape(ASKED) in page
    assert "Released under gated. Nothing withheld. Asked 20" in page
    assert result.receipt.digest in page
    assert room.contract.hash in page


def test_a_report_takes_no_result_whose_receipt_isnt_whole(room: LocalRoom, tmp_path: Path) -> None:
    result = room.gate("flagged_twice")
    result.receipt = replace(result.receipt, statements=result.receipt.statements[:-1])
    with pytest.raises(NotAuthorised):
        room.report(tmp_path / "report.html", "Screening", [Section("Forged", result)])
    assert not (tmp_path / "report.html").exists()
    with pytest.raises(TypeError, match="a section's result"):
        room.report(tmp_path / "x.html", "Screening", [Section("Rows", result.to_pandas())])
    with pytest.raises(ConfigInvalid, match="cannot write"):
        room.report(tmp_path / "no" / "report.html", "Screening", [])


def test_a_bank_gets_those_of_its_own_customers(
    room: LocalRoom, matching: list[tuple[Any, ...]]
) -> None:
    held = {int(customer) for customer in banks.rows()["flags"]["bank_b"]["customer"]}
    with as_member(room, "bank_b") as bank:
        found = rooms.cells(bank.gate("flagged_twice").to_pandas(), ordered=True)
        assert found == [row for row in matching if row[0] in held]
        assert 0 < len(found) < len(matching)


def test_nobody_else_gets_any(room: LocalRoom) -> None:
    with as_member(room, "outsider") as outsider, pytest.raises(PolicyDenied) as refused:
        outsider.gate("on_the_list")
    assert set(refused.value.party.split(", ")) == set(banks.BANKS)


def test_nobody_asks_oftener_than_all_signed(room: LocalRoom) -> None:
    for _ in range(2):
        room.gate("by_phone")
    assert room.explain_gate("by_phone").accepted is False  # which isn't counted
    with pytest.raises(PolicyDenied, match="supervisor asked gate by_phone 2 times today; 2 are"):
        room.gate("by_phone")
    with as_member(room, "bank_a") as bank:
        assert bank.explain_gate("by_phone").accepted


def test_nothing_but_gates_opens(room: LocalRoom) -> None:
    with pytest.raises(PolicyDenied, match="opens nothing but the rows of gates"):
        room.sql(ASKED, protocol="mpc")
    assert room.gates()["gate"].tolist() == list(banks.GATES)


def test_a_recipient_that_alters_the_text_is_refused_by_every_bank(room: LocalRoom) -> None:
    signed = room._client.gate_plan("flagged_twice")
    altered = replace(signed, sql=ASKED.replace(">= 2", ">= 1"))
    with pytest.raises(PolicyDenied, match="another text than the one that all") as refused:
        room._client.ask(altered, 60, lambda _stage, _member: None, None)
    assert set(refused.value.party.split(", ")) == set(banks.BANKS)


@pytest.mark.parametrize("kept", [True, False])
def test_a_plan_of_another_condition_is_nobodys(room: LocalRoom, kept: bool) -> None:
    gate = {"sql": ASKED.replace(">= 2", ">= 1"), "to": ["supervisor"], "max_rows": 500}
    weaker = Terms.of({**banks.contract(), "gates": {"flagged_twice": gate}})
    text = ASKED if kept else gate["sql"]
    question = Question(text, "supervisor", gate="flagged_twice")
    plan = compile_question(question, weaker, room.contract.hash)
    with pytest.raises(PlanMismatch):
        room._client.ask(plan, 60, lambda _stage, _member: None, None)


def test_the_same_script_runs_on_made_up_rows(room: LocalRoom) -> None:
    with room.mock(seed=2) as twin:
        found, expected = (r.gate("flagged_twice").to_arrow() for r in (twin, room))
        assert found.schema == expected.schema
        assert found != expected
        refused = []
        for one in (twin, room):
            with pytest.raises(PolicyDenied) as error:
                one.sql(ASKED, protocol="mpc")
            refused.append((set(error.value.party.split(", ")), error.value.message))
        assert refused[0] == refused[1]
        assert twin.tables().equals(room.tables())


def test_the_commands_list_ask_and_explain(
    room: LocalRoom, matching: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    config = room.workers["bank_a"].config.parents[1] / "supervisor" / "config.toml"

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--config", str(config)])
        assert done.exit_code == 0, done.output
        return done.output

    assert all(name in said("gates", "--format", "csv") for name in banks.GATES)
    assert "Rulings of the members" in said("gate", "flagged_twice", "--explain")
    rows = tmp_path / "rows.csv"
    said("gate", "flagged_twice", "--output", str(rows))
    assert len(rows.read_text().splitlines()) == len(matching) + 1


def test_the_sheet_says_who_learns_what(room: LocalRoom) -> None:
    sheet = room.explain_gate("flagged_twice")
    assert sheet.accepted
    assert "supervisor gets all matching rows, 500 at most" in sheet.text
    assert "whether more than 500 rows match, and nothing else about these: super" in sheet.text
    assert "suppressed" not in sheet.text
    assert "gates: rows that open where a secret condition holds" in sheet.text


ASKED_AGAIN = """
title = "Screening"
[[sections]]
heading = "Flagged twice"
gate = "flagged_twice"
chart = { kind = "bars", label = "customer", value = "total" }
"""


def test_a_report_is_a_file_that_the_command_asks_and_writes(
    room: LocalRoom, matching: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    asked, output = tmp_path / "report.toml", tmp_path / "report.html"
    asked.write_text(ASKED_AGAIN, encoding="utf-8")
    config = room.workers["bank_a"].config.parents[1] / "supervisor" / "config.toml"
    command = ["report", "results", str(asked), "--config", str(config), "--output", str(output)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0
    assert "report.html: 1 answers" in ran.output
    assert output.read_text(encoding="utf-8").count('<td class="number">') == len(matching) * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('gate = "flagged_twice"', "sections.0: needs one of sql, template and gate"),
        ("chart = {", "sections.0.colour: unknown key"),
        ('kind = "bars"', "sections.0.chart"),
        ("[[sections]]", "not TOML"),
        ('title = "Screening"', "title: missing"),
    ],
)
def test_what_a_report_file_may_say(change: str, said: str, tmp_path: Path) -> None:
    other = {"chart = {": 'colour = "red"\nchart = {', 'kind = "bars"': 'kind = "pie"'}
    text = ASKED_AGAIN.replace(change, other.get(change, "" if "[" not in change else "[[sections"))
    (tmp_path / "report.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=said):
        ReportFile.load(tmp_path / "report.toml")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        ReportFile.load(tmp_path / "absent.toml")
