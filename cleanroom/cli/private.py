"""Values of private parameters from a file or the terminal, never from the command line.

Rule: what is typed into a shell is kept in its history and shown to whoever lists processes. So
values come from a file of one a line, or are asked for without an echo.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
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


def private_weights(options: Sequence[str]) -> dict[str, dict[str, Decimal]]:
    """Return the weights of each NAME=FILE, by value: a weight and a value on each line."""
    found: dict[str, dict[str, Decimal]] = {}
    for option in options:
        name, _, path = option.partition("=")
        if not name.isidentifier() or name in found or not path:
            raise typer.BadParameter("--weights takes each NAME once, as NAME=FILE")
        found[name] = dict(_weights(Path(path)))
    return found


def _weights(path: Path) -> Iterator[tuple[str, Decimal]]:
    seen: set[str] = set()
    for place, line in enumerate(_lines(path), start=1):
        weight, space, value = line.partition(" ")
        try:
            if not space or value in seen:
                raise ValueError
            seen.add(value)
            yield value, Decimal(weight)
        except (InvalidOperation, ValueError):
            what = f"{path}: line {place} is not a weight, a space, and a value of its own"
            raise ConfigInvalid(what, remedy="Write lines like '3 DE' or '-2.5 FR'.") from None


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
