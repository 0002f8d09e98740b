"""Single fields of a file: what a type can't say about them, and how a fault names one."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.errors import ConfigInvalid

NAME = r"^[a-z][a-z0-9_]{0,62}$"
Name = Annotated[str, Field(pattern=NAME)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # 32 bytes


class Strict(BaseModel):
    """Base of a contract's sections; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


def with_port(address: str) -> str:
    """Return the address if its port is one that can be listened on."""
    port = int(address.rpartition(":")[2])
    if not 1 <= port <= 65535:
        raise ValueError("the port is not from 1 to 65535")
    return address


def unreadable(path: Path | str, error: OSError | UnicodeDecodeError) -> ConfigInvalid:
    """Say why a file of text can't be read."""
    if isinstance(error, UnicodeDecodeError):
        return ConfigInvalid(f"{path}: not UTF-8", remedy="Save it as UTF-8.")
    what = f"{path}: cannot be read: {error.strerror or type(error).__name__}"
    return ConfigInvalid(what, remedy="Name a file that is there and that you may read.")


def first_fault(error: ValidationError) -> str:
    """Return the path of the first field that doesn't hold, and why; never its value."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        what = "unknown key"
    if fault["type"] == "missing":
        what = "missing"
    return f"{where}: {what}" if where else what
