"""`report`: the whole set, written as Markdown, plots and JSON lines, with the newest in README."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import markdown
from benchmarks.about import about
from benchmarks.encrypted.names import ENCRYPTED, IN_A_ROOM
from benchmarks.encrypted.names import SIZES as HE_SIZES
from benchmarks.gated import SIZES as GATED_SIZES
from benchmarks.graphs import SIZES as GRAPH_SIZES
from benchmarks.in_process import IN_PROCESS
from benchmarks.in_process import SIZES as IN_PROCESS_SIZES
from benchmarks.linkage import SIZES as LINK_SIZES
from benchmarks.linked import SIZES as LINKED_SIZES
from benchmarks.measure import Asked, Line
from benchmarks.pairs import SIZES as PAIR_SIZES
from benchmarks.propagated import SIZES as PROPAGATED_SIZES
from benchmarks.released import SIZES as RELEASED_SIZES
from benchmarks.rooms import QUERIES
from benchmarks.run import NAMES, run
from benchmarks.training_round import SIZES as ROUND_SIZES

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"
_AND = "and"
_GATES, _MOVES = ("multiply", "less_than", "equality", "shuffle"), ("merge", "distinct")
_ALONE = {**ENCRYPTED, **IN_PROCESS}  # in this process
_OPENED = {**RELEASED_SIZES, **GATED_SIZES, "start": (1000,)}
_LINKED = {**LINK_SIZES, **PAIR_SIZES, **LINKED_SIZES}
_FLOWS = {**GRAPH_SIZES, **PROPAGATED_SIZES}
_USUAL = {**HE_SIZES, **IN_PROCESS_SIZES, **ROUND_SIZES, **_FLOWS, **_LINKED, **_OPENED}
_LONG = (
    *("train_glm", "train_gbdt", "train_joined", "secagg_many", "he_many_owners", "he_score"),
    *IN_A_ROOM,
    *("log_verify", "query_propagate"),
)
_SECTIONS = {
    "Queries, and the start of a room": (*QUERIES, *_OPENED),
    "Trainings": ("train_round", "train_glm", "train_gbdt", "train_joined"),
    "Scores along payments": tuple(_FLOWS),
    "Linking persons": tuple(_LINKED),
    "Secure sums and noise, in one process": ("secagg", "secagg_many", "dp_noise"),
    "Rulings, logs and states, in one process": (
        *("policy_check", "policy_check_wide", "log_append", "log_verify"),
        *("state_write", "state_open"),
    ),
    "Homomorphic, in one process": tuple(ENCRYPTED),
    "Homomorphic, in a room of processes": tuple(IN_A_ROOM),
}
_NOTE = """`seconds` is the median of the runs, of three processes on this machine over gRPC with
mutual TLS (`memory`: three threads). `rows` are of each side for `merge` and `join`, bits for
`and`. `bytes a row` are of the busiest party. `times limit` compares with the time that the same
bytes, AES and AND work take at this machine's measured rates; for trainings, noise and homomorphic
queries the folder's README says what stands for `plaintext` and `limit`.
"""


@dataclass(frozen=True)
class Wanted:
    """What a report covers.

    Attributes:
        only: names of benchmarks; empty is all.
        rows: sizes instead of the usual ones; empty is those.
        full: the largest sizes too, up to 2^22 rows.
        runs: at most so many of each; fewer for large sizes.
    """

    only: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    full: bool = False
    runs: int = 5


def asked(wanted: Wanted) -> Iterator[Asked]:
    """Yield what a report measures."""
    for name in wanted.only or NAMES:
        usual = _sizes(name, full=wanted.full)
        transport = "memory" if name == _AND or name in _ALONE else "grpc"
        for rows in usual if name == "start" else wanted.rows or usual:
            yield Asked(name, rows, transport, _runs(name, rows, wanted.runs))
        if name == "join" and not wanted.rows:
            yield Asked(name, 1 << 16, "grpc", min(wanted.runs, 2), latency_ms=20)


def _runs(name: str, rows: int, most: int) -> int:
    if name in _LONG:
        return min(most, 2)
    if name in (_AND, *_ALONE) or rows < 1 << 18:
        return most
    return min(most, 2 if name in _GATES or rows == 1 << 18 else 1)


def _sizes(name: str, *, full: bool) -> Sequence[int]:
    if name in _USUAL:
        return _USUAL[name]
    if name == _AND:
        bits: tuple[int, ...] = (26, 28)
    elif name == "train_joined":
        bits = (12, 14, 16, 18) if full else (12, 16)
    elif name in QUERIES:
        bits = (12, 14, 16, 18) if full else (12, 14, 16)
    elif name in markdown.GROWTH:
        bits = (12, 14, 16, 18, 20, 22) if full else (12, 14, 16, 18, 20)
    elif name in _MOVES:
        bits = (12, 14, 16, 18, 20) if full else (12, 16, 20)
    else:
        bits = (12, 14, 16, 18, 20)
    return tuple(1 << b for b in bits)


def report(wanted: Wanted, peers: Sequence[Line], folder: Path) -> Path:
    """Measure, write everything into a folder, and return the Markdown file."""
    lines = []
    for one in asked(wanted):
        lines.append(run(one))
        print(json.dumps(lines[-1]), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = write(lines, peers, folder)
    if folder == RESULTS and not wanted.only:
        renew(README, lines, path)
    return path


def write(lines: Sequence[Line], peers: Sequence[Line], folder: Path) -> Path:
    """Write the Markdown file with its plots and lines beside it."""
    from benchmarks import plots

    facts = about()
    stem = folder / facts["date"]
    text = "".join(json.dumps(line) + "\n" for line in (*lines, *peers))
    stem.with_suffix(".jsonl").write_text(text, encoding="utf-8")
    parts = [f"# Figures of {facts['date']}\n", markdown.table(("", ""), facts.items()), _NOTE]
    apart = {name for names in _SECTIONS.values() for name in names}
    operators = [line for line in lines if line["benchmark"] not in apart]
    if operators:
        plots.times(operators, Path(f"{stem}-times.png"))
        plots.growth(operators, Path(f"{stem}-growth.png"))
        image = f"![seconds by rows]({stem.name}-times.png)\n"
        parts += ["## Operators\n", markdown.full_table(operators), image]
        image = f"![microseconds a row by rows]({stem.name}-growth.png)\n"
        parts += ["## Growth\n", markdown.growth_table(operators), image]
    for title, names in _SECTIONS.items():
        mine = [line for line in lines if line["benchmark"] in names]
        if mine:
            parts += [f"## {title}\n", markdown.full_table(mine), markdown.more(mine)]
    if peers:
        plots.peers(peers, Path(f"{stem}-peers.png"))
        image = f"![seconds by rows, by system]({stem.name}-peers.png)\n"
        parts += ["## Beside other systems\n", markdown.peer_table(peers), image]
    path = stem.with_suffix(".md")
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def renew(readme: Path, lines: Sequence[Line], newest: Path) -> None:
    """Put the newest figures between the marks in the README."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{readme.name} has no marks for figures")
    facts = about()
    where = f"{facts['processor']}, {facts['cores']} cores, {facts['date']}"
    link = f"{newest.parent.relative_to(readme.parent)}/{newest.name}"
    shown = f"\n{markdown.short_table(lines)}\n{where}; all sizes and plots: [{link}]({link}).\n\n"
    readme.write_text(before + begin + shown + end + after, encoding="utf-8")
