"""Results on a screen and in files: nothing cut, and no query for a file that can't be written."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.cli.rows import Format, as_table, check_writable, format_of, write
from cleanroom.errors import ConfigInvalid

ROWS = pa.table({f"a_rather_long_name_{i}": [10**17 + i, None] for i in range(20)})


@pytest.mark.parametrize("width", ["80", "20"])
def test_no_number_and_no_name_is_cut(monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    drawn = as_table(ROWS)
    assert "\N{HORIZONTAL ELLIPSIS}" not in drawn
    for i in range(20):
        assert f"a_rather_long_name_{i} " in drawn
        assert str(10**17 + i) in drawn


def test_a_narrow_terminal_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    drawn = as_table(pa.table({"n": [10**17], "text": ["[bold]" + "abcdefghij" * 10]}))
    kept = "".join(char for char in drawn if char.isalnum())
    assert kept.count("j") == 10
    assert "bold" in kept
    assert "\N{HORIZONTAL ELLIPSIS}" not in drawn


def test_the_suffix_names_the_format() -> None:
    names = {"x.csv": "csv", "x.JSON": "json", "x.parquet": "parquet", "x.txt": "table"}
    assert {name: format_of(Path(name)).value for name in names} == names
    assert format_of(None) is Format.TABLE


def test_every_format_is_written_and_read_back(tmp_path: Path) -> None:
    for form in Format:
        write(ROWS, form, tmp_path / form)
    assert parquet.read_table(tmp_path / "parquet").equals(ROWS)
    assert "a_rather_long_name_19" in (tmp_path / "table").read_text(encoding="utf-8")


def test_files_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_writable(None, tmp_path / "new", tmp_path / "file")
    for wrong in (tmp_path, tmp_path / "none" / "x", tmp_path / "file" / "x"):
        with pytest.raises(ConfigInvalid) as caught:
            check_writable(None, wrong)
        assert str(wrong) in caught.value.message
    for form in Format:
        with pytest.raises(ConfigInvalid):
            write(ROWS, form, tmp_path / "none" / "x")


@pytest.mark.parametrize("option", ["--output", "--receipt"])
def test_the_file_is_checked_before_the_room_is_asked(tmp_path: Path, option: str) -> None:
    words = ["query", "SELECT 1", "--config", "none.toml", option, str(tmp_path / "no" / "x.csv")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigInvalid)
    assert "x.csv" in done.exception.message
