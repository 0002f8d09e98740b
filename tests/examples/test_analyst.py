"""The researcher's study as a script and as a notebook, each run once, rehearsed in the second."""

from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from cleanroom.demo import examples
from examples.analyst import run

FOLDER = examples.folder() / "analyst"
NOTEBOOK = FOLDER / "analyst.ipynb"


@pytest.mark.timeout(300)  # two rooms
def test_the_script_answers_as_the_pooled_plaintext(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "rehearse", run.questions)  # a room that the notebook has, too
    assert run.main(None, tmp_path)
    said = capsys.readouterr().out
    assert said.count("equal: yes") == 5
    assert "used as 'max' without that right" in said
    assert "0.9473 left" in said
    assert "What every party learnt" in said
    assert 1000 < (tmp_path / "analyst.png").stat().st_size < 80_000


@pytest.mark.timeout(300)  # three rooms, with a kernel around them
def test_the_notebook_gives_what_is_stored_in_it() -> None:
    stored, run = (nbformat.read(NOTEBOOK, 4) for _ in range(2))
    where = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(run, timeout=120, kernel_name="python3", resources=where).execute()
    for before, after in zip(stored.cells, run.cells, strict=True):
        if before.cell_type == "code":
            assert before.outputs, before.source
            if "varies" not in before.metadata.get("tags", []):
                assert _texts(after) == _texts(before)
    assert "equal: yes" in "".join(map(str, map(_texts, run.cells)))


def _texts(cell: Any) -> list[str]:
    """Return what a cell printed and showed, as text; pictures and warnings don't count."""
    outputs = [o for o in cell.get("outputs", ()) if o.get("name") != "stderr"]
    return [o["text"] if "text" in o else o["data"]["text/plain"] for o in outputs]


def test_rows_can_be_files_of_their_owners(tmp_path: Path) -> None:
    examples.load("analyst")
    from examples.analyst.data import rows

    drawn = rows()
    drawn["paper.readers"].to_csv(tmp_path / "readers.csv", index=False)
    for shop, part in drawn["customers"].items():
        part.to_csv(tmp_path / f"{shop}.csv", index=False)
    read = rows(tmp_path)
    pd.testing.assert_frame_equal(read["paper.readers"], drawn["paper.readers"], check_dtype=False)
    for shop, part in drawn["customers"].items():
        pd.testing.assert_frame_equal(read["customers"][shop], part, check_dtype=False)
