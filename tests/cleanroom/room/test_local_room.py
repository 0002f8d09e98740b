"""A whole room of real processes: results, faults, and what each process can see."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.demo import hospitals
from cleanroom.demo.show import pooled, pooled_totals, same, told
from cleanroom.errors import (
    ConfigInvalid,
    ContractInvalid,
    DataMismatch,
    PeerUnavailable,
    PolicyDenied,
    UnknownName,
    UnsupportedQuery,
)

CANARY = "zqxjkvbp"
BANKS = ("bank_a", "bank_b", "bank_c")
GROUPED = "SELECT city, COUNT(*) AS n, SUM(amount) AS total FROM accounts GROUP BY city"
JOINED = """SELECT n.kind, COUNT(*) AS n, SUM(a.amount) AS total
    FROM accounts a JOIN bank_a.notes n ON a.person = n.person GROUP BY n.kind"""


def contract(min_group: int = 1) -> dict[str, Any]:
    person = {"type": "INTEGER", "bounds": [0, 100_000], "rights": {"analyst": ["join"]}}
    ports = {bank: f"localhost:{7101 + i}" for i, bank in enumerate(BANKS)}
    return {
        "room": {
            "name": "test",
            "version": 1,
            "purpose": "Tests",
            "lawful_basis": "None needed",
            "retention_days": 1,
            "expires": "2099-12-31",
        },
        "coordinator": {"address": "localhost:7100"},
        "members": {
            **{b: {"roles": ["input", "computing"], "address": ports[b]} for b in BANKS},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": min_group, "round_to": 1},
        "tables": {
            "accounts": {
                "members": list(BANKS),
                "person": "person",
                "max_rows": 4096,
                "columns": {
                    "person": person,
                    "city": {
                        "type": "TEXT",
                        "max_bytes": 12,
                        "rights": {"analyst": ["group"]},
                    },
                    "amount": {
                        "type": "DECIMAL(9,2)",
                        "bounds": [0, 10000],
                        "rights": {"analyst": ["sum", "count"]},
                    },
                },
            },
            "bank_a.notes": {
                "person": "person",
                "max_rows_per_person": 1,
                "max_rows": 4096,
                "columns": {
                    "person": person,
                    "kind": {
                        "type": "TEXT",
                        "values": ["low", "high"],
                        "rights": {"analyst": ["group"]},
                    },
                    "note": {"type": "TEXT", "max_bytes": 32},
                },
            },
        },
    }


def data() -> dict[str, Any]:
    def accounts(start: int) -> pd.DataFrame:
        persons = range(start, start + 300)
        return pd.DataFrame(
            {
                "person": persons,
                "city": [("Leeds", "York", "Bath")[p % 3] for p in persons],
                "amount": [p % 997 / 4 for p in persons],
            }
        )

    notes = pd.DataFrame(
        {
            "person": range(0, 600, 2),
            "kind": ["low", "high", "high"] * 100,
            "note": [f"{CANARY}-{i}" for i in range(300)],
        }
    )
    parts = {bank: accounts(100 * i) for i, bank in enumerate(BANKS)}
    return {"accounts": parts, "bank_a.notes": notes}


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(contract(), data()) as opened:
        yield opened


def expected_groups() -> pd.DataFrame:
    rows = pd.concat(data()["accounts"].values())
    groups = rows.groupby("city").agg(n=("person", "size"), total=("amount", "sum"))
    return groups.reset_index()


def check_groups(frame: pd.DataFrame) -> None:
    got = frame.sort_values("city").reset_index(drop=True)
    want = expected_groups()
    assert got["city"].tolist() == want["city"].tolist()
    assert got["n"].tolist() == want["n"].tolist()
    assert got["total"].astype(float).tolist() == want["total"].tolist()


def test_a_federated_group_by_equals_the_pooled_answer(room: LocalRoom) -> None:
    result = room.sql(GROUPED)
    check_groups(result.to_pandas())
    assert result.suppressed == 0
    assert result.stats.rows == 3
    assert result.stats.rounds > 0
    assert result.stats.bytes_sent > 0


def test_the_sheet_says_who_learns_what(room: LocalRoom) -> None:
    sheet = room.explain(JOINED)
    assert sheet.plan_hash in sheet.text
    assert any("SUM(" in text for text in map(str, sheet.opened))
    assert sheet.leaks
    assert sheet.cost.rows > 0
    assert str(sheet) == sheet.text


def test_groups_of_too_few_persons_are_counted_and_not_opened() -> None:
    agreed = contract(min_group=120)
    agreed["privacy"]["complementary"] = "off"
    with LocalRoom(agreed, data()) as strict:
        result = strict.sql(JOINED)
    rows = pd.concat(data()["accounts"].values())
    joined = rows.merge(data()["bank_a.notes"], on="person")
    persons = joined.groupby("kind")["person"].nunique()
    assert result.to_pandas()["kind"].tolist() == persons[persons >= 120].index.tolist()
    assert result.suppressed == (persons < 120).sum() == 1


def test_the_demo_equals_plaintext() -> None:
    tables = hospitals.tables()
    with LocalRoom(hospitals.contract(), tables) as demo:
        result = demo.sql(hospitals.QUERY)
        totals = demo.sql(hospitals.TOTALS, protocol="he")
    assert len(result.to_pandas()) > 20
    assert same(result.to_pandas(), told(pooled(tables), result))
    assert result.suppressed > 0
    assert same(totals.to_pandas(), pooled_totals(tables))


def test_the_receipt_is_signed_by_all_and_holds(room: LocalRoom) -> None:
    result = room.sql(GROUPED)
    statements = result.receipt.verify(room.contract)
    assert {statement.speaker for statement in statements} == {*BANKS, "analyst"}


def test_a_member_shows_what_was_run_while_its_process_goes_on(
    room: LocalRoom, tmp_path: Path
) -> None:
    receipt = room.sql(GROUPED).receipt
    with pytest.raises(PolicyDenied):
        room.sql("SELECT MIN(amount) FROM accounts")
    (tmp_path / "receipt.json").write_text(receipt.to_json())
    config, bundle = str(room.workers["bank_a"].config), str(tmp_path / "evidence")

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, ["report", *words])
        assert done.exit_code == 0, done.output
        return done.output

    (run,) = (line for line in said("dpia", "--config", config).splitlines() if "| mpc |" in line)
    assert "column-use-not-allowed: " in run
    words = ("--config", config, "--receipt", str(tmp_path / "receipt.json"))
    said("evidence", "--output", bundle, *words)
    assert "1 receipts" in said("verify", bundle)


@pytest.mark.parametrize(
    ("sql", "error", "named"),
    [
        ("SELECT city FROM accounts", PolicyDenied, "reveal"),
        ("SELECT COUNT(*) FROM acounts", UnknownName, "accounts"),
        ("SELECT SUM(amout) FROM accounts", UnknownName, "amount"),
        ("SELECT MIN(amount) FROM accounts", PolicyDenied, "min"),
        ("SELECT COUNT(note) FROM bank_a.notes", PolicyDenied, "note"),
        ("DELETE FROM accounts", UnsupportedQuery, ""),
    ],
)
def test_refusals_are_typed_and_name_the_cause(
    room: LocalRoom, sql: str, error: type[Exception], named: str
) -> None:
    with pytest.raises(error) as caught:
        room.sql(sql)
    assert named in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_two_queries_at_once(room: LocalRoom) -> None:
    frames: list[pd.DataFrame] = []
    threads = [
        threading.Thread(target=lambda: frames.append(room.sql(GROUPED).to_pandas()))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(frames) == 2
    for frame in frames:
        check_groups(frame)


@contextmanager
def stoppable(room: LocalRoom, member: str) -> Iterator[Callable[[], None]]:
    """Yield what freezes a process, so that a query can't end before it is disturbed."""
    pid = room.workers[member].pid
    try:
        yield lambda: os.kill(pid, signal.SIGSTOP)
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("victim", ["bank_b", "coordinator"])
def test_a_killed_process_is_named_within_ten_seconds_and_the_room_recovers(
    room: LocalRoom, victim: str
) -> None:
    worker = room.workers[victim]
    killed_at: list[float] = []

    with stoppable(room, "bank_c") as freeze:

        def kill(stage: str, member: str) -> None:
            if stage == "computing" and not killed_at:
                freeze()
                killed_at.append(time.monotonic())
                worker.kill()

        with pytest.raises(PeerUnavailable) as caught:
            room.sql(JOINED, on_progress=kill)
    assert time.monotonic() - killed_at[0] < 10
    assert victim in caught.value.party
    worker.start()
    for other in room.workers.values():
        other.wait_ready(30)
    wait_for_all(room)
    check_groups(room.sql(GROUPED).to_pandas())


def test_ctrl_c_ends_the_session_everywhere(room: LocalRoom) -> None:
    interrupted = threading.Event()

    with stoppable(room, "bank_c") as freeze:

        def interrupt(stage: str, member: str) -> None:
            if stage == "computing" and not interrupted.is_set():
                freeze()
                interrupted.set()
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            room.sql(JOINED, on_progress=interrupt)
    check_groups(room.sql(GROUPED).to_pandas())


def wait_for_all(room: LocalRoom) -> None:
    deadline = time.monotonic() + 30
    while not all(attends for member, attends in room.status().items() if member != "analyst"):
        assert time.monotonic() < deadline, "members did not come back"
        threading.Event().wait(0.05)


def memory_of(pid: int) -> Iterator[bytes]:
    """Yield the writable memory of a process, region by region."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in maps:
            span, mode, *_ = line.split()
            if not mode.startswith("rw"):
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue  # a guard page, or a region that is gone


def test_a_canary_appears_at_its_owner_and_nowhere_else(room: LocalRoom) -> None:
    """F77, S20: in no memory, log or file but that in which the caller's rows were handed over."""
    room.sql(JOINED)
    marker = CANARY.encode() + b"-17"
    seen = {
        name: any(marker in region for region in memory_of(worker.pid))
        for name, worker in room.workers.items()
    }
    assert seen.pop("bank_a"), "the scan must find the marker where it belongs"
    assert not any(seen.values()), seen
    for worker in room.workers.values():
        assert not any(CANARY in line for line in worker.log)
        limits = Path(f"/proc/{worker.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
    folder = room.workers["coordinator"].config.parents[1]
    holders = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and CANARY.encode() in path.read_bytes()
    }
    assert holders <= {"bank_a/bank_a.notes.parquet"}


def test_nothing_runs_and_no_file_stays_when_it_closes() -> None:
    with LocalRoom(contract(), data()) as opened:
        pids = [worker.pid for worker in opened.workers.values()]
        folder = opened.workers["coordinator"].config.parents[1]
        assert folder.exists()
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_wrong_data_is_named_with_table_and_column() -> None:
    wrong = data()
    wrong["bank_a.notes"].loc[0, "kind"] = "middling"
    with pytest.raises(DataMismatch) as caught, LocalRoom(contract(), wrong):
        pass
    assert "bank_a.notes" in str(caught.value)
    assert "kind" in str(caught.value)
    assert "middling" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.rename(columns={"kind": "sort"}),
        lambda rows: rows.assign(KIND="low"),
        lambda rows: rows.assign(kind=[b"middling", "middling", 3] * 100),
        lambda rows: rows["kind"],
        lambda rows: rows.to_dict("list"),
        lambda rows: rows.to_dict("records"),
        lambda rows: None,
    ],
)  # fmt: skip
def test_rows_of_another_form_are_refused_without_a_value(change: Any) -> None:
    wrong = data()
    wrong["bank_a.notes"] = change(wrong["bank_a.notes"])
    with pytest.raises(DataMismatch) as caught, LocalRoom(contract(), wrong):
        pass
    assert "bank_a.notes" in str(caught.value)
    assert "middling" not in str(caught.value)


def test_data_that_is_no_dict_is_refused() -> None:
    with pytest.raises(DataMismatch, match="from table to rows"):
        LocalRoom(contract(), [data()])  # type: ignore[arg-type]


def test_a_computing_member_may_ask_and_any_columns_and_arrow_tables_are_taken() -> None:
    agreed, rows = contract(), data()
    agreed["members"]["bank_a"]["roles"].append("result")
    for column in agreed["tables"]["accounts"]["columns"].values():
        column["rights"] = {"bank_a": [*column["rights"]["analyst"]]}
    rows["accounts"]["bank_a"]["memo"] = [1, "two", b"3"] * 100
    rows["accounts"]["bank_b"] = pa.Table.from_pandas(rows["accounts"]["bank_b"])
    with LocalRoom(agreed, rows, recipient="bank_a") as opened:
        check_groups(opened.sql(GROUPED).to_pandas())
        with pytest.raises(PolicyDenied, match="without that right for analyst"):
            opened.as_member("analyst").sql(GROUPED)
        check_groups(opened.as_member("bank_a").sql(GROUPED).to_pandas())
        with pytest.raises(UnknownName, match="no member 'bank_x'"):
            opened.as_member("bank_x")
    with pytest.raises(ValueError, match="with"):
        opened.as_member("bank_a")


@pytest.mark.parametrize("deadline_s", [0, -1, 86_401, 1.5, None, True])
def test_a_deadline_that_is_none_is_refused(room: LocalRoom, deadline_s: Any) -> None:
    with pytest.raises(ConfigInvalid, match="deadline_s"):
        room.sql(GROUPED, deadline_s=deadline_s)


@pytest.mark.parametrize("sql", [None, 3, b"SELECT 1", "SELECT '\ud800' FROM accounts", ""])
def test_a_query_that_is_no_text_is_refused(room: LocalRoom, sql: Any) -> None:
    for ask in (room.sql, room.explain):
        with pytest.raises(UnsupportedQuery):
            ask(sql)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.pop("bank_a.notes"), "bank_a.notes"),
        (lambda d: d["accounts"].pop("bank_c"), "bank_c"),
        (lambda d: d.update(accounts=d["bank_a.notes"]), "accounts"),
    ],
)
def test_missing_parts_of_the_data_are_named(change: Any, named: str) -> None:
    wrong = data()
    change(wrong)
    with pytest.raises(DataMismatch) as caught:
        LocalRoom(contract(), wrong)
    assert named in str(caught.value)


def test_a_bad_contract_is_refused_before_anything_starts() -> None:
    bad = contract()
    del bad["room"]["purpose"]
    with pytest.raises(ContractInvalid) as caught:
        LocalRoom(bad, data())
    assert "room.purpose" in str(caught.value)


def test_a_closed_room_refuses() -> None:
    closed = LocalRoom(contract(), data())
    with pytest.raises(PeerUnavailable, match="not open"):
        closed.sql(GROUPED)
