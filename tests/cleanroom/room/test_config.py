"""The files of processes: one of a member serves to attend and to ask."""

from pathlib import Path

import pytest

from cleanroom import connect
from cleanroom.config import MemberConfig
from cleanroom.errors import ConfigInvalid

BASE = 'identity = "bank_a"\ncontract = "contract.json"\n'


def test_a_party_asks_with_its_own_file(room: object, folder: Path) -> None:
    config = folder / "asks.toml"
    config.write_text(BASE + 'listen = "0.0.0.0:7"\n[tables]\n"bank_a.t" = "none.csv"\n')
    with connect(config) as opened:
        assert opened.contract.terms.room.name == "tiny"
    assert MemberConfig.load(config).tables["bank_a.t"] == folder / "none.csv"


def test_a_name_with_a_dot_needs_quotes(tmp_path: Path) -> None:
    config = tmp_path / "party.toml"
    config.write_text(BASE + '[tables]\nbank_a.accounts = "x.csv"\n')
    with pytest.raises(ConfigInvalid) as caught:
        MemberConfig.load(config)
    assert '"bank_a.accounts" = ' in caught.value.message


@pytest.mark.parametrize(
    ("line", "named"),
    [("port = 1", "port: unknown key"), ("tables = 3", "tables"), ("[tables]\nx = 3", "tables.x")],
)
def test_what_does_not_belong_is_named(tmp_path: Path, line: str, named: str) -> None:
    config = tmp_path / "party.toml"
    config.write_text(BASE + line + "\n")
    with pytest.raises(ConfigInvalid, match=named):
        MemberConfig.load(config)
