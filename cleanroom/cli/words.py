"""How values read on a terminal.

Rule: pure functions from values to text, and the width of the screen.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_UNBOUNDED = 100_000  # columns, where no terminal sets a limit


def printable(text: str) -> str:
    """Replace what a terminal would obey or hide, as in a contract that others wrote."""
    shown = (char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}"
             for char in text)
    return "".join(shown)


def listed(items: Iterable[str]) -> str:
    """Join as prose: 'a', 'a and b', 'a, b and c'; 'nobody' if there is none."""
    *others, last = list(items) or ["nobody"]
    return f"{', '.join(others)} and {last}" if others else last


def wide_console(least: int = 1) -> "Console":
    """Return a console as wide as the terminal, or without limit if there is none.

    Args:
        least: columns below which a table would lose some.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.width = max(console.width, least) if console.is_terminal else _UNBOUNDED
    return console
