"""The examples by name: three jobs, each a folder with a script `run.py` that has `main`.

Rule: finds and loads them where they are, beside the package in a checkout or inside the installed
one; a script imports its neighbours as `examples.NAME.data`, whichever it is.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

from cleanroom.errors import DataMismatch, UnknownName

Main = Callable[[Path | None, Path], bool]

PACKAGE = Path(__file__).parents[1]
EXTRA = "pip install 'pets-cleanroom[demo]'"


def folder() -> Path:
    """Return where the examples are: in the installed package, else beside it in the checkout."""
    installed = PACKAGE / "examples"
    return installed if installed.is_dir() else PACKAGE.parent / "examples"


def names() -> tuple[str, ...]:
    """Return all examples that can be run."""
    return tuple(sorted(script.parent.name for script in folder().glob("*/run.py")))


def load(name: str) -> Main:
    """Return `main(data, output)` of an example, which tells whether all answers were right.

    Raises:
        UnknownName: naming the examples that there are.
        DataMismatch: naming a package that the example needs and that isn't installed.
    """
    known = names()
    if name not in known:
        raise UnknownName(f"no example {name!r}", remedy=f"Use one of: {', '.join(known)}.")
    package = module_from_spec(ModuleSpec("examples", None, is_package=True))
    package.__path__ = [str(folder())]
    sys.modules["examples"] = package
    try:
        main: Main = import_module(f"examples.{name}.run").main
    except ModuleNotFoundError as error:
        missing = f"the example {name!r} needs the package {error.name!r}, which is not installed"
        raise DataMismatch(missing, remedy=f"Install the demo's packages: {EXTRA}.") from None
    return main


def run(name: str, data: Path | None, output: Path) -> bool:
    """Run an example on its own made-up rows, or on the files of a folder; write figures.

    Raises:
        UnknownName, DataMismatch: as `load`; DataMismatch also if one of the folders isn't one.
    """
    main = load(name)
    if data is not None and not data.is_dir():
        raise DataMismatch(
            f"the folder of data {str(data)!r} doesn't exist", remedy="Name another."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"can't write into {str(output)!r}: {error.strerror}"
        raise DataMismatch(problem, remedy="Name another folder.") from None
    return main(data, output)
