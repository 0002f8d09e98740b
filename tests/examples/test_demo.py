"""`cleanroom demo NAME`: examples by name, and what is said of wrong names and folders."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.demo import examples
from cleanroom.errors import DataMismatch, UnknownName


def test_an_unknown_name_is_told_the_examples() -> None:
    with pytest.raises(UnknownName, match=r"no example '\.\./tests'.*Use one of: .*analyst"):
        examples.run("../tests", None, Path())


def test_every_example_keeps_the_layout() -> None:
    for name in examples.names():
        held = {path.name for path in (examples.folder() / name).iterdir()}
        assert {"run.py", "README.md"} <= held
        assert held & {"room.toml", "contract.py"}
        assert len((examples.folder() / name / "run.py").read_text().splitlines()) < 150
        assert callable(examples.load(name))


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("examples.analyst")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "examples.analyst.run", None)
    with pytest.raises(DataMismatch, match=r"needs the package .* pip install .*\[demo\]"):
        examples.load("analyst")


def test_folders_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataMismatch, match="the folder of data"):
        examples.run("analyst", tmp_path / "absent", tmp_path)
    with pytest.raises(DataMismatch, match="can't write into"):
        examples.run("analyst", None, tmp_path / "file")


@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)])
def test_a_wrong_answer_is_an_exit_code(
    right: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "cleanroom" / "examples" / "made"
    made.mkdir(parents=True)
    script = f"def main(data, output):\n    (output / 'figure').touch()\n    return {right}\n"
    (made / "run.py").write_text(script)
    monkeypatch.setattr(examples, "PACKAGE", tmp_path / "cleanroom")
    monkeypatch.delitem(sys.modules, "examples.made", raising=False)
    monkeypatch.delitem(sys.modules, "examples.made.run", raising=False)
    output = tmp_path / "new" / "figures"
    ran = CliRunner().invoke(app, ["demo", "made", "--output", str(output)])
    assert (ran.exit_code, (output / "figure").exists()) == (code, True)


@pytest.mark.parametrize("name", ["aml", "analyst", "lift", "linkage"])
def test_a_file_that_is_missing_or_damaged_is_named(name: str, tmp_path: Path) -> None:
    first = {"linkage": "dataset4a.csv", "analyst": "north.csv"}.get(name, "accounts.csv")
    with pytest.raises(DataMismatch, match=rf"{first}' is missing.*columns"):
        examples.run(name, tmp_path, tmp_path)
    for damaged in (b"", b"a,b\n1,2\n", b"\x00\xff\x1f\x8b", b"secret,secret,\n"):
        (tmp_path / first).write_bytes(damaged)
        with pytest.raises(DataMismatch, match=rf"{first}' can't be read") as told:
            examples.run(name, tmp_path, tmp_path)
        assert "secret" not in str(told.value)
