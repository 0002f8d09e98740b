"""Figures as log-log plots: time by size, and time a row by size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.markdown import GROWTH
from benchmarks.measure import Line

mpl.use("Agg")
_SIZE = (7.0, 4.6)  # inches
_DPI = 110


def times(lines: Sequence[Line], path: Path) -> None:
    """Draw seconds by rows, a line for each operator; dotted is plaintext."""
    figure, axes = _axes("rows", "seconds", "Three parties over gRPC; dotted: plaintext")
    for name in dict.fromkeys(line["benchmark"] for line in lines):
        x, found = _by_rows(lines, name)
        if len(x) > 1:
            (drawn,) = axes.plot(x, [line["seconds"] for line in found], marker="o", label=name)
            plain = [line["plaintext_seconds"] for line in found]
            axes.plot(x, plain, linestyle=":", color=drawn.get_color(), linewidth=1)
    _finish(figure, axes, path)


def growth(lines: Sequence[Line], path: Path) -> None:
    """Draw microseconds a row by rows; grey is growth by log2, from the smallest time on."""
    figure, axes = _axes("rows", "microseconds a row", "Time a row; grey: growing by log2 of rows")
    for name in GROWTH:
        x, found = _by_rows(lines, name)
        if len(x) < 2:
            continue
        each = [1e6 * line["seconds"] / line["rows"] for line in found]
        axes.plot(x, each, marker="o", label=name)
        least = each.index(min(each))
        bits = [n.bit_length() - 1 for n in x]
        allowed = [min(each) * b / bits[least] for b in bits[least:]]
        axes.plot(x[least:], allowed, color="grey", linewidth=1)
    _finish(figure, axes, path)


def peers(lines: Sequence[Line], path: Path) -> None:
    """Draw a small panel for each operation, a line for each system."""
    names = list(dict.fromkeys(line["benchmark"] for line in lines))
    figure, panels = plt.subplots(2, -(-len(names) // 2), figsize=(10, 6), squeeze=False)
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    for name, axes in zip(names, panels.flat, strict=False):
        mine = [line for line in lines if line["benchmark"] == name and line["seconds"]]
        for system in dict.fromkeys(line["system"] for line in lines):
            x, found = _by_rows([line for line in mine if line["system"] == system], name)
            axes.plot(x, [line["seconds"] for line in found], marker="o", label=system)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_title(name)
        axes.grid(visible=True, alpha=0.3)
    panels.flat[0].set_ylabel("seconds")
    panels.flat[0].legend(fontsize=8)
    _save(figure, path)


def _by_rows(lines: Sequence[Line], name: str) -> tuple[list[int], list[Line]]:
    mine = [
        line for line in lines if line["benchmark"] == name and not line.get("latency_ms")
    ]
    mine.sort(key=lambda line: int(line["rows"]))
    return [int(line["rows"]) for line in mine], mine


def _axes(x: str, y: str, title: str) -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=_SIZE)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=10)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _finish(figure: Any, axes: Any, path: Path) -> None:
    if axes.lines:
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=_DPI, bbox_inches="tight")
    plt.close(figure)
