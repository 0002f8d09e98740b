"""The answers of one party that had all banks' rows: DuckDB, and NumPy for scores that flow."""

import duckdb
import numpy as np
import pandas as pd

from examples.aml.world import Tables, World

DAMPING = 0.5  # as the contract's
Cells = list[tuple[str, ...]]


def database(tables: Tables, columns: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """Hold all rows in one plain DuckDB.

    Args:
        columns: of the contract, as `Room.tables` tells them.
    """
    connection = duckdb.connect()
    for name, parts in tables.items():
        typed = columns[(columns.table == name) & (columns.column != "member")]
        named = zip(typed.column, typed.type, strict=True)
        casts = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in named)
        rows = pd.concat([part.assign(member=bank) for bank, part in parts.items()])
        connection.register("given", rows)
        made = f"CREATE TABLE {name} AS SELECT {casts}, member FROM given"  # noqa: S608
        connection.execute(made)
        connection.unregister("given")
    return connection


def own_part(sql: str, own: str) -> str:
    """Return a gate's text that keeps those rows alone for which `own` holds."""
    conditions, order = sql.split("ORDER BY")
    return f"{conditions} AND {own} ORDER BY {order}"


def cells(rows: pd.DataFrame) -> Cells:
    """Return rows as texts, in one order."""
    texts = rows.map(lambda value: f"{value:.2f}" if isinstance(value, float) else str(value))
    return sorted(texts.itertuples(index=False, name=None))


def scores(world: World, rounds: int) -> "pd.Series[float]":
    """Return every account's score after some rounds of risk that flows along payments."""
    place = pd.Series(np.arange(len(world.accounts)), index=world.accounts.id)
    src, dst = (place[world.payments[end]].to_numpy() for end in ("src", "dst"))
    amount, found = world.payments.amount.to_numpy(), world.accounts.score.to_numpy()
    came = np.bincount(dst, amount, len(place))
    for _ in range(rounds):
        flown = np.bincount(dst, amount / came[dst] * found[src], len(place))
        found = (1 - DAMPING) * found + DAMPING * flown
    return pd.Series(found, index=place.index)


def reached(world: World, hops: int) -> set[int]:
    """Return the accounts that money reached from one with a score, over so many payments."""
    found = set(world.accounts.id[world.accounts.score > 0])
    for _ in range(hops):
        found |= set(world.payments.dst[world.payments.src.isin(found)])
    return found
