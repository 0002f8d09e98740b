"""The demo on a terminal: what happens, what comes out, whether it is right, who saw what."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pandas as pd
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from cleanroom.cli.answers import summary
from cleanroom.cli.rows import as_table
from cleanroom.demo import hospitals, training
from cleanroom.local.room import LocalRoom
from cleanroom.plan.plan import Protocol
from cleanroom.recipient.result import Result


def run() -> bool:
    """Run the demo; return whether all results equal the pooled plaintext's."""
    console = Console()
    started = time.monotonic()
    tables = hospitals.tables()
    console.print(
        "[bold]Three hospitals and an analyst.[/] Each hospital's process holds its own rows and "
        "computes on shares; the analyst owns nothing.\n"
        f"{len(tables['hospital_a.patients'])} patients at A, "
        + ", ".join(f"{len(rows)} admissions at {m}" for m, rows in tables["admissions"].items())
        + " (FEBRL records)."
    )
    with LocalRoom(hospitals.contract(), tables) as room:
        pids = ", ".join(f"{name} {worker.pid}" for name, worker in room.workers.items())
        console.print(f"Processes, mutual TLS on loopback: {pids}.\n")
        console.print("[bold]1. A join between hospitals, on secret shares.[/]")
        joined, right = _ask(console, room, hospitals.QUERY, "mpc", pooled(tables))
        console.print("\n[bold]2. Totals over two hospitals' rows, on ciphertexts.[/]")
        totals, also = _ask(console, room, hospitals.TOTALS, "he", pooled_totals(tables))
        console.print(_seen(joined, totals))
    learnt = training.run(console)
    console.print(f"All in {time.monotonic() - started:.1f} s.")
    return right and also and learnt


def _ask(
    console: Console, room: LocalRoom, sql: str, protocol: Protocol, expected: pd.DataFrame
) -> tuple[Result, bool]:
    """Show the sheet of a query, run it, and compare."""
    console.print(Syntax(sql, "sql", background_color="default"))
    sheet = room.explain(sql, protocol=protocol)
    console.print(Panel(sheet.text, title="The sheet: who would learn what", expand=False))
    with _progress(console) as on_progress:
        result = room.sql(sql, protocol=protocol, on_progress=on_progress)
    equal = same(result.to_pandas(), told(expected, result) if protocol == "mpc" else expected)
    console.print(as_table(result.to_arrow()), end="")
    console.print(summary(result))
    left_out = ""
    if protocol == "mpc":
        left_out = f", {result.withheld.groups} of {len(expected)} groups left out: {_why(result)}"
    console.print(
        f"The same query on the pooled plaintext in DuckDB{left_out}: "
        f"[bold]equal: {'yes' if equal else 'NO'}[/]"
    )
    return result, equal


def pooled(tables: dict[str, Any]) -> pd.DataFrame:
    """Answer the join as if one party had all rows, of however few persons."""
    return _in_the_clear(tables, hospitals.QUERY.replace("hospital_a.", ""))


def told(expected: pd.DataFrame, result: Result) -> pd.DataFrame:
    """Keep the groups, by the first two columns, that the room told; the others are counted."""
    got = result.to_pandas()
    keys = {tuple(row) for row in _cells(got.iloc[:, :2])}
    kept = expected[[tuple(row) in keys for row in _cells(expected.iloc[:, :2])]]
    withheld = len(expected) - len(kept) == result.withheld.groups
    return kept if withheld and len(got) else expected


def _why(result: Result) -> str:
    return " or ".join(result.withheld.reasons)


def pooled_totals(tables: dict[str, Any]) -> pd.DataFrame:
    """Answer the totals as if one party had all rows."""
    return _in_the_clear(tables, hospitals.TOTALS)


def _in_the_clear(tables: dict[str, Any], sql: str) -> pd.DataFrame:
    connection = duckdb.connect()
    connection.register("patients", tables["hospital_a.patients"])
    connection.register("admissions", pd.concat(tables["admissions"].values()))
    answer: pd.DataFrame = connection.sql(sql).df()
    return answer


def same(got: pd.DataFrame, expected: pd.DataFrame) -> bool:
    """Compare two results cell by cell, NULL equal to NULL, whatever integer types they have."""
    return list(got.columns) == list(expected.columns) and _cells(got) == _cells(expected)


def _cells(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    rows = frame.astype(object).where(frame.notna(), None)
    return [tuple(row) for row in rows.itertuples(index=False)]


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    with console.status("asking the members") as line:
        yield lambda stage, member: line.update(f"{member}: {stage}")


def _seen(joined: Result, totals: Result) -> Table:
    table = Table(title="What each process could see")
    table.add_column("process")
    table.add_column("saw")
    table.add_row(
        "coordinator",
        "who asked what and when, the signed rulings; of 1 no share and no row, of 2 ciphertexts "
        "without a key to them",
    )
    for member in ("hospital_a", "hospital_b", "hospital_c"):
        table.add_row(
            member,
            "its own rows in the clear; of all others' rows two of three shares, uniform words, "
            "and their padded number",
        )
    table.add_row(
        "analyst",
        f"of 1 the {len(joined.to_pandas())} rows above, and that {joined.suppressed} were "
        f"withheld; of 2 the totals over both hospitals of all cells, of which "
        f"{len(totals.to_pandas())} have rows",
    )
    return table
