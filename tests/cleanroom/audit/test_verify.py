"""Logs before the judge: every way to change one is found, with its place."""

import json
from collections.abc import Callable
from pathlib import Path

import audit
import pytest
import tiny_room
from typer.testing import CliRunner

from cleanroom.audit import bundle
from cleanroom.audit.record import Kind, Record
from cleanroom.audit.verify import contradicted
from cleanroom.cli import app
from cleanroom.errors import CleanroomError
from cleanroom.session.member import Membership
from cleanroom.session.statements import new_session

SESSION = new_session()
Lines = list[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("room")


@pytest.fixture(scope="module")
def room(home: Path) -> dict[str, Membership]:
    return tiny_room.make_room(home)


@pytest.fixture(scope="module")
def exported(room, home: Path) -> Path:
    a, b = (audit.witness_of(room[name], home) for name in ("bank_a", "bank_b"))
    about = {"session": SESSION, "who": "analyst"}
    for kind in (Kind.REQUESTED, Kind.RULED, Kind.CHARGED, Kind.FINISHED):
        a.add(Record.now(kind, **about))
        a.add(Record.now(Kind.APPROVED, who="hospital"))
        audit.exchange(a, b)
    path = home / "bank_a.log"
    assert bundle.export(path, room["bank_a"], a._state) == 9
    bundle.export(home / "bank_b.log", room["bank_b"], b._state)
    return path


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", *map(str, words)])
    refused = isinstance(done.exception, CleanroomError)
    return done.exit_code, f"{done.exception}" if refused else done.output


def swapped(lines: Lines) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def edited(lines: Lines) -> None:
    lines[3] = lines[3].replace("hospital", "bank_c")


def edited_with_its_hash(lines: Lines) -> None:
    from protocols.merkle.tree import leaf_hash

    line = json.loads(lines[4])
    line["record"] = line["record"].replace('"at":1', '"at":2')
    line["leaf"] = leaf_hash(line["record"].encode()).hex()
    lines[4] = json.dumps(line) + "\n"


def renumbered(lines: Lines) -> None:
    del lines[4]
    for i in range(1, len(lines)):
        lines[i] = json.dumps(json.loads(lines[i]) | {"index": i - 1}) + "\n"


CHANGES: dict[str, tuple[Callable[[Lines], object], str]] = {
    "deleted": (lambda lines: lines.pop(4), "record 3 is missing"),
    "two deleted": (lambda lines: lines.__delitem__(slice(4, 6)), "records 3 to 4 are missing"),
    "reordered": (swapped, "stands where record"),
    "edited": (edited, "record 2: was edited"),
    "edited with its hash": (edited_with_its_hash, "before record 9: another history"),
    "renumbered": (renumbered, "was cut off"),
    "truncated": (lambda lines: lines.pop(), "after record 7: bank_a has it with 9 records"),
    "doubled": (lambda lines: lines.append(lines[-1]), "record 8: stands where record 9 is due"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_an_exported_log_is_found(change: str, exported, tmp_path: Path) -> None:
    alter, says = CHANGES[change]
    lines = exported.read_text().splitlines(keepends=True)
    alter(lines)
    altered = tmp_path / "altered.log"
    altered.write_text("".join(lines))
    code, said = run("verify", altered)
    assert says in said
    assert code == 1


def test_a_sound_log_is_sound_for_anybody_with_the_contract(exported, home: Path) -> None:
    against = ("--against", home / "bank_b.log", "--contract", home / "contract.json")
    code, said = run("verify", exported, *against)
    assert (code, said) == (0, "bank_a: 9 records, sound; as bank_b saw it\n")
    code, said = run("verify", exported, "--config", home / "bank_b.toml")
    assert (code, said) == (0, "bank_a: 9 records, sound; as bank_b saw it\n")
    code, said = run("verify", "--config", home / "bank_a.toml", *against[:2])
    assert (code, said) == (0, "bank_a: 9 records, sound; as bank_b saw it\n")
    assert run("show", "--config", home / "bank_a.toml", "--kind", "charged")[1].count("analyst")


def test_a_fork_that_its_member_signed_is_found_by_whoever_saw_the_other(
    exported, room, home: Path, tmp_path: Path
) -> None:
    fork = audit.witness_of(room["bank_a"], tmp_path)
    for _ in range(11):
        fork.add(Record.now(Kind.FINISHED))
    forked = tmp_path / "forked.log"
    bundle.export(forked, room["bank_a"], fork._state)
    assert run("verify", forked)[0] == 0
    for held in (("--against", home / "bank_b.log"), ("--config", home / "bank_b.toml")):
        code, said = run("verify", forked, *held)
        assert code == 1
        assert "another history than the one that bank_b has" in said


def test_only_what_is_typed_is_held_against_an_exported_log(
    exported, room, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (audit.witness_of(room[name], tmp_path) for name in ("bank_a", "bank_b"))
    audit.exchange(a, b)
    early, held = tmp_path / "early.log", tmp_path / "bank_b.log"
    bundle.export(early, room["bank_a"], a._state)
    a.add(Record.now(Kind.FINISHED))
    audit.exchange(a, b)
    bundle.export(held, room["bank_b"], b._state)
    monkeypatch.setenv("CLEANROOM_CONFIG", str(home / "bank_b.toml"))
    assert run("verify", early, "--contract", home / "contract.json")[0] == 0
    assert run("verify", early, "--config", home / "bank_b.toml")[0] == 1
    code, said = run("verify", early, "--against", held)
    assert (code, said.count("ask for a newer one")) == (1, 1)


def test_no_file_is_overwritten_and_no_kind_is_made_up(exported, home: Path) -> None:
    config = ("--config", home / "bank_a.toml")
    before = exported.read_bytes()
    code, said = run("export", exported, *config)
    assert (code, exported.read_bytes()) == (1, before)
    assert "exists" in said
    code, said = run("show", *config, "--kind", "bogus")
    assert code == 2
    assert "no kind of record" in said


def test_a_process_tells_whether_others_hold_it_to_another_log() -> None:
    start, blamed = Record.now(Kind.STARTED), Record.now(Kind.DIVERGED, who="bank_a")
    other, ended = (
        Record.now(k, who=w) for k, w in ((Kind.DIVERGED, "b"), (Kind.ACCEPTED, "bank_a"))
    )
    assert contradicted("bank_a", [start, other, blamed, other]) == 2
    for sound in ([start, other], [start, blamed, ended], [start, blamed, start]):
        assert contradicted("bank_a", sound) is None


def test_single_records_stand_by_their_proofs(exported, room, home: Path, tmp_path: Path) -> None:
    some = tmp_path / "some.log"
    words = ("export", some, "--config", home / "bank_a.toml", "--session", SESSION)
    assert "4 records of bank_a" in run(*words)[1]
    assert run("verify", some)[0] == 0
    lines = some.read_text().splitlines(keepends=True)
    line = json.loads(lines[2])
    lines[2] = json.dumps(line | {"index": line["index"] + 1}) + "\n"
    some.write_text("".join(lines))
    code, said = run("verify", some)
    assert code == 1
    assert "isn't proven" in said


def test_a_log_under_another_name_or_contract_is_refused(exported, tmp_path: Path) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    header["checkpoint"]["signer"] = "bank_b"
    other = tmp_path / "other.log"
    other.write_text("".join([json.dumps(header) + "\n", *lines[1:]]))
    code, said = run("verify", other)
    assert code == 1
    assert "log-damaged" in said
    other.write_text("nonsense\n")
    assert "isn't of an exported log" in run("verify", other)[1]
