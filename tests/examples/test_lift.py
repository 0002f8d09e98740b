"""The lift of joint features, on few accounts: a room finds what plaintext finds."""

from pathlib import Path

import pytest

from examples.aml.data import generate
from examples.lift import contract, features, run


def test_a_room_finds_what_plaintext_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *_, last = features.SPREAD
    for module in (contract, features, run):
        monkeypatch.setattr(module, "SPREAD", (first, last))
    assert run.study(generate(300, each=2), tmp_path, seeds=2, trees=3)
    said = capsys.readouterr().out
    assert "federated, joint features" in said
    assert "equal: yes" in said
    assert (tmp_path / "lift.png").read_bytes().startswith(b"\x89PNG")
