"""Small files, read bounded and written whole; private ones are never readable by others.

Rule: modes, sizes and system calls. What the bytes mean is decided by the caller.
"""

import os
import stat
from pathlib import Path

from cleanroom.errors import CleanroomError, IdentityInvalid

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_bounded(path: Path, limit_bytes: int, fault: type[CleanroomError]) -> bytes:
    """Return the bytes of a file of at most `limit_bytes`; anything else raises `fault`."""
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise fault(f"cannot read {path}: {_reason(error)}") from None
    if len(content) > limit_bytes:
        raise fault(f"{path} is larger than {limit_bytes} bytes")
    return content


def read_private(path: Path, limit_bytes: int) -> bytes:
    """Return the bytes of a file that its owner alone may read.

    The mode is asked of the open file, so that it can't be exchanged in between.

    Raises:
        IdentityInvalid: if it is missing, too large, or others have any permission on it.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise IdentityInvalid(
                    f"{path} may be read or written by others",
                    remedy=f"Set its mode with 'chmod 600 {path}'; replace the keys if in doubt.",
                )
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise IdentityInvalid(f"cannot read {path}: {_reason(error)}") from None
    if len(content) > limit_bytes:
        raise IdentityInvalid(f"{path} is larger than {limit_bytes} bytes")
    return content


def private_folder(folder: Path, *, create: bool) -> None:
    """Demand, or first make, a folder that its owner alone may enter (0700)."""
    try:
        if create:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        remedy = "Name a folder that is there, or that can be made."
        what = f"cannot use folder {folder}: {_reason(error)}"
        raise IdentityInvalid(what, remedy=remedy) from None
    if not stat.S_ISDIR(mode) or mode & _OTHERS:
        raise IdentityInvalid(
            f"{folder} is not a folder that its owner alone may enter",
            remedy=f"Set its mode with 'chmod 700 {folder}', or name a new folder.",
        )


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Create a file with its final mode from the first byte on; an existing one is kept.

    Raises:
        IdentityInvalid: if it exists already or can't be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise IdentityInvalid(
            f"{path} exists already and is not overwritten",
            remedy="Name another folder, or remove the old identity on purpose.",
        ) from None
    except OSError as error:
        raise IdentityInvalid(f"cannot write {path}: {_reason(error)}") from None


def replace(path: Path, content: bytes, fault: type[CleanroomError]) -> None:
    """Write a public file whole or not at all; a reader never sees a part of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise fault(f"cannot write {path}: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
