"""The first lines of a contract between members that exist in tests alone."""

import datetime as dt
from typing import Any


def head(name: str, port: int) -> dict[str, Any]:
    """Return a contract's `room` and `coordinator`, as dicts of the shape of the TOML file."""
    return {
        "room": {
            "name": name,
            "version": 1,
            "purpose": "tests",
            "lawful_basis": "mock data",
            "retention_days": 1,
            "expires": dt.date(2099, 1, 1),
        },
        "coordinator": {"address": f"127.0.0.1:{port}"},
    }
