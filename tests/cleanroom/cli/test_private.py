"""Values of private parameters on the command line: from files, or asked for, and never shown."""

from pathlib import Path

import pytest
import rooms
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.cli.private import private_values
from cleanroom.errors import ConfigInvalid, PrivateValueRefused

SQL = "SELECT COUNT(*) AS n FROM transactions WHERE channel IN (:watch)"


def test_values_come_from_a_file_of_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "watch.txt"
    path.write_bytes(b"land-017\r\n\nland,with a comma\n")
    assert private_values([f"watch={path}"]) == {"watch": ["land-017", "land,with a comma"]}


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, why in (("none", "No such file"), (".", "directory"), ("bytes", "not UTF-8")):
        with pytest.raises(ConfigInvalid, match=f"cannot read .*{why}"):
            private_values([f"watch={tmp_path / name}"])


@pytest.mark.parametrize("options", [[""], ["="], ["w="], ["a b=f"], ["=f"], ["w", "w"]])
def test_a_private_option_names_a_parameter_once(options: list[str]) -> None:
    words = [word for option in options for word in ("--private", option)]
    done = CliRunner().invoke(app, ["query", SQL, "--config", "none", *words], input="\n\n")
    assert done.exit_code == 2
    assert "takes each NAME once" in done.output


def test_a_query_takes_its_values_from_a_file_or_asks_without_an_echo(tmp_path: Path) -> None:
    (tmp_path / "watch.txt").write_text("web\nphone\n", encoding="utf-8")
    pooled = rooms.pooled(rooms.terms(), rooms.rows())
    ((expected,),) = pooled.sql(SQL.replace(":watch", "'web', 'phone'")).fetchall()
    with LocalRoom(rooms.room(), rooms.given(tmp_path)) as room:
        folder = room.workers["coordinator"].config.parent.parent
        words = ["query", SQL, "--config", str(folder / "analyst" / "config.toml")]
        words += ["--format", "csv", "--private"]
        from_file = CliRunner().invoke(app, [*words, f"watch={tmp_path / 'watch.txt'}"])
        typed = CliRunner().invoke(app, [*words, "watch"], input="web\nphone\n\n")
        wrong = CliRunner().invoke(app, [*words, "watch"], input="atlantis\n\n")
    assert from_file.stdout == f'"n"\n{expected}\n'
    assert typed.stdout.endswith(from_file.stdout)
    assert "web" not in typed.output
    assert isinstance(wrong.exception, PrivateValueRefused)
    assert "atlantis" not in f"{wrong.output} {wrong.exception}"
