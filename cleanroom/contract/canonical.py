"""The one byte string that a contract's terms have, whoever writes them.

Rule: from checked values to JSON values. The order of members, tables and columns is part of
what is agreed (it gives the computing members their ranks), so mappings keep it. Everything that
JSON readers disagree on, decimals, floats and dates, is text.
"""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from cleanroom.contract.terms import Terms

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def plain(terms: Terms) -> Json:
    """Return terms as JSON values, with every default written out; `Terms.of` reads them back."""
    return _plain(terms.model_dump(exclude_none=True))


def compact(value: Json) -> bytes:
    """Return the canonical bytes of JSON values: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def readable(value: Json) -> bytes:
    """Return the bytes of a document file: UTF-8, indented, one final newline."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _plain(value: object) -> Json:
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case Enum():
            return str(value.value)
        case bool() | int() | str():
            return value
        case float() | Decimal():
            return str(value)
        case dt.date():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")
