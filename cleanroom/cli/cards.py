"""`cleanroom cards`: every protocol there is, one a line; `cleanroom explain NAME` reads one."""

import re

import typer


def cards() -> None:
    """List every protocol and technique, and how far each may be trusted."""
    from cleanroom.cards.shelf import CARDS

    for card in CARDS.values():
        typer.echo(f"{card.name}: {card.title} ({card.technique}; {card.maturity})")


def is_name(text: str) -> bool:
    """Whether a text is one word, which no query is."""
    return re.fullmatch(r"\w+", text) is not None


def read(name: str) -> None:
    """Print one card."""
    from cleanroom.cards.shelf import card, text

    typer.echo(text(card(name)))
