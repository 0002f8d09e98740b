"""The study's figure: overlap by age, what garden lovers spent, and counts with their noise."""

from collections.abc import Mapping
from io import BytesIO

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def drawn(found: Mapping[str, pd.DataFrame], noisy: pd.DataFrame) -> bytes:
    """Return three panels as a PNG."""
    figure = Figure(figsize=(10, 3), layout="constrained")
    FigureCanvasAgg(figure)
    overlap, spent, counts = figure.subplots(1, 3)
    both = found["reach"].merge(found["overlap"], on=["age", "saw"])
    share = (100 * both["customers"] / both["readers"]).groupby([both["age"], both["saw"]]).first()
    share.unstack().set_axis(["not reached", "saw the campaign"], axis=1).plot.bar(
        ax=overlap, rot=0
    )
    overlap.set(title="Readers who are customers, %", xlabel="age", ylim=(0, 80))
    overlap.legend(loc="upper center", ncols=2, fontsize=8)
    histogram = found["garden"]
    spent.bar(100 * histogram["hundreds"], histogram["customers"], width=90, align="edge")
    spent.set(title="Customers by what they spent,\nof a kind that no shop learnt", xlabel="spent")
    counts.bar(noisy["age"], noisy["readers"], yerr=2 * noisy["error"], capsize=4)
    counts.set(title="Readers, noisy,\nwith 2 standard errors", xlabel="age")
    png = BytesIO()
    figure.savefig(png, dpi=80)
    return png.getvalue()
