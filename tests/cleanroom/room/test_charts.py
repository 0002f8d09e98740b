"""Charts show the numbers of a result and no others, and obey no text in it."""

import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from cleanroom.errors import UnsupportedQuery
from cleanroom.recipient.charts import DASH, MAX_MARKS, Bars, Grid, shown

ROWS = pd.DataFrame(
    {
        "kind": ["fan <in>", "cycle", "cycle", "stack"],
        "way": ["DE-FR", "DE-FR", "FR-NL", "FR-NL"],
        "n": [1200, 30, 12.5, float("nan")],
    }
)


def drawn(svg: str) -> tuple[list[str], list[float], list[float]]:
    """Return all texts, and the widths and opacities of what is drawn."""
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own text)
    texts = [str(found.text) for found in root.iter("text")]
    rects = list(root.iter("rect"))
    return (
        texts,
        [float(r.attrib["width"]) for r in rects],
        [float(r.attrib.get("fill-opacity", "1")) for r in rects],
    )


def test_bars_are_as_long_as_the_totals_of_their_rows() -> None:
    texts, widths, _ = drawn(Bars("kind", "n").svg(ROWS, "Kinds"))
    assert texts == ["fan <in>", "1,200", "cycle", "42.50", "stack", DASH]
    assert widths[1] == pytest.approx(widths[0] * 42.5 / 1200, abs=0.1)
    assert widths[2] == 0


def test_a_cell_without_a_number_is_a_dash_and_never_nought() -> None:
    texts, _, opacities = drawn(Grid("kind", "way", "n").svg(ROWS, "Ways"))
    assert texts[:2] == ["DE-FR", "FR-NL"]
    assert texts[2:5] == ["fan <in>", "1,200", DASH]
    assert texts[5:8] == ["cycle", "30", "12.50"]
    assert texts[8:] == ["stack", DASH, DASH]
    assert opacities[:2] == [1, 0]


def test_texts_are_shown_and_never_obeyed() -> None:
    rows = pd.DataFrame({"kind": ["</text><script>\"&'"], "n": [1]})
    for chart in (Bars("kind", "n"), Grid("kind", "kind", "n")):
        svg = chart.svg(rows, '"><script>')
        assert "<script" not in svg
        assert drawn(svg)[0][0] == "</text><script>\"&'"
    assert not re.search(r"href|url\(|style=|on\w+=", svg)


@pytest.mark.parametrize(
    ("chart", "what"),
    [
        (Bars("kind", "total"), "'total', which the result doesn't have"),
        (Bars("n", "kind"), "'kind', which isn't a number"),
        (Bars("many", "many"), f"{MAX_MARKS + 1} values"),
        (Grid("one", "many", "many"), f"{MAX_MARKS + 1} values"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(chart: Bars | Grid, what: str) -> None:
    many = pd.DataFrame({"many": range(MAX_MARKS + 1), "one": 1})
    rows = many if "many" in what or "values" in what else ROWS
    with pytest.raises(UnsupportedQuery, match=what):
        chart.svg(rows, "")


def test_nothing_to_draw_and_negative_numbers() -> None:
    assert drawn(Bars("kind", "n").svg(ROWS[:0], "Nothing"))[0] == []
    assert drawn(Grid("kind", "way", "n").svg(ROWS[:0], "Nothing"))[0] == []
    _, widths, _ = drawn(
        Bars("kind", "n").svg(pd.DataFrame({"kind": ["a", "b"], "n": [-4, 2]}), "")
    )
    assert widths[0] == 2 * widths[1] > 0
    assert [shown(n) for n in (None, -1234.0, 0.5, 7)] == [DASH, "-1,234", "0.50", "7"]
