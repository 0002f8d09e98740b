"""Where a training can go on from, after whoever conducted it has crashed.

Rule: one private file in the job's folder (0600 in 0700), written whole or not at all, and sealed:
a model on its way tells as much as one that is done. Its key is in the state, and is destroyed
when the training ends. Inside is data alone: named arrays of float64.
"""

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cleanroom.errors import ConfigInvalid, IdentityInvalid
from cleanroom.identity.files import private_folder, read_bounded
from cleanroom.learning.facts import Floats
from cleanroom.storage.kept_key import KeptKey
from cleanroom.storage.secret import Place, SealBroken, Secret

Round: TypeAlias = Mapping[str, float]
MAX_BYTES = 1 << 30
NAME = "checkpoint.sealed"
_HEADER = "cleanroom checkpoint v1 {}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Attributes: rounds: what was known of each round before it."""

    arrays: Mapping[str, Floats]
    rounds: list[Round]


class Checkpoints:
    """The last checkpoint of one training.

    Args:
        folder: of the job; made if it isn't there.
        key: of the file.

    Raises:
        ConfigInvalid: if the folder is open to others, or can't be used.
    """

    def __init__(self, folder: Path, plan_hash: str, key: KeptKey) -> None:
        job_folder(folder)
        self._path, self._key = folder / NAME, key
        self._header = _HEADER.format(plan_hash).encode()
        self._secret: Secret | None = None

    def save(self, arrays: Mapping[str, Floats], rounds: Sequence[Round]) -> None:
        """Replace the checkpoint.

        Args:
            rounds: what is known of each round so far.

        Raises:
            ConfigInvalid: if it can't be written.
            TableErased, StateUnavailable: if its key can't be kept.
        """
        from safetensors.numpy import save

        plain = {name: np.asarray(a, np.float64, order="C") for name, a in arrays.items()}
        said = json.dumps([dict(one) for one in rounds]).encode()
        content = struct.pack(">Q", len(said)) + said + save(plain)
        sealed = self._opened().seal(content, self._place)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(self._header + sealed)
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
        from safetensors import SafetensorError
        from safetensors.numpy import load

        if not self._path.exists():
            return None
        written = read_bounded(self._path, MAX_BYTES, ConfigInvalid)
        if not written.startswith(self._header):
            if not written.startswith(_HEADER.format("").encode().rstrip()):
                raise ConfigInvalid(f"{self._path} is no checkpoint")
            remedy = "Name a new folder: job, contract or software differ from when it began."
            raise ConfigInvalid(f"{self._path} is of another training", remedy=remedy)
        try:
            content = self._opened().unseal(written[len(self._header) :], self._place)
            (length,) = struct.unpack_from(">Q", content)
            rounds = json.loads(content[8 : 8 + length])
            return Checkpoint(load(content[8 + length :]), rounds)
        except (SealBroken, SafetensorError, ValueError, struct.error):
            what = f"{self._path} is no checkpoint, or of another state"
            raise ConfigInvalid(what, remedy="Train from the beginning.") from None

    def clear(self) -> None:
        """Remove the checkpoint: the training has ended well."""
        self._path.unlink(missing_ok=True)
        self._key.destroy()

    @property
    def _place(self) -> Place:
        return Place("", b"checkpoint", self._header, "content", 0)

    def _opened(self) -> Secret:
        if self._secret is None:
            self._secret = self._key.secret()
        return self._secret


def job_folder(folder: Path) -> None:
    """Make a job's folder, if it isn't there.

    Raises:
        ConfigInvalid: if it is open to others, or can't be used.
    """
    try:
        private_folder(folder, create=True)
    except IdentityInvalid as error:
        raise ConfigInvalid(error.message, remedy=error.remedy) from None
