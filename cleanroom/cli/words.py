"""How values read on a terminal.

Rule: pure functions from values to text.
"""

from collections.abc import Iterable


def printable(text: str) -> str:
    """Replace what a terminal would obey or hide, as in a contract that others wrote."""
    shown = (char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}"
             for char in text)
    return "".join(shown)


def listed(items: Iterable[str]) -> str:
    """Join as prose: 'a', 'a and b', 'a, b and c'; 'nobody' if there is none."""
    *others, last = list(items) or ["nobody"]
    return f"{', '.join(others)} and {last}" if others else last
