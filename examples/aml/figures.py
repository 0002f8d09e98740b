"""The figures of this example, as PNG."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PLACES = ("one", "two", "three", "four")
AMOUNTS = ("sent", "passed", "passed_on", "back")


def rings(
    found: Sequence[tuple[str, pd.DataFrame]],
    accounts: Mapping[str, pd.DataFrame],
    path: Path,
    most: int = 3,
) -> None:
    """Draw rings that a bank got, its own accounts apart from others'; at most `most` of them."""
    drawn = [(bank, ring) for bank, rows in found for _, ring in rows.iterrows()]
    drawn = sorted(drawn, key=lambda one: -len(_accounts(one[1])))[:most]
    figure = Figure(figsize=(3.0 * max(len(drawn), 1), 3.1), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for place, (bank, ring) in enumerate(drawn):
        axes = figure.add_subplot(1, len(drawn), place + 1)
        _ring(axes, ring, set(accounts[bank].id))
        axes.set_title(f"{bank}, {ring['since']:%d %b}: its own in blue", fontsize=9, y=0.95)
    if not drawn:
        figure.text(0.5, 0.5, "no ring", ha="center")
    canvas.print_png(str(path))  # type: ignore[no-untyped-call]


def _accounts(ring: "pd.Series[Any]") -> list[int]:
    return [int(ring[name]) for name in PLACES if name in ring.index]


def _ring(axes: Axes, ring: "pd.Series[Any]", own: set[int]) -> None:
    around, amounts = _accounts(ring), [ring[name] for name in AMOUNTS if name in ring.index]
    angles = [math.pi / 2 - 2 * math.pi * i / len(around) for i in range(len(around))]
    spots = [(math.cos(angle), math.sin(angle)) for angle in angles]
    for i, (start, amount) in enumerate(zip(spots, amounts, strict=True)):
        end = spots[(i + 1) % len(spots)]
        style = {"arrowstyle": "-|>", "shrinkA": 17, "shrinkB": 17, "lw": 1.4, "color": "#444"}
        axes.annotate("", xy=end, xytext=start, arrowprops=style)
        x, y = (0.5 * (a + b) for a, b in zip(start, end, strict=True))
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(x, y, f"{amount:,.0f}", ha="center", va="center", fontsize=8, bbox=behind)
    for account, (x, y) in zip(around, spots, strict=True):
        mine = account in own
        axes.scatter([x], [y], s=900, color="#1f6fb2" if mine else "#d8d8d8", zorder=2)
        ink = "white" if mine else "black"
        axes.text(x, y, str(account), ha="center", va="center", fontsize=7, color=ink, zorder=3)
    axes.set(xlim=(-1.45, 1.45), ylim=(-1.4, 1.4), aspect="equal")
    axes.axis("off")


def scores(accounts: pd.DataFrame, after: pd.DataFrame, path: Path) -> None:
    """Draw what the scores say of accounts that their own bank has nothing against.

    Args:
        after: all banks' accounts and their scores after propagation.
    """
    known = accounts[accounts.score == 0].merge(after, left_on="id", right_on="account")
    best = known.sort_values(["score_y", "id"], ascending=[False, True])
    guilty = (best.pattern >= 0).to_numpy()
    looked = np.arange(1, min(len(best), 600) + 1)
    figure = Figure(figsize=(5.6, 3.3), layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    axes.plot(looked, guilty.cumsum()[: len(looked)], label="highest score after two rounds first")
    axes.plot(looked, looked * guilty.mean(), "--", color="#888", label="in any order, as before")
    axes.set(xlabel="accounts looked at that no bank flagged", ylabel="of them in a pattern")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    canvas.print_png(str(path))  # type: ignore[no-untyped-call]
