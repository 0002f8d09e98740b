"""Values of private parameters from a file or the terminal, never from the command line.

Rule: what is typed into a shell is kept in its history and shown to whoever lists processes. So
values come from a file of one a line, or are asked for without an echo.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from cleanroom.errors import ConfigInvalid

MAX_BYTES = 16 << 20


def private_values(options: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each NAME=FILE, or NAME alone, which asks for them."""
    found: dict[str, list[str]] = {}
    for option in options:
        name, given, path = option.partition("=")
        if not name.isidentifier() or name in found or (given and not path):
            raise typer.BadParameter("--private takes each NAME once, as NAME=FILE or NAME")
        found[name] = list(_lines(Path(path)) if given else _asked(name))
    return found


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigInvalid(f"{path} has over {MAX_BYTES} bytes of private values")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        remedy = "Name a file of one value a line."
        raise ConfigInvalid(f"cannot read {path}: {why}", remedy=remedy) from None
    return (line for line in text.splitlines() if line)


def _asked(name: str) -> Iterator[str]:
    text = f"{name}: a value, or nothing to end"
    while line := typer.prompt(text, default="", show_default=False, hide_input=True, err=True):
        yield str(line)
