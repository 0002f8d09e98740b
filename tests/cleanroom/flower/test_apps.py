"""The code that is approved is the code that runs."""

import hashlib
import shutil
from pathlib import Path

import flower_app
import pytest
from typer.testing import CliRunner

from cleanroom.cli import app as command
from cleanroom.config import MemberConfig
from cleanroom.errors import AppRefused
from cleanroom.flower import apps
from cleanroom.flower.apps import App, Approved, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(flower_app.FOLDER, tmp_path / "app"))


def test_components_and_settings_are_those_of_pyproject() -> None:
    code = flower_app.CODE
    assert (code.client, code.server) == ("tumours.client_app:app", "tumours.server_app:app")
    assert code.config["local.rate"] == 0.3


def test_without_pyproject_modules_are_found_by_name(tmp_path: Path) -> None:
    for name in "client_app.py", "server_app.py":
        (tmp_path / name).write_text("app = None")
    assert read(tmp_path).client == "client_app:app"
    whole = hashlib.sha256(b"pets-cleanroom flower app 1\n")
    for part in b"client_app.py", b"app = None", b"server_app.py", b"app = None":
        whole.update(len(part).to_bytes(8, "little") + part)
    assert read(tmp_path).sha256 == whole.hexdigest()


def test_the_hash_covers_paths_and_contents_but_not_caches(folder: Path) -> None:
    sha256 = read(folder).sha256
    assert sha256 == flower_app.CODE.sha256
    (folder / "tumours" / "__pycache__").mkdir(exist_ok=True)
    (folder / "tumours" / "__pycache__" / "task.pyc").write_bytes(b"x")
    (folder / ".git").mkdir()
    assert read(folder).sha256 == sha256
    (folder / "empty.py").touch()
    assert read(folder).sha256 != sha256


def test_what_runs_is_what_was_hashed(folder: Path, tmp_path: Path) -> None:
    code = read(folder)
    (folder / "tumours" / "task.py").write_text("evil = True")
    (tmp_path / "copy").mkdir()
    code.write(tmp_path / "copy")
    assert read(tmp_path / "copy").sha256 == code.sha256 == flower_app.CODE.sha256


def test_approval_is_by_name_and_hash(folder: Path) -> None:
    mine = Approved()
    sha256 = read(folder).sha256
    mine.add({"tumours": App(folder=folder, sha256=sha256)})
    assert mine.find("tumours", sha256)[1].sha256 == sha256
    with pytest.raises(AppRefused, match="no app 'other' is approved"):
        mine.find("other", sha256)
    with pytest.raises(AppRefused, match="other code of 'tumours' than"):
        mine.find("tumours", "0" * 64)
    (folder / "tumours" / "task.py").write_text("import os")
    with pytest.raises(AppRefused, match="changed after it was approved"):
        mine.find("tumours", sha256)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "link.py").symlink_to("/etc/passwd"), "can't be read: OSError"),
        (lambda f: (f / "folder").symlink_to("/etc"), "a link in it"),
        (lambda f: (f / "pyproject.toml").unlink(), "without an app"),
        (lambda f: (f / "pyproject.toml").write_text("]"), "isn't TOML"),
        (lambda f: shutil.rmtree(f), "can't be read: FileNotFoundError"),
    ],
)
def test_a_folder_is_refused(spoil: object, said: str, folder: Path) -> None:
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(AppRefused, match=said):
        read(folder)


def test_sizes_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "MAX_FILES", 2)
    with pytest.raises(AppRefused, match="more than 2 files"):
        read(folder)


def test_the_command_prints_what_approves_an_app(folder: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(command, ["app", str(folder)])
    assert said.exit_code == 0
    assert "# tumours/task.py: " in said.stdout
    for name in "identity", "contract":
        (tmp_path / name).touch()
    lines = ["identity = 'identity'", "contract = 'contract'", said.stdout]
    file = tmp_path / "member.toml"
    file.write_text("\n".join(lines))
    assert MemberConfig.load(file).apps["app"].sha256 == flower_app.CODE.sha256
    file.write_text(file.read_text().replace(str(folder), "app") + "log = 'app.log'\n")
    app = MemberConfig.load(file).apps["app"]
    assert (app.folder, app.log) == (folder, tmp_path / "app.log")
