"""A linkage in a room of processes: who is linked by which rung, and by subgroup, as it is."""

import pytest
from linking import febrl_terms
from typer.testing import CliRunner

from benchmarks import febrl
from cleanroom.cli import app
from cleanroom.errors import UnknownName
from cleanroom.local.room import LocalRoom

ROWS = 200


def said(room: LocalRoom, *words: str) -> str:
    """Return what the analyst's command says."""
    config = room.workers["laboratory"].config.parents[1] / "analyst" / "config.toml"
    done = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_linkage_tells_how_well_it_links_and_not_whom() -> None:
    frames = febrl.registers(ROWS)
    ladder = febrl.LADDER[:2]
    terms = febrl_terms(256, ladder=ladder)
    terms["privacy"]["min_group"] = 3
    pairs = febrl.pairs_of(febrl.clean(frames), ladder)
    with LocalRoom(terms, frames) as room:
        (listed,) = room.linkages().to_dict("records")
        quality = room.link("same_person", by="state")
        assert "same_person" in said(room, "linkages")
        sheets = said(room, "link", "same_person", "--explain", "--by", "state")
        with pytest.raises(UnknownName, match="no linkage 'same' in the contract"):
            room.link("same")
        with pytest.raises(UnknownName, match="no column 'x; --' in hospital_a"):
            room.explain_link("same_person", by=("x; --",))
    assert sheets.count("Rulings of the members") == 4
    assert listed["rungs"].startswith("soc_sec_id, date_of_birth; soc_sec_id, surname")
    of_rungs = quality.to_pandas()
    for side in ("left", "right"):
        told = of_rungs[of_rungs["side"] == side].dropna(subset="rung").set_index("rung")
        expected = pairs["rung"].value_counts()
        assert told["persons"].to_dict() == expected[expected >= 3].to_dict()
        assert told["linked_by"][1] == "soc_sec_id, date_of_birth"
    assert of_rungs["rung"].isna().sum() <= 2
    rates = quality.rates()
    assert quality.suppressed > 0
    assert rates["rate"].isna().any()  # a withheld group isn't one of nobody
    left = frames["hospital_a.patients"]
    linked = left["id"].isin(pairs["left_id"]).groupby(left["state"]).agg(["sum", "size"])
    for row in rates[rates["side"] == "left"].dropna(subset="linked").to_dict("records"):
        if isinstance(row["state"], str):
            assert row["linked"] == linked.loc[row["state"], "sum"]
