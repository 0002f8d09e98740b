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

from cleanroom.cli.query import summary
from cleanroom.cli.rows import as_table
from cleanroom.client import Result
from cleanroom.demo import hospitals
from cleanroom.local import LocalRoom


def run() -> bool:
    """Run the demo; return whether the result equals the pooled plaintext's."""
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
        console.print(Syntax(hospitals.QUERY, "sql", background_color="default"))
        sheet = room.explain(hospitals.QUERY)
        console.print(Panel(sheet.text, title="The sheet: who would learn what", expand=False))
        with _progress(console) as on_progress:
            result = room.sql(hospitals.QUERY, on_progress=on_progress)
        expected = pooled(tables)
        equal = same(result.to_pandas(), expected)
        console.print(as_table(result.to_arrow()), end="")
        console.print(summary(result))
        console.print(
            "The same query on the pooled plaintext in DuckDB, groups of fewer than "
            f"{hospitals.MIN_GROUP} persons left out: [bold]equal: {'yes' if equal else 'NO'}[/]"
        )
        console.print(_seen(room, result))
    console.print(f"All in {time.monotonic() - started:.1f} s.")
    return equal


def pooled(tables: dict[str, Any]) -> pd.DataFrame:
    """Answer the query as if one party had all rows."""
    connection = duckdb.connect()
    connection.register("patients", tables["hospital_a.patients"])
    connection.register("admissions", pd.concat(tables["admissions"].values()))
    having = f"HAVING COUNT(DISTINCT p.person) >= {hospitals.MIN_GROUP}"
    answer: pd.DataFrame = connection.sql(hospitals.POOLED.format(having=having)).df()
    return answer


def same(got: pd.DataFrame, expected: pd.DataFrame) -> bool:
    """Compare two results cell by cell, NULL equal to NULL, whatever integer types they have."""

    def cells(frame: pd.DataFrame) -> list[tuple[object, ...]]:
        rows = frame.astype(object).where(frame.notna(), None)
        return [tuple(row) for row in rows.itertuples(index=False)]

    return list(got.columns) == list(expected.columns) and cells(got) == cells(expected)


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    with console.status("asking the members") as line:
        yield lambda stage, member: line.update(f"{member}: {stage}")


def _seen(room: LocalRoom, result: Result) -> Table:
    table = Table(title="What each process could see")
    table.add_column("process")
    table.add_column("saw")
    table.add_row("coordinator", "who asked what and when, the signed rulings; no share, no row")
    for member in ("hospital_a", "hospital_b", "hospital_c"):
        table.add_row(
            member,
            "its own rows in the clear; of all others' rows two of three shares, uniform words, "
            "and their padded number; how many groups were released",
        )
    table.add_row(
        "analyst",
        f"the {len(result.to_pandas())} rows above, and that {result.suppressed} were withheld",
    )
    return table
