"""Virtual environments of peers, made once in the user's cache folder."""

import os
import subprocess
import sys
from pathlib import Path

VERSIONS = {"spu": "0.9.5", "mpyc": "0.11", "flower": "1.41.0"}
_NEEDS = {
    "spu": ("spu==0.9.5", "numpy<2"),
    "mpyc": ("mpyc==0.11", "numpy<3"),
    "flower": ("flwr==1.41.0", "numpy<3"),
}


class PeerNotInstalled(Exception):
    """A peer's packages can't be had, for example without a network."""


def interpreter(peer: str) -> Path:
    """Return the Python that has the peer, after installing it if need be.

    Raises:
        PeerNotInstalled: if pip can't install it; the message ends with pip's last words.
    """
    python_version = f"py{sys.version_info.major}{sys.version_info.minor}"
    folder = _cache() / f"{peer}-{VERSIONS[peer]}-{python_version}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        print(f"installing {peer} {VERSIONS[peer]} into {folder}", file=sys.stderr)
        _run(peer, [sys.executable, "-m", "venv", "--clear", str(folder)])
        _run(peer, [str(python), "-m", "pip", "install", "--quiet", *_NEEDS[peer]])
        done.touch()
    return python


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pets-cleanroom" / "peers"


def _run(peer: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise PeerNotInstalled(f"{peer} {VERSIONS[peer]} can't be installed: {last}")
