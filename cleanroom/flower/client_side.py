"""A ClientApp in the sandbox: takes messages from the pipe, gives replies or a word of why not.

Rule: the words are those of `failures` and never the app's own, which could tell its rows; those go
to the owner's own log, which is stderr.
"""

import sys
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
from flwr.app import Message
from flwr.clientapp import ClientApp

from cleanroom.flower.failures import word
from cleanroom.flower.frames import Closed, Frame, Pipe
from cleanroom.flower.loading import context, load
from cleanroom.flower.records import NotSummable, content_of, reply_parts

_NOTHING = np.zeros(0)


def run(pipe: Pipe, start: Mapping[str, Any]) -> None:
    """Answer messages until the pipe ends; after a failure, no more."""
    forbidden = _Forbidden()
    try:
        own = context(start)
        app = load(start)
        if not isinstance(app, ClientApp):
            raise _Unusable("component")
        pipe.send(Frame({"ready": True}, _NOTHING))
        while True:
            frame = pipe.receive(start["most_numbers"])
            message = Message(
                content_of(frame.header, frame.numbers), own.node_id, frame.header["type"]
            )
            parts, numbers = reply_parts(_content(app(message, own)))
            pipe.send(Frame({"reply": parts}, numbers))
    except Closed:
        return
    except BaseException as error:  # noqa: BLE001 - the app may raise anything
        traceback.print_exc()
        pipe.send(Frame({"failed": _word(error, forbidden)}, _NOTHING))


def _word(error: BaseException, forbidden: "_Forbidden") -> str:
    if isinstance(error, _Unusable | NotSummable):
        return str(error)
    return forbidden.word(error) or word(error)


def _content(reply: object) -> Any:
    if not isinstance(reply, Message) or not reply.has_content():
        raise _Unusable("reply")
    return reply.content


class _Unusable(Exception):
    """What the app is or gives can't be used; says why by a word of `failures`."""


class _Forbidden:
    """Notes what the app tried last of what the kernel refuses: for the message, not as a bound."""

    def __init__(self) -> None:
        self._last = ""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            self._last = "socket"
        elif event in ("subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system"):
            self._last = "process"

    def word(self, error: BaseException | None) -> str:
        """Return what the kernel refused, if that is what ended the app."""
        while error is not None:
            if isinstance(error, PermissionError):
                if error.filename is not None:
                    return "file"
                return self._last or "forbidden"
            error = error.__cause__ or error.__context__
        return ""
