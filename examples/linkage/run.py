"""Hospitals and a register of deaths link their patients, and a researcher asks about all of them.

Nobody sees another's rows, or which of its patients the others know.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from cleanroom import LocalRoom
from examples.linkage import figures
from examples.linkage.data import load
from examples.linkage.pooled import Pooled, quality, same, told

HERE = Path(__file__).parent
AGAIN = "again_in_30_days"
COUNTS = ("stays", "patients", "died_in_90_days", AGAIN)
GROUPS = ("sex", "age_band", "state")
SEEN = """
[bold]What each party learnt.[/]
hospital_a, hospital_b, registry: how many rows the others have, rounded up to powers of two. They
    compute on shares, uniform words: none knows which of its patients the others have.
researcher: the counts above, and how many were withheld. No row, no patient's number, no pair.
coordinator: who asked what, and when."""


def main(data: Path | None, output: Path, persons: int = 5000) -> bool:
    """Run all and draw the figures; return whether each answer is that of the pooled plaintext."""
    console, started = Console(), time.monotonic()
    contract, rows = HERE / "room.toml", load(data, persons)
    pooled, truth = Pooled(contract, rows), Pooled(contract, rows, true=True)
    answers: dict[str, pd.DataFrame] = {}
    equal = []
    with LocalRoom(contract, rows.tables, opt_outs=rows.opted_out) as room:
        for title, sql in questions():
            console.print(f"\n[bold]{title}[/]")
            if not answers:
                console.print(Syntax(sql, "sql", background_color="default"))
                console.print(Panel(room.explain(sql).text, title="The sheet", expand=False))
            with console.status(title) as line:
                result = room.sql(
                    sql, on_progress=lambda stage, who: line.update(f"{who}: {stage}")
                )
            answers[title] = result.to_pandas()
            expected = told(pooled.answer(sql), COUNTS)
            equal.append(same(answers[title], expected, COUNTS, result.withheld.groups))
            _show(console, answers[title])
            console.print(
                f"{result.stats.seconds:.1f} s, {result.withheld.groups} groups withheld. "
                f"By the same rules on the pooled plaintext: [bold]equal: {_yes(equal[-1])}[/]"
            )
    _show_quality(console, pooled.judged("same_person", truth, "hospital_a.patients"), output)
    _show_readmissions(console, answers, truth, output)
    console.print(f"{SEEN}\nAll in {time.monotonic() - started:.1f} s.")
    return all(equal)


def questions() -> Iterator[tuple[str, str]]:
    """Yield (title, text) of questions.sql."""
    for block in (HERE / "questions.sql").read_text(encoding="utf-8").strip().split("\n\n"):
        title, _, sql = block.partition("\n")
        yield title.removeprefix("-- "), sql


def _show_quality(console: Console, pairs: pd.DataFrame, output: Path) -> None:
    """Show how many pairs are found, rung by rung and by subgroup, against the truth."""
    every = quality(pairs.assign(every="all"), "every")
    by_rung = quality(pairs, "rung").loc[1:]
    by_rung["recall"] = by_rung["hit"].cumsum() / every["persons"].sum()
    by_group = pd.concat([every, *(quality(pairs, group) for group in GROUPS)])
    console.print(
        "\n[bold]Linked pairs of A and B against the truth[/], which only this demo knows"
    )
    for table in (by_rung[["linked", "precision", "recall"]], by_group):
        _show(console, table.round(4).reset_index())
    figures.draw_quality(by_rung, by_group, output / "linkage-quality.png")


def _show_readmissions(
    console: Console, answers: dict[str, pd.DataFrame], truth: Pooled, output: Path
) -> None:
    """Show what is found with linked patients, beside what is there, and what either alone sees."""
    (linked, linked_sql), (alone, _) = list(questions())[:2]
    counted = {
        "each hospital by itself": answers[alone],
        "linked": answers[linked],
        "the truth": truth.answer(linked_sql),
    }
    rates = {
        name: 100 * frame.set_index("procedure")[AGAIN] / frame.set_index("procedure")["stays"]
        for name, frame in counted.items()
    }
    table = pd.DataFrame(rates).astype(float).round(1)
    console.print("\n[bold]Readmissions within 30 days, per 100 stays[/]")
    _show(console, table.reset_index())
    figures.draw_readmissions(table, output / "linkage-readmissions.png")


def _show(console: Console, frame: pd.DataFrame) -> None:
    table = Table(*map(str, frame.columns))
    for row in frame.astype(object).where(frame.notna(), "").itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)


def _yes(true: bool) -> str:
    return "yes" if true else "NO"
