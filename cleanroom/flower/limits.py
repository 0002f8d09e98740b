"""What a member lets an app use up: part of its own file, never of a job."""

from typing import Annotated

from pydantic import Field

from cleanroom.contract.fields import Strict


class Limits(Strict):
    """What an app may use up, from its start to its end.

    Attributes:
        memory_bytes: of address space, libraries included.
        cpu_s: of all its threads and rounds together.
        file_bytes: of each file in its own folder.
        reply_s: until a ClientApp has answered a message, or a ServerApp sends its next.
        start_s: until its code is loaded.
        threads: that numerical libraries may start.
    """

    memory_bytes: Annotated[int, Field(ge=1 << 28)] = 8 << 30
    cpu_s: Annotated[int, Field(ge=1)] = 3600
    file_bytes: Annotated[int, Field(ge=0)] = 1 << 30
    reply_s: Annotated[float, Field(gt=0)] = 600.0
    start_s: Annotated[float, Field(gt=0)] = 120.0
    threads: Annotated[int, Field(ge=1, le=1024)] = 2
