"""A report's tables, plots and place in README, from made-up figures."""

import json
from pathlib import Path

import pytest

from benchmarks.markdown import growth_table, short_table
from benchmarks.measure import Asked, Line, Measured, line
from benchmarks.report import Wanted, asked, renew, write
from benchmarks.run import NAMES


def figures(name: str, rows: int, seconds: float, latency_ms: float = 0.0) -> Line:
    run = Measured((seconds,), 1.0, (100 * rows, rows, rows), 7, 10**8, 3 * 10**8, ())
    return line(Asked(name, rows, "grpc", 1, latency_ms), run, 0.5, 0.25, correct=True)


def some() -> list[Line]:
    joins = [figures("join", 1 << bits, 2.0 ** (bits - 12)) for bits in (12, 14)]
    return [*joins, figures("join", 1 << 16, 9.0, 20.0), figures("query", 4096, 1.5)]


def test_a_report_has_every_line_and_small_plots(tmp_path: Path) -> None:
    path = write(some(), (), tmp_path)
    text = path.read_text()
    assert "| join | 2^14 | 4 | 8 | 16 | 100 | 7 |" in text
    assert "+20 ms" in text
    assert "numpy" in text
    for image in tmp_path.glob("*.png"):
        assert image.name in text
        assert image.stat().st_size < 150_000
    lines = path.with_suffix(".jsonl").read_text().splitlines()
    assert [json.loads(each)["rows"] for each in lines] == [4096, 16384, 65536, 4096]


def test_a_report_has_other_systems_beside_ours(tmp_path: Path) -> None:
    ours = {"system": "ours", **figures("train_round", 71_000, 0.02)}
    slow = {**ours, "system": "slow", "seconds": None, "correct": None}
    elsewhere = [{**figures("sort", 1 << bits, 0.5), "system": "ours"} for bits in (10, 12)]
    path = write((), [ours, slow, *elsewhere], tmp_path)
    text = path.read_text()
    assert "| train_round | 71,000 | 0.02 | too slow |" in text
    assert "| sort | 2^10 | 0.5 | - |" in text
    assert path.with_name(f"{path.stem}-peers.png").stat().st_size < 150_000


def test_trainings_and_sums_have_sections_and_tell_their_own_figures(tmp_path: Path) -> None:
    trees = {**figures("train_gbdt", 100_000, 2.0), "auc": 0.91234, "seconds_by_side": {"a": 1.5}}
    text = write([trees, figures("dp_noise", 10_000, 0.05)], (), tmp_path).read_text()
    assert "## Operators" not in text
    assert "* `train_gbdt`, 100,000 rows: auc 0.9123, seconds by side 1.5 a" in text
    assert text.index("## Trainings") < text.index("## Secure sums and noise")


def test_every_benchmark_but_the_start_of_a_room_gets_into_readme() -> None:
    text = short_table([figures(name, 64, 1.0) for name in NAMES])
    assert all((f"| {name} |" in text) != (name == "start") for name in NAMES)


def test_the_short_table_has_the_largest_size_without_latency() -> None:
    text = short_table(some())
    assert text.count("| join |") == 1
    assert "| join | 2^14 |" in text


def test_growth_is_time_a_row_over_the_logarithm() -> None:
    text = growth_table(some())
    assert "| join | 2^12 | 244 | 20.3 |" in text
    assert "2^16" not in text


def test_readme_gets_the_newest_figures_and_keeps_its_text(tmp_path: Path) -> None:
    readme, newest = tmp_path / "README.md", tmp_path / "results" / "2026-01-01.md"
    readme.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    renew(readme, some(), newest)
    renew(readme, some(), newest)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("(results/2026-01-01.md)") == 1


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("text")
    with pytest.raises(ValueError, match="no marks"):
        renew(readme, some(), tmp_path / "x.md")
    assert readme.read_text() == "text"


def test_only_the_full_set_has_the_largest_sizes() -> None:
    usual, full = list(asked(Wanted())), list(asked(Wanted(full=True)))
    assert {one.benchmark for one in usual} == set(NAMES)
    grpc = [one for one in usual if one.transport == "grpc"]
    assert max(one.rows for one in grpc) == 1 << 20
    assert max(one.rows for one in full if one.transport == "grpc") == 1 << 22
    assert {one.rows for one in usual if one.benchmark == "he_group_by"} == {1_000_000}
    assert {one.runs for one in usual if one.benchmark == "train_gbdt"} == {2}
    assert max(one.rows for one in usual if one.benchmark == "train_joined") == 1 << 16
    chosen = list(asked(Wanted(only=("sort",), rows=(64, 128))))
    assert [(one.benchmark, one.rows) for one in chosen] == [("sort", 64), ("sort", 128)]
