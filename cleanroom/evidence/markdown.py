"""Markdown that says what it was given: text of a contract can't become markup, links or HTML.

Rule: whatever wasn't written in this package goes through `plain` or `code`.
"""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LEADING = re.compile(r"^(\d+(?=[.)](\s|$)))?([-+=.)])")


def plain(text: object) -> str:
    """Return text on one line, without anything that Markdown or a terminal would obey."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    escaped = _SPECIAL.sub(r"\\\1", " ".join(shown.split()))
    return _LEADING.sub(r"\1\\\3", escaped)


def code(name: str) -> str:
    """Return a name of the contract, in which no backtick can be."""
    return f"`{name}`"


def blank(what: str) -> str:
    """Return a place that a person has to fill in, and what belongs there."""
    return f"**TO BE FILLED IN:** {what}"


def bullets(lines: Iterable[str]) -> str:
    """Return a list, or that there is nothing."""
    return "\n".join(f"* {line}" for line in lines) or "* none"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def document(title: str, parts: Iterable[tuple[str, str]]) -> str:
    """Return a whole text: its title, then headings with what stands below each."""
    blocks = [f"# {title}"]
    for heading, content in parts:
        blocks += [f"## {heading}", content] if heading else [content]
    return "\n\n".join(blocks) + "\n"
