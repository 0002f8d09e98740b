"""Figures as Markdown tables."""

from collections.abc import Callable, Iterable, Sequence
from math import log2
from typing import Any, TypeAlias

from benchmarks.measure import Line

GROWTH = ("sort", "join", "group_by")
_LAST = "latency_ms"  # of the keys that every line has
_Columns: TypeAlias = dict[str, Callable[[Line], str]]


def number(value: float) -> str:
    """Return a figure to about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 0.1 else f"{value:.3g}"


def megabytes(n_bytes: float) -> str:
    """Return bytes in MB."""
    return number(n_bytes / 1e6)


def rows_of(line: Line) -> str:
    """Return the number of rows as a power of two, if it is one."""
    n = int(line["rows"])
    return f"2^{n.bit_length() - 1}" if n & (n - 1) == 0 else f"{n:,}"


def bytes_a_row(line: Line) -> float:
    """Return what the busiest party sends for each row."""
    return float(max(line["bytes_sent_per_party"])) / float(line["rows"])


_SHORT: _Columns = {
    "benchmark": lambda line: f"{line['benchmark']}",
    "rows": rows_of,
    "seconds": lambda line: number(line["seconds"]),
    "times plaintext": lambda line: number(line["ratio_to_plaintext"]),
    "times limit": lambda line: number(line["ratio_to_limit"]),
    "bytes a row": lambda line: number(bytes_a_row(line)),
    "rounds": lambda line: f"{line['rounds']}",
}
_ALL: _Columns = {
    **_SHORT,
    "CPU s": lambda line: number(line["cpu_seconds"]),
    "peak MB": lambda line: megabytes(line["peak_rss_bytes"]),
    "peak MB, all": lambda line: megabytes(line["peak_rss_bytes_together"]),
    "over": lambda line: str(line["transport"])
    + (f", +{line['latency_ms']:g} ms" if line["latency_ms"] else ""),
    "correct": lambda line: "yes" if line["correct"] else "**no**",
}


def full_table(lines: Iterable[Line]) -> str:
    """Return one row for each line, with everything measured."""
    return _lines(lines, _ALL)


def short_table(lines: Sequence[Line]) -> str:
    """Return the largest size of each benchmark, except of a room's start, with what tells most."""
    largest: dict[str, Line] = {}
    for line in lines:
        best = largest.get(line["benchmark"])
        if not line["latency_ms"] and (best is None or line["rows"] > best["rows"]):
            largest[line["benchmark"]] = line
    return _lines((line for name, line in largest.items() if name != "start"), _SHORT)


def more(lines: Iterable[Line]) -> str:
    """Return a list of the figures that only some benchmarks have."""
    told = []
    for line in lines:
        own = list(line)[list(line).index(_LAST) + 1 :]
        if own:
            figures = ", ".join(_told(key, line[key]) for key in own)
            told.append(f"* `{line['benchmark']}`, {rows_of(line)} rows: {figures}\n")
    return "".join(told)


def _told(key: str, value: Any) -> str:
    if isinstance(value, dict):
        value = " + ".join(f"{number(part)} {name}" for name, part in value.items())
    elif key.endswith("bytes"):
        value = f"{value:,}"
    elif isinstance(value, float):
        value = f"{value:.4g}"
    return f"{key.replace('_', ' ')} {value}"


def growth_table(lines: Sequence[Line]) -> str:
    """Return microseconds a row by size, and how they grow against the size's logarithm."""
    head = ["benchmark", "rows", "microseconds a row", "microseconds a row / log2 rows"]
    body = []
    for name in GROWTH:
        for line in _curve(lines, name):
            each = 1e6 * line["seconds"] / line["rows"]
            body.append([name, rows_of(line), number(each), number(each / log2(line["rows"]))])
    return table(head, body)


def peer_table(lines: Sequence[Line]) -> str:
    """Return systems side by side: seconds for one operation on one size."""
    systems = list(dict.fromkeys(line["system"] for line in lines))
    found = {(line["benchmark"], line["rows"], line["system"]): line for line in lines}
    body = []
    for name, rows in dict.fromkeys((line["benchmark"], line["rows"]) for line in lines):
        cells = [found.get((name, rows, system)) for system in systems]
        body.append([name, rows_of({"rows": rows}), *map(_peer_cell, cells)])
    return table(["benchmark", "rows", *(f"{system}, s" for system in systems)], body)


def _peer_cell(line: Line | None) -> str:
    if line is None:
        return "-"
    if line["seconds"] is None:
        return "too slow"
    return number(line["seconds"]) + ("" if line["correct"] else " (**wrong**)")


def _curve(lines: Sequence[Line], name: str) -> list[Line]:
    plain = [line for line in lines if line["benchmark"] == name and not line["latency_ms"]]
    return sorted(plain, key=lambda line: int(line["rows"]))


def _lines(lines: Iterable[Line], columns: _Columns) -> str:
    return table(list(columns), [[show(line) for show in columns.values()] for line in lines])


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    rows = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)
