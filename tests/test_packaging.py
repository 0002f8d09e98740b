"""What a user installs: exactly two packages, instant to import, with no back doors."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cleanroom.demo import examples

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for name in ("cleanroom", "protocols") for p in (ROOT / name).rglob("*.py"))
FORBIDDEN = {"pickle", "cloudpickle", "marshal", "shelve", "random"}


def test_the_wheel_holds_exactly_the_two_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cleanroom", "protocols"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.name.startswith("pets_cleanroom-")
    assert _examples_of(wheel, tmp_path / "installed") == examples.names()


def _examples_of(wheel: Path, folder: Path) -> tuple[str, ...]:
    """Return the examples that a program finds, and can load, where nothing but the wheel is."""
    zipfile.ZipFile(wheel).extractall(folder)
    program = (
        "from cleanroom.demo import examples\n"
        f"assert str(examples.folder()).startswith({str(folder)!r})\n"
        "for name in examples.names():\n"
        "    assert callable(examples.load(name))\n"
        "    print(name)"
    )
    away = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-P", "-c", program]
    ran = subprocess.run(command, cwd=folder, env=away, check=True, capture_output=True, text=True)
    return tuple(ran.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, cleanroom, protocols\n"
        "heavy = {'pandas', 'numpy', 'grpc', 'duckdb', 'sqlglot', 'numba', 'tenseal'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled_or_evaluated(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile", "__import__"}
        if isinstance(node, ast.ExceptHandler):
            kinds = ast.dump(node.type) if node.type else "everything"
            swallowed = all(isinstance(child, ast.Pass) for child in node.body)
            assert not ("Exception'" in kinds and swallowed)
