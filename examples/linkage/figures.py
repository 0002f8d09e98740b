"""The example's two pictures: how well persons are linked, and what linking them is worth."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, GREY, RED = "#20639b", "#b8c4cc", "#c0392b"


def draw_quality(by_rung: pd.DataFrame, by_group: pd.DataFrame, path: Path) -> None:
    """Draw the recall that each rung adds up to, and that of each subgroup.

    Args:
        by_rung: recall up to each rung, one row a rung.
        by_group: recall so far, one column a step, one row a subgroup.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    left.plot(by_rung.index.astype(str), by_rung["recall"], color=BLUE, marker="o")
    left.set_xlabel("rungs so far: keys, then similarity")
    left.set_ylabel("recall")
    for (step, recall), color in zip(by_group.items(), (GREY, BLUE, RED), strict=True):
        right.plot(recall[::-1], by_group.index[::-1], color=color, marker="o", ls="", label=step)
    right.set_xlabel("recall")
    figure.legend(frameon=False, loc="outside upper right", ncols=len(by_group.columns))
    for axes in (left, right):
        axes.grid(color=GREY, alpha=0.4)
    _save(figure, [left, right], path)


def draw_readmissions(rates: pd.DataFrame, path: Path) -> None:
    """Draw readmissions per 100 stays: one column a way of counting, one row a procedure."""
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(rates.columns)
    for place, (name, color) in enumerate(zip(rates.columns, (GREY, BLUE, RED), strict=True)):
        offsets = [row + place * height for row in range(len(rates))]
        axes.barh(offsets, rates[name], height, color=color, label=name)
    axes.set_yticks([row + height for row in range(len(rates))], rates.index)
    axes.invert_yaxis()
    axes.set_xlabel("stays followed by another within 30 days, per 100")
    figure.legend(frameon=False, loc="outside upper center", ncols=len(rates.columns))
    _save(figure, [axes], path)


def _save(figure: Figure, every: list[Axes], path: Path) -> None:
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"savefig.dpi": 100}):
        figure.savefig(path)
