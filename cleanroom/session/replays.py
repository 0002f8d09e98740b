"""Requests that are accepted once: not twice, not late, and none of before this process."""

import time
from collections import OrderedDict

from cleanroom.errors import RequestReplayed
from cleanroom.session.statements import Request

MAX_AGE_S = 300


class Replays:
    """The sessions seen within the time in which a request is accepted.

    What was seen before this process started is forgotten, so older requests are refused.
    """

    def __init__(self, started_at: float = 0.0) -> None:
        self._started_at = int(started_at)
        self._seen: OrderedDict[str, float] = OrderedDict()  # oldest first

    def check(self, request: Request, now: float | None = None) -> None:
        """Accept a request's session once.

        Raises:
            RequestReplayed: if it was seen before, was issued too long ago or ahead, or before
                this process started.
        """
        now = time.time() if now is None else now
        if abs(now - request.issued_at) > MAX_AGE_S:
            what = f"issued more than {MAX_AGE_S} s from this member's time"
            raise RequestReplayed(what, party=request.recipient)
        if request.issued_at < self._started_at:
            raise RequestReplayed("issued before this member's process", party=request.recipient)
        while self._seen and now - next(iter(self._seen.values())) > 2 * MAX_AGE_S:
            self._seen.popitem(last=False)
        if request.session in self._seen:
            raise RequestReplayed("the session was seen before", party=request.recipient)
        self._seen[request.session] = now
