"""`python -m benchmarks NAME --rows N`: one benchmark, one line; also `peers`, and a `report`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.markdown import peer_table
from benchmarks.measure import Asked, Line
from benchmarks.peers.compare import OPERATIONS, compare
from benchmarks.peers.install import PeerNotInstalled
from benchmarks.report import RESULTS, Wanted, report
from benchmarks.run import NAMES, run


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and print it."""
    given = _parser().parse_args(arguments)
    given.do(given)


def _one(given: argparse.Namespace) -> None:
    asked = Asked(given.name, given.rows, given.transport, given.runs, given.latency_ms)
    figures = run(asked)
    if given.json:
        print(json.dumps(figures))
    else:
        Console().print(_table(figures))


def _report(given: argparse.Namespace) -> None:
    wanted = Wanted(tuple(given.only), tuple(given.rows), given.full, given.runs)
    lines = _compared(OPERATIONS, (), 2) if given.peers else []
    print(report(wanted, lines, given.output))


def _peers(given: argparse.Namespace) -> None:
    lines = _compared(given.only, given.rows, given.runs)
    if not given.json:
        print(peer_table(lines))


def _compared(operations: Sequence[str], sizes: Sequence[int], runs: int) -> list[Line]:
    """Compare with peers, printing each line as it comes."""
    lines = []
    try:
        for line in compare(operations, sizes, runs):
            lines.append(line)
            print(json.dumps(line), flush=True)
    except PeerNotInstalled as error:
        sys.exit(f"{error}\nThe peers come from PyPI: this needs a network the first time.")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join((*NAMES, "report", "peers"))
    commands = parser.add_subparsers(required=True, metavar="NAME", help=names)
    _add_report(commands.add_parser("report", help="measure all, write tables and plots"))
    _add_peers(commands.add_parser("peers", help="the same operations by other systems"))
    for name in NAMES:
        one = commands.add_parser(name)
        one.set_defaults(do=_one, name=name)
        one.add_argument("--rows", type=int, default=1 << 16, help="rows; of each side of a join")
        one.add_argument("--transport", choices=("memory", "grpc"), default="grpc")
        one.add_argument("--runs", type=int, default=5)
        one.add_argument(
            "--latency-ms", type=float, default=0.0, help="added on the way between parties"
        )
        one.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _add_report(one: argparse.ArgumentParser) -> None:
    one.set_defaults(do=_report)
    one.add_argument("--full", action="store_true", help="the largest sizes too, up to 2^22 rows")
    one.add_argument("--only", nargs="+", choices=NAMES, default=(), help="these benchmarks")
    one.add_argument("--rows", nargs="+", type=int, default=(), help="these sizes")
    one.add_argument("--runs", type=int, default=5, help="at most; fewer for large sizes")
    one.add_argument("--peers", action="store_true", help="other systems too")
    one.add_argument("--output", type=Path, default=RESULTS, help="folder")


def _add_peers(one: argparse.ArgumentParser) -> None:
    one.set_defaults(do=_peers)
    one.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS)
    one.add_argument("--rows", nargs="+", type=int, default=(), help="these sizes")
    one.add_argument("--runs", type=int, default=2)
    one.add_argument("--json", action="store_true", help="lines of JSON alone")


def _table(line: Line) -> Table:
    table = Table(title=f"{line['benchmark']}, {line['rows']:,} rows, {line['transport']}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for key, value in list(line.items())[3:]:
        table.add_row(key.replace("_", " "), _readable(key, value))
    return table


def _readable(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{one / 1e6:,.2f} MB" for one in value)
    if "_bytes" in key:
        return f"{value / 1e6:,.0f} MB"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
