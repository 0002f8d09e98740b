"""The product: rooms in which organisations compute together without showing their rows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanroom.frames.frame import Frame
    from cleanroom.frames.functions import col, count, lit, private, rank, row_number, when
    from cleanroom.local.arms import compare, pooled
    from cleanroom.local.room import LocalRoom
    from cleanroom.models.files import load_model
    from cleanroom.recipient.charts import Bars, Grid
    from cleanroom.recipient.report_file import ReportFile
    from cleanroom.recipient.reports import Section
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room, connect
    from cleanroom.recipient.trained import Trained

__all__ = [
    "Bars",
    "Frame",
    "Grid",
    "LocalRoom",
    "ReportFile",
    "Result",
    "Room",
    "Section",
    "Trained",
    "col",
    "compare",
    "connect",
    "count",
    "lit",
    "load_model",
    "pooled",
    "private",
    "rank",
    "row_number",
    "when",
]

_HOMES = {
    "Bars": "recipient.charts",
    "Frame": "frames.frame",
    "Grid": "recipient.charts",
    "LocalRoom": "local.room",
    "ReportFile": "recipient.report_file",
    "Result": "recipient.result",
    "Room": "recipient.room",
    "Section": "recipient.reports",
    "Trained": "recipient.trained",
    "compare": "local.arms",
    "connect": "recipient.room",
    **dict.fromkeys(
        ("col", "count", "lit", "private", "rank", "row_number", "when"), "frames.functions"
    ),
    "load_model": "models.files",
    "pooled": "local.arms",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that `import cleanroom` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cleanroom' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"cleanroom.{_HOMES[name]}"), name)
