"""The product: rooms in which organisations compute together without showing their rows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanroom.local.arms import compare, pooled
    from cleanroom.local.room import LocalRoom
    from cleanroom.models.files import load_model
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room, connect
    from cleanroom.recipient.trained import Trained

__all__ = ["LocalRoom", "Result", "Room", "Trained", "compare", "connect", "load_model", "pooled"]

_HOMES = {
    "LocalRoom": "local.room",
    "Result": "recipient.result",
    "Room": "recipient.room",
    "Trained": "recipient.trained",
    "compare": "local.arms",
    "connect": "recipient.room",
    "load_model": "models.files",
    "pooled": "local.arms",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that `import cleanroom` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cleanroom' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"cleanroom.{_HOMES[name]}"), name)
