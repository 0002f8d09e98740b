"""The commands with real files: a room from four identities to a contract that all signed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanroom.cli import app, main
from cleanroom.cli.words import listed, printable
from cleanroom.contract.document import Contract
from cleanroom.errors import ContractInvalid

MEMBERS = ("bank_c", "bank_a", "bank_b", "analyst")


def _run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def _main(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Run the whole command in this process; return its exit code and what it says on stderr."""
    before = sys.argv
    sys.argv = ["cleanroom", *map(str, words)]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.fixture
def room(tmp_path: Path, toml: str) -> Path:
    """Return a folder with identities and a contract that nobody has signed."""
    (tmp_path / "room.toml").write_text(toml, encoding="utf-8")
    words: list[object] = []
    for name in (*MEMBERS, "coordinator"):
        _run("identity", "create", name, "--folder", tmp_path / name)
        words += ["--identity", tmp_path / name / "identity.json"]
    said = _run(
        "contract", "new", tmp_path / "room.toml", *words, "--output", tmp_path / "room.contract"
    )
    assert "not yet signed by bank_c, bank_a, bank_b and analyst" in said
    assert "Warning" not in said
    return tmp_path


def test_signing_in_turn_makes_a_contract_that_holds(room: Path) -> None:
    contract = room / "room.contract"
    for name in MEMBERS:
        said = _run("contract", "sign", contract, "--identity", room / name)
    assert "signed by all members" in said
    assert Contract.load(contract).hash in _run("contract", "verify", contract)


def test_nobody_signs_before_it_is_said_who_is_a_controller(room: Path, toml: str) -> None:
    (room / "silent.toml").write_text(toml.replace('acts_as = "processor"\n', ""), "utf-8")
    words: list[object] = []
    for name in (*MEMBERS, "coordinator"):
        words += ["--identity", room / name / "identity.json"]
    _run("contract", "new", room / "silent.toml", *words, "--output", room / "silent")
    signing = ["contract", "sign", str(room / "silent"), "--identity", str(room / "bank_a")]
    done = CliRunner().invoke(app, signing)
    assert isinstance(done.exception, ContractInvalid)
    assert done.exception.message == "members.analyst.acts_as: missing"
    assert not Contract.load(room / "silent").signatures


def test_copies_signed_apart_are_merged(room: Path) -> None:
    contract, signed = room / "room.contract", [room / f"{name}.signed" for name in MEMBERS]
    for name, output in zip(MEMBERS, signed, strict=True):
        _run("contract", "sign", contract, "--identity", room / name, "--output", output)
    assert not Contract.load(contract).signatures
    _run("contract", "merge", *signed, "--output", contract)
    _run("contract", "verify", contract)


def test_show_says_who_may_learn_what(room: Path) -> None:
    contract = room / "room.contract"
    _run("contract", "sign", contract, "--identity", room / "bank_a")
    said = " ".join(_run("contract", "show", contract).split())
    for words in (
        "joint-screening, version 1",
        "result │ processor │ nowhere",
        "bank-a.example:7101",
        "[::1]:7102",
        "DOES NOT HOLD: signatures.bank_c: the member has not signed",
        "sdc: every cell rests on at least 10 persons; further groups are withheld where totals",
        "totals of a federated table are of at least 3 owners besides the recipient",
        "Table transactions of bank_a, bank_b and bank_c",
        "analyst: group, filter",
        "may learn the values, as names of groups, of bank_a.accounts.segment",
        "may use, unseen, to match rows by bank_a.accounts.customer_id",
        Contract.load(contract).identities["bank_b"].fingerprint,
        Contract.load(contract).hash,
    ):
        assert words in said


def test_show_neutralises_what_a_terminal_would_obey(room: Path, toml: str) -> None:
    hostile = toml.replace("Legal obligation", "\\u001b[2J \\u202e [red]Legal")
    (room / "hostile.toml").write_text(hostile, encoding="utf-8")
    words: list[object] = []
    for name in (*MEMBERS, "coordinator"):
        words += ["--identity", room / name]
    _run("contract", "new", room / "hostile.toml", *words, "--output", room / "hostile")
    said = _run("contract", "show", room / "hostile")
    assert "\x1b[2J" not in said
    assert "\u202e" not in said
    assert "[red]Legal" in said


def test_show_says_what_becomes_of_results_and_who_can_rebuild_rows(room: Path) -> None:
    said = " ".join(_run("contract", "show", room / "room.contract").split())
    assert "totals would tell one; counts are rounded to the nearest multiple of 5" in said
    assert "two of three shares" in said


def test_terms_that_run_no_query_are_told(room: Path, toml: str) -> None:
    lines = toml.replace('"input", "computing"', '"input"').splitlines()
    alone = [line for line in lines if not line.startswith("address = ") or ":7100" in line]
    (room / "alone.toml").write_text("\n".join(alone), encoding="utf-8")
    words: list[object] = []
    for name in (*MEMBERS, "coordinator"):
        words += ["--identity", room / name]
    said = _run("contract", "new", room / "alone.toml", *words, "--output", room / "alone")
    assert "Warning: no query can run yet: no members compute" in " ".join(said.split())


def test_identity_show_gives_the_words_to_compare(room: Path) -> None:
    words = Contract.load(room / "room.contract").identities["analyst"].fingerprint
    assert words in _run("identity", "show", room / "analyst")
    assert words in _run("identity", "show", room / "analyst" / "identity.json")


def test_a_refusal_is_one_paragraph_and_code_2(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _main(capsys, "contract", "verify", room / "room.contract")
    assert code == 2
    assert said.startswith("cleanroom: contract-invalid [bank_c]: signatures.bank_c")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("contract", "show", "none"), "cannot read none"),
        (("contract", "show", "none"), "Remedy: Name a contract's file."),
        (("contract", "show", "room.toml"), "'cleanroom contract new'"),
        (("contract", "verify", "room.toml"), "contract-invalid"),
        (("contract", "sign", "room.contract", "--identity", "none"), "identity-invalid"),
        (("contract", "sign", "room.contract", "--identity", "coordinator", "--output", "no/x"),
         "cannot write"),
        (("contract", "new", "room.toml", "--identity", "analyst", "--output", "x"),
         "identities.bank_c: missing"),
        (("contract", "new", "room.toml", "--identity", "analyst", "--identity", "analyst",
          "--output", "x"), "identities.analyst: given twice"),
        (("identity", "create", "analyst", "--folder", "analyst"), "exists already"),
        (("identity", "create", "An Analyst", "--folder", "x"), "name: "),
        (("identity", "show", "."), "identity.json"),
    ],
)  # fmt: skip
def test_every_refusal_names_its_cause(
    room: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(room)
    code, said = _main(capsys, *words)
    assert code == 2
    assert named in said
    assert "Traceback" not in said


def test_a_contract_is_not_overwritten_by_a_draft(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[object] = []
    for name in (*MEMBERS, "coordinator"):
        words += ["--identity", room / name]
    contract = room / "room.contract"
    code, said = _main(capsys, "contract", "new", room / "room.toml", *words, "--output", contract)
    assert code == 2
    assert "exists already" in said


def test_ctrl_c_ends_with_code_130() -> None:
    script = (
        "import os, signal, cleanroom.cli as cli\n"
        "@cli.app.command()\n"
        "def stop() -> None: os.kill(os.getpid(), signal.SIGINT); signal.pause()\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "stop"], capture_output=True, text=True, timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_help_does_not_load_the_room() -> None:
    script = "import sys, cleanroom.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"pydantic", "cryptography", "numpy", "pandas", "duckdb", "grpc", "sqlglot"}


def test_words_for_terminals() -> None:
    assert printable("a\x1b[0m\u202eb\n") == "a\ufffd[0m\ufffdb\n"
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "nobody", "a", "a and b", "a, b and c",
    ]  # fmt: skip
