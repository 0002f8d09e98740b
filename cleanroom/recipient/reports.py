"""A room as one of its members holds it in Python: what was released, as a page for people.

Rule: results that this member has, the texts that were asked as all members signed them, and by
which rules they were released; nothing is asked again, and nothing that was withheld is guessed.
"""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from cleanroom.contract.document import Contract
from cleanroom.errors import ConfigInvalid
from cleanroom.page import document
from cleanroom.recipient.charts import DASH, Bars, Grid
from cleanroom.recipient.result import Result
from cleanroom.recipient.standing import Standing
from cleanroom.session.statements import Request

MAX_ROWS = 1000  # of one table on the page


@dataclass(frozen=True, slots=True)
class Section:
    """One released result on the page.

    Attributes:
        chart: above the table; None for the table alone.
        text: what a reader should know, in plain words.
    """

    heading: str
    result: Result
    chart: Bars | Grid | None = None
    text: str = ""


class Reports(Standing):
    """Released results, for people to read."""

    def report(self, path: Path | str, title: str, sections: Sequence[Section]) -> None:
        """Write one HTML file, readable by itself: charts, tables, and how each was released.

        It has no scripts and loads nothing; texts of results, queries and contract are shown and
        never obeyed. It is as confidential as the results.

        Raises:
            NotAuthorised, MessageInvalid: if the receipt of a result isn't of this room.
            UnsupportedQuery: if a chart names a column that its result doesn't have.
            TypeError: if a section holds anything but a result: rows alone have no receipt.
            ConfigInvalid: if the file can't be written.
        """
        if not all(isinstance(section.result, Result) for section in sections):
            raise TypeError("a section's result is what room.sql or the like returned, a Result")
        contract = self.contract
        body = [_head(contract, self._client.name, title)]
        body += [part for section in sections for part in _section(section, contract)]
        try:
            Path(path).write_text(document("\n".join(body), title), encoding="utf-8")
        except OSError as error:
            remedy = "Name a file in a folder that is there."
            raise ConfigInvalid(f"cannot write {path}: {error.strerror}", remedy=remedy) from None


def _head(contract: Contract, reader: str, title: str) -> str:
    terms = contract.terms
    facts = {
        "For": reader,
        "Room": f"{terms.room.name}, version {terms.room.version}",
        "Purpose": terms.room.purpose,
        "Lawful basis": terms.room.lawful_basis,
        "Members": ", ".join(terms.members),
        "Contract (SHA-256)": contract.hash,
    }
    rows = (f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts.items())
    return f"<h1>{escape(title)}</h1>\n<table>{''.join(rows)}</table>"


def _section(section: Section, contract: Contract) -> Iterator[str]:
    result = section.result
    statements = result.receipt.verify(contract)
    (request,) = (one for one in statements if isinstance(one, Request))
    table = result.to_arrow()
    yield f"<h2>{escape(section.heading)}</h2>"
    if section.text:
        yield f"<p>{escape(section.text)}</p>"
    if section.chart is not None:
        yield f"<figure>{section.chart.svg(result.to_pandas(), section.heading)}</figure>"
    yield _table(table.column_names, [column.to_pylist() for column in table.columns])
    yield f"<p>{escape(' '.join(_released(result, request)))}</p>"
    yield f"<details><summary>What was asked</summary><pre>{escape(request.sql)}</pre></details>"


def _table(names: list[str], columns: list[list[Any]]) -> str:
    """Write rows with their exact values."""
    rows = list(zip(*columns, strict=True))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    lines = ("".join(map(_cell, row)) for row in rows[:MAX_ROWS])
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    more = f"<p>{len(rows) - MAX_ROWS:,} further rows are not on this page.</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return table + (more if len(rows) > MAX_ROWS else "")


def _cell(value: Any) -> str:
    match value:
        case None:
            return f"<td>{DASH}</td>"
        case float() if math.isnan(value):
            return f"<td>{DASH}</td>"
        case float():
            told = f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
            return f'<td class="number">{told}</td>'
        case Decimal():
            return f'<td class="number">{value:,f}</td>'
        case int() if not isinstance(value, bool):
            return f'<td class="number">{value}</td>'  # 10234 may be a name
    return f"<td>{escape(str(value))}</td>"


def _released(result: Result, request: Request) -> Iterator[str]:
    """Say by which rules it was opened, what isn't in it, and when it was asked."""
    privacy, rules = result.privacy, []
    if privacy["threshold"] > 1:
        rules.append(f"at least {privacy['threshold']} persons behind every group")
    if "epsilon" in privacy:
        rules.append(f"noisy, epsilon {privacy['epsilon']:g}")
    yield f"Released under {', '.join((privacy['kind'], *rules))}."
    yield from _errors(result)
    left_out = str(result.withheld)
    yield f"{left_out[:1].upper()}{left_out[1:]}."
    if result.withheld:
        yield f"What is missing, or shown as {DASH}, is withheld or doesn't exist."
    if result.more:
        yield "More rows match than open."
    if result.without:
        yield f"Without {', '.join(result.without)}."
    if request.purpose:
        yield f"For the purpose {request.purpose}."
    asked = dt.datetime.fromtimestamp(request.issued_at, dt.UTC)
    yield f"Asked {asked:%Y-%m-%d %H:%M} UTC; receipt (SHA-256) {result.receipt.digest}."


def _errors(result: Result) -> Iterator[str]:
    """Say how far noise moved what was opened."""
    errors = result.privacy.get("standard_errors", {}).items()
    if errors:
        yield f"Standard errors: {', '.join(f'{what} {error:.4g}' for what, error in errors)}."
    for name, error in result.standard_errors.items():
        if math.inf in (error if isinstance(error, tuple) else (error,)):
            yield f"Noise may have made up values of {name}: their error is infinite."
