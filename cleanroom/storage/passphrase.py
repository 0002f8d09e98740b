"""Passphrases: where one comes from, how strong it must be, and the key that it makes.

Rule: never from the command line, where every user of the machine can read it.
"""

import os
import secrets
import sys
from dataclasses import asdict, dataclass
from getpass import getpass
from pathlib import Path
from typing import NoReturn, Self

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from cleanroom.errors import IdentityInvalid, StateKeyRefused
from cleanroom.identity.files import read_private
from cleanroom.storage.secret import KEY_BYTES, Secret

VARIABLE = "CLEANROOM_PASSPHRASE"
MAX_BYTES = 1024
LEAST_GUESSES_LOG10 = 16  # at 0.1 s a guess and a million machines, thirty years
_SALT_BYTES = 16
_JUDGED = 72  # zxcvbn takes no more
WEAK = "Take six words drawn by lot, for instance with dice; write them down and lock them away."


class Passphrase:
    """What a person remembers. Not printed, copied or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def demand_strong(self) -> None:
        """Refuse what can be guessed.

        Raises:
            StateKeyRefused: if fewer than 10^16 guesses are expected to find it.
        """
        from zxcvbn import zxcvbn

        found = zxcvbn(self._text[:_JUDGED]) if self._text else {"guesses_log10": 0}
        if found["guesses_log10"] < LEAST_GUESSES_LOG10:
            raise StateKeyRefused("the passphrase is too easily guessed", remedy=WEAK)

    def key(self, cost: "Cost") -> Secret:
        """Return the key that this passphrase makes; it takes time and memory, on purpose."""
        kdf = Scrypt(salt=cost.salt, length=KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
        return Secret(kdf.derive(self._text.encode()))

    def __repr__(self) -> str:
        return "Passphrase()"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("passphrases are not pickled or copied")


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters: n rounds of 128 r n bytes, p times.

    Raises:
        StateKeyRefused: if they are cheaper than any that this software writes, or absurd.
    """

    salt: bytes
    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        is_power = self.n > 0 and self.n & (self.n - 1) == 0
        sane = is_power and 1 << 17 <= self.n <= 1 << 20 and 8 <= self.r <= 16 and 1 <= self.p <= 4
        if not sane or len(self.salt) != _SALT_BYTES:
            raise StateKeyRefused("scrypt's parameters are none that this version uses")

    @classmethod
    def new(cls) -> Self:
        """Return this version's cost, with a salt of its own."""
        return cls(secrets.token_bytes(_SALT_BYTES))

    def document(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        return asdict(self) | {"salt": self.salt.hex()}


class Asked:
    """A passphrase of this process, asked for when it is first needed, and once.

    Args:
        label: what the terminal shows. variable: with _FILE it names a private file that holds
            the passphrase, with _FD a file descriptor.
    """

    def __init__(self, label: str = "Passphrase", variable: str = VARIABLE) -> None:
        self._label, self._variable = label, variable
        self._found: Passphrase | None = None

    def __call__(self, *, anew: bool = False) -> Passphrase:
        """Return it: from a private file, a descriptor, or the terminal.

        Args:
            anew: it is to be made now: on the terminal, asked for twice.

        Raises:
            StateKeyRefused: if there is nowhere to get it from, or its file is open to others.
        """
        if self._found is None:
            self._found = self._given(anew=anew)
        return self._found

    def _given(self, *, anew: bool) -> Passphrase:
        in_file, in_descriptor = f"{self._variable}_FILE", f"{self._variable}_FD"
        if name := os.environ.get(in_file):
            return _decoded(_private(Path(name)))
        if number := os.environ.get(in_descriptor):
            return _decoded(_descriptor(number, in_descriptor))
        if not sys.stdin.isatty():
            remedy = f"Name a private file in {in_file}, or a descriptor in {in_descriptor}."
            what = "a passphrase is needed, and nobody is there to ask"
            raise StateKeyRefused(what, remedy=remedy)
        text = getpass(f"{self._label}: ")
        if anew and getpass(f"{self._label}, again: ") != text:
            raise StateKeyRefused("the two passphrases differ", remedy="Begin again.")
        return Passphrase(text)


def _private(path: Path) -> bytes:
    try:
        return read_private(path, MAX_BYTES)
    except IdentityInvalid as error:
        raise StateKeyRefused(error.message, remedy=error.remedy) from None


def _descriptor(number: str, variable: str) -> bytes:
    try:
        with os.fdopen(int(number), "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError):
        raise StateKeyRefused(f"{variable} names no descriptor that can be read") from None


def _decoded(content: bytes) -> Passphrase:
    try:
        return Passphrase(content.decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        raise StateKeyRefused("the passphrase is no text in UTF-8") from None
