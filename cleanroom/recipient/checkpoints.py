"""Where a training can go on from, after whoever conducted it has crashed.

Rule: one private file in the job's folder (0600 in 0700), written whole or not at all, and data
alone: named arrays of float64. It belongs to one plan; another plan's is refused by name.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cleanroom.errors import ConfigInvalid, IdentityInvalid
from cleanroom.identity.files import private_folder
from cleanroom.learning.facts import Floats

Round: TypeAlias = Mapping[str, float]
MAX_BYTES = 1 << 30
NAME = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Attributes: rounds: what was known of each round before it."""

    arrays: Mapping[str, Floats]
    rounds: list[Round]


class Checkpoints:
    """The last checkpoint of one training.

    Args:
        folder: of the job; made if it isn't there.

    Raises:
        ConfigInvalid: if the folder is open to others, or can't be used.
    """

    def __init__(self, folder: Path, plan_hash: str) -> None:
        job_folder(folder)
        self._path, self._plan_hash = folder / NAME, plan_hash

    def save(self, arrays: Mapping[str, Floats], rounds: Sequence[Round]) -> None:
        """Replace the checkpoint.

        Args:
            rounds: what is known of each round so far.

        Raises:
            ConfigInvalid: if it can't be written.
        """
        from safetensors.numpy import save

        plain = {name: np.asarray(a, np.float64, order="C") for name, a in arrays.items()}
        said = {"plan": self._plan_hash, "rounds": json.dumps([dict(one) for one in rounds])}
        content = save(plain, metadata=said)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigInvalid(f"cannot write {self._path}: {reason}") from None

    def load(self) -> Checkpoint | None:
        """Return the checkpoint; None if the training hasn't got so far.

        Raises:
            ConfigInvalid: if it is of another plan, or no checkpoint at all.
        """
        from safetensors import SafetensorError, safe_open

        if not self._path.exists():
            return None
        if self._path.stat().st_size > MAX_BYTES:
            raise ConfigInvalid(f"{self._path} is larger than {MAX_BYTES} bytes")
        try:
            with safe_open(self._path, framework="numpy") as file:
                said = file.metadata() or {}
                names = list(file.keys())
                found = {name: np.asarray(file.get_tensor(name)) for name in names}
                rounds = json.loads(said.get("rounds", "[]"))
        except (SafetensorError, OSError, ValueError):
            raise ConfigInvalid(f"{self._path} is no checkpoint") from None
        if said.get("plan") != self._plan_hash:
            remedy = "Name a new folder: job, contract or software differ from when it began."
            raise ConfigInvalid(f"{self._path} is of another training", remedy=remedy)
        return Checkpoint(found, rounds)

    def clear(self) -> None:
        """Remove the checkpoint: the training has ended well."""
        self._path.unlink(missing_ok=True)


def job_folder(folder: Path) -> None:
    """Make a job's folder, if it isn't there.

    Raises:
        ConfigInvalid: if it is open to others, or can't be used.
    """
    try:
        private_folder(folder, create=True)
    except IdentityInvalid as error:
        raise ConfigInvalid(error.message, remedy=error.remedy) from None
