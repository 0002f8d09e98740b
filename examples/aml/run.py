"""Three banks screen jointly, and a supervisor who owns nothing reads what may be counted."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from cleanroom import LocalRoom, ReportFile, Result
from examples.aml import figures, pooled
from examples.aml.data import generate, load
from examples.aml.world import BANKS, World

HERE = Path(__file__).parent
ROUNDS = 2
A, B, C = BANKS
OF_TWO = "COUNT(*) FILTER ('{{}}' IN ({}.member, {}.member)) > 0"
GATES = {  # of each who asks it here, and on pooled rows what makes one of its rows their own
    "flagged": (BANKS, "COUNT(*) FILTER (member = '{}') > 0"),
    "fan_in": ((A,), OF_TWO.format("a", "b")),
    "fan_out": ((B,), OF_TWO.format("a", "b")),
    "through": ((C,), OF_TWO.format("i", "o")),
    "cycle_3": ((A,), "'{}' IN (a.member, b.member, c.member)"),
    "cycle_4": ((B,), "'{}' IN (a.member, b.member, c.member, d.member)"),
    "shared": ((C,), "c.member = '{}'"),
}


@dataclass(frozen=True)
class Answer:
    """What a member asked and got, and whether it is what the pooled rows give."""

    what: str
    member: str
    result: Result
    equal: bool

    @property
    def rows(self) -> pd.DataFrame:
        return self.result.to_pandas()

    def tell(self) -> None:
        took = self.result.stats
        cost = f"{took.seconds:.1f} s, {took.rounds} rounds, {took.bytes_sent / 1e6:.0f} MB"
        print(f"\n{self.what}, asked by {self.member}: {cost}")
        rows = self.rows
        if "score" in rows:
            rows = rows.sort_values("score", ascending=False)
        print(rows.head(8).to_string(index=False))
        print(f"{took.rows} rows; {self.result.withheld}; equal: {'yes' if self.equal else 'NO'}")


def main(data: Path | None, output: Path) -> bool:
    """Run all jobs; return whether every answer is that of the pooled plaintext."""
    return screen(generate() if data is None else load(data), output)


def screen(world: World, output: Path) -> bool:
    """Run all jobs on these rows, and write figures and the supervisor's report."""
    tables, found = world.tables(), list[Answer]()
    with LocalRoom(HERE / "room.toml", tables, recipient="supervisor") as room:
        with room.as_member(BANKS[0]) as bank:
            print(bank.explain_gate("fan_in"))
        rows = pooled.database(tables, room.tables())
        jobs = gates(room, rows), flows(room, world), counts(room, rows, output / "report.html")
        for answer in chain(*jobs):
            answer.tell()
            found.append(answer)
    rings = [(a.member, a.rows) for a in found if a.what.startswith("cycle")]
    figures.rings(rings, tables["accounts"], output / "rings.png")
    scores = [a.rows for a in found if a.what == "risk"]
    figures.scores(world.accounts, pd.concat(scores), output / "scores.png")
    learnt(found)
    print(f"\nIn {output}: report.html, rings.png, scores.png")
    return all(answer.equal for answer in found)


def gates(room: LocalRoom, rows: duckdb.DuckDBPyConnection) -> Iterator[Answer]:
    """Have banks ask gates, each for the part that its own rows are in."""
    for name, (asking, own) in GATES.items():
        sql = room.contract.terms.gates[name].sql
        for member in asking:
            with room.as_member(member) as bank:
                result = bank.gate(name, on_progress=progress)
            expected = rows.sql(pooled.own_part(sql, own.format(member))).df()
            same = pooled.cells(result.to_pandas()) == pooled.cells(expected)
            yield Answer(name, member, result, same and not result.more)


def flows(room: LocalRoom, world: World) -> Iterator[Answer]:
    """Have each bank ask for the scores of its own accounts, and one what risk can reach."""
    after = pooled.scores(world, ROUNDS)
    for member in BANKS:
        own = world.accounts.id[world.accounts.bank == member]
        with room.as_member(member) as bank:
            result = bank.propagate("risk", rounds=ROUNDS, on_progress=progress)
        got = result.to_pandas().set_index("account").score
        near = np.allclose(got.reindex(own), after[own], rtol=1e-4, atol=1e-7)
        yield Answer("risk", member, result, near and len(got) == len(own))
    with room.as_member(member) as bank:
        result = bank.reach("risk", hops=ROUNDS, on_progress=progress)
    expected = pooled.reached(world, ROUNDS) & set(own)
    yield Answer("reach", member, result, set(result.to_pandas().account) == expected)


def counts(room: LocalRoom, rows: duckdb.DuckDBPyConnection, page: Path) -> Iterator[Answer]:
    """Have the supervisor ask: every group that opens is right, and the others are counted."""
    report = ReportFile.load(HERE / "report.toml")
    sections = report.ask(room, progress)
    room.report(page, report.title, sections)
    for asked, section in zip(report.sections, sections, strict=True):
        expected = pooled.cells(rows.sql(str(asked.sql)).df())
        got = pooled.cells(section.result.to_pandas())
        whole = len(got) + section.result.suppressed == len(expected)
        same = whole and set(got) <= set(expected)
        yield Answer(section.heading, "supervisor", section.result, same)


def progress(stage: str, member: str) -> None:
    """Show on a terminal how far a member is."""
    if sys.stderr.isatty():
        print(f"\r\033[K{member}: {stage}", end="\r", file=sys.stderr, flush=True)


def learnt(found: list[Answer]) -> None:
    """Say what every party learnt."""
    print("\nWhat each learnt")
    for member in (*BANKS, "supervisor"):
        parts = (f"{len(a.rows)} rows of {a.what}" for a in found if a.member == member)
        print(f"  {member}: {'; '.join(parts)}")
    print("  all banks: what was asked, and when; of others' rows nothing else")
    print("  the coordinator: what was asked, when, and how many bytes; no row and no result")
