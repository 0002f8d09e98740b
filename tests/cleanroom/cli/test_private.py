"""Values of private parameters on the command line: from files, or asked for, and never shown."""

from decimal import Decimal
from pathlib import Path

import pytest
import rooms
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.cli.private import private_values, private_weights
from cleanroom.errors import ConfigInvalid, PrivateValueRefused

SQL = "SELECT COUNT(*) AS n FROM transactions WHERE channel IN (:watch)"


def test_values_come_from_a_file_of_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "watch.txt"
    path.write_bytes(b"land-017\r\n\nland,with a comma\n")
    assert private_values([f"watch={path}"]) == {"watch": ["land-017", "land,with a comma"]}


def test_weights_come_from_a_file_of_a_weight_and_a_value_a_line(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text("3 DE\n-2.5 land, with a comma\n", encoding="utf-8")
    wanted = {"DE": Decimal(3), "land, with a comma": Decimal("-2.5")}
    assert private_weights([f"w={path}"]) == {"w": wanted}


@pytest.mark.parametrize("text", ["1 DE\nDE 3\n", "1 DE\n2 DE\n", "1 DE\nthree FR\n", "1 DE\n3"])
def test_a_line_that_is_no_weight_of_its_own_is_named_by_its_place(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid, match="line 2 is not a weight"):
        private_weights([f"w={path}"])


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
        (tmp_path / "weights.txt").write_text("3 web\n-1 phone\n", encoding="utf-8")
        weighed = [*words[:1], "SELECT WEIGHTED_SUM(channel, :w, 10) AS s FROM transactions"]
        weighed += [*words[2:-1], "--weights", f"w={tmp_path / 'weights.txt'}"]
        summed = CliRunner().invoke(app, weighed)
    cases = "CASE channel WHEN 'web' THEN 3 WHEN 'phone' THEN -1 ELSE 0 END"
    ((total,),) = pooled.sql(f"SELECT SUM({cases}) FROM transactions").fetchall()
    assert summed.stdout == f'"s"\n{total}\n'
    assert from_file.stdout == f'"n"\n{expected}\n'
    assert typed.stdout.endswith(from_file.stdout)
    assert "web" not in typed.output
    assert isinstance(wrong.exception, PrivateValueRefused)
    assert "atlantis" not in f"{wrong.output} {wrong.exception}"
