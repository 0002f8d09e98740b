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
COUNTS = ("persons", "stays", "patients", "died_in_90_days", "known_to_b", AGAIN)
REGISTERS = ("hospital_a.patients", "hospital_b.patients")
GROUPS = ("sex", "age_band", "state")
FIGURES = ("linkage-quality.png", "linkage-readmissions.png")
SEEN = """
[bold]What each party learnt[/]
hospital_a, hospital_b, registry: how many rows the others have, rounded up to
    powers of two, and that keys left at most 1024 patients of either side over.
    They compute on shares: none knows which of its patients the others have.
researcher: the counts above, and how many groups were withheld. No row, no
    patient's number, no pair.
coordinator: who asked what, and when."""


def main(data: Path | None, output: Path, persons: int = 5000) -> bool:
    """Run all and draw the figures; return whether each answer is that of the pooled plaintext."""
    console, started = Console(), time.monotonic()
    contract, rows = HERE / "room.toml", load(data, persons)
    pooled, truth = Pooled(contract, rows), Pooled(contract, rows, true=True)
    with LocalRoom(contract, rows.tables, opt_outs=rows.opted_out) as room:
        answers, equal = _ask(console, room, pooled)
        equal &= _link(console, room, pooled, "sex")
    _show_quality(console, pooled.judged("same_person", truth, REGISTERS[0]), output)
    _show_readmissions(console, answers, truth, output)
    ended = f"In {output}: {', '.join(FIGURES)}. All in {time.monotonic() - started:.1f} s."
    console.print(f"{SEEN}\n\n{ended}", soft_wrap=True, highlight=False)
    return equal


def questions() -> Iterator[tuple[str, str]]:
    """Yield (title, text) of questions.sql."""
    for block in (HERE / "questions.sql").read_text(encoding="utf-8").strip().split("\n\n"):
        title, _, sql = block.partition("\n")
        yield title.removeprefix("-- "), sql


def _ask(console: Console, room: LocalRoom, pooled: Pooled) -> tuple[dict[str, pd.DataFrame], bool]:
    """Ask all questions, the first one with its sheet; return the answers, and whether right."""
    answers: dict[str, pd.DataFrame] = {}
    equal = True
    for title, sql in questions():
        console.print(f"\n[bold]{title}[/]")
        if not answers:
            console.print(Syntax(sql, "sql", background_color="default"))
            console.print(Panel(room.explain(sql).text, title="The sheet", expand=False))
        with console.status(title) as line:
            result = room.sql(sql, on_progress=lambda stage, who: line.update(f"{who}: {stage}"))
        answers[title] = result.to_pandas()
        expected = told(pooled.answer(sql), COUNTS)
        right = same(answers[title], expected, COUNTS, result.withheld.groups)
        _show(console, answers[title])
        _compare(console, result.stats.seconds, result.withheld.groups, right)
        equal &= right
    return answers, equal


def _link(console: Console, room: LocalRoom, pooled: Pooled, by: str) -> bool:
    """Ask how many persons each rung links, and by subgroup; return whether pandas does so."""
    with console.status("linking"):
        found = room.link("same_person", by=(by,))
    right, seconds = True, 0.0
    for results, keys in ((found.by_rung, ["rung"]), (found.by_group, [by, "linked"])):
        for (side, result), table in zip(results.items(), REGISTERS, strict=True):
            answer = result.to_pandas().sort_values(keys, ignore_index=True)
            expected = told(pooled.counted("same_person", side, table, keys), COUNTS)
            right &= same(answer, expected, COUNTS, result.withheld.groups)
            seconds += result.stats.seconds
    console.print(f"\n[bold]How well the linkage links: by rung, and by {by}[/]")
    _show(console, found.to_pandas())
    _show(console, found.rates().round(3))
    _compare(console, seconds, found.suppressed, right)
    return right


def _compare(console: Console, seconds: float, withheld: int, right: bool) -> None:
    console.print(f"{seconds:.1f} s, {withheld} groups withheld")
    word = "yes" if right else "NO"
    console.print(f"The same on the pooled plaintext, by the same rules: [bold]equal: {word}[/]")


def _show_quality(console: Console, pairs: pd.DataFrame, output: Path) -> None:
    """Show how many pairs are found, rung by rung and by subgroup, against the truth."""
    whole = pairs.assign(all="all")
    total, last = quality(whole, "all"), int(pairs["rung"].max())
    by_rung = quality(pairs, "rung").loc[1:]
    by_rung["recall"] = by_rung["hit"].cumsum() / total["persons"].sum()
    by_group = pd.concat([total, *(quality(pairs, group) for group in GROUPS)])
    console.print(
        "\n[bold]Linked pairs of A and B against the truth[/], which only this demo knows"
    )
    shown = by_group.rename_axis("group").rename(columns={"hit": "rightly"})
    for table in (by_rung[["linked", "precision", "recall"]], shown):
        _show(console, table.round(4).reset_index())
    steps = {"by the first key": 1, "by all keys": last - 1, "and similarity": last}
    recalls = {}
    for name, most in steps.items():
        so_far = whole.assign(rung=whole["rung"].where(whole["rung"] <= most, 0))
        recalls[name] = pd.concat(quality(so_far, by)["recall"] for by in ("all", *GROUPS))
    figures.draw_quality(by_rung, pd.DataFrame(recalls), output / FIGURES[0])


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
    figures.draw_readmissions(table, output / FIGURES[1])


def _show(console: Console, frame: pd.DataFrame) -> None:
    table = Table(*map(str, frame.columns))
    for row in frame.astype(object).where(frame.notna(), "").itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
