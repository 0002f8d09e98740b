"""Configuration files of the three kinds of processes: TOML, strict, paths relative to the file."""

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cleanroom.contract.fields import first_fault, unreadable
from cleanroom.errors import ConfigInvalid
from cleanroom.flower.apps import App
from cleanroom.policy.own import OwnPolicy
from cleanroom.storage.keyfile import Keys


class FileConfig(BaseModel):
    """Base of the configurations; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a TOML file.

        Raises:
            ConfigInvalid: naming the file and the first key that doesn't hold.
        """
        path = Path(path)
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            config = cls.model_validate(values)
        except tomllib.TOMLDecodeError as error:
            raise ConfigInvalid(f"{path}: not TOML: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(path, error) from None
        except ValidationError as error:
            raise ConfigInvalid(f"{path}: {first_fault(error)}") from None
        return config.model_copy(update=_absolute(config, path.resolve().parent))


class Storage(BaseModel):
    """The table `[storage]`: where the key of what a process keeps is.

    Attributes:
        key: its file; by default as `state`, ending in .key.
        passphrase: whether the key is kept under a passphrase, and so asked for at every start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Path | None = None
    passphrase: bool = False


class ProcessConfig(FileConfig):
    """What the files of all processes say.

    Attributes:
        identity: the folder of its keys. contract: the signed file.
        listen: where it listens if that isn't the contract's address (containers, NAT).
        state: the file of what it keeps, made when first needed; never to be copied back.
    """

    identity: Path
    contract: Path
    listen: Annotated[str, Field(max_length=255)] | None = None
    state: Path = Path("state.db")
    storage: Storage = Storage()

    @cached_property
    def keys(self) -> Keys:
        """How the state is opened; a passphrase is asked for once."""
        path = self.storage.key or self.state.with_suffix(".key")
        return Keys(path, sealed=self.storage.passphrase)


class MemberConfig(ProcessConfig):
    """A member's TOML file: for its own process, and for asking if it is a recipient.

    Attributes:
        tables: contract table -> this member's CSV or Parquet file. Queries are asked without
            reading them; scores are asked for their rows.
        opt_outs: a file of persons, one a line, whose rows are in none of this member's tables.
        models: contract model -> this member's JSON file of weights; asking doesn't read them.
        policy: what it refuses beyond the contract.
        apps: name -> a Flower app whose code this member read and approved.
    """

    tables: Mapping[str, Path] = Field(default_factory=dict)
    opt_outs: Path | None = None
    models: Mapping[str, Path] = Field(default_factory=dict)
    policy: OwnPolicy = OwnPolicy()
    apps: Mapping[str, App] = Field(default_factory=dict)

    @field_validator("tables", "models", mode="before")
    @classmethod
    def _quoted(cls, files: object) -> object:
        """Refuse `bank_a.accounts = ...`: TOML reads a name with a dot as two unless quoted."""
        for owner, rest in files.items() if isinstance(files, Mapping) else ():
            if isinstance(rest, Mapping):
                name = f"{owner}.{next(iter(rest), 'name')}"
                raise ValueError(f'{name}: put the name in quotes: "{name}" = ...')
        return files


def _absolute(config: BaseModel, folder: Path) -> dict[str, Any]:
    """Return the config's paths, seen from the folder of its file."""
    return {name: _moved(value, folder) for name, value in config}


def _moved(value: Any, folder: Path) -> Any:
    match value:
        case Path():
            return folder / value
        case dict():
            return {key: _moved(inner, folder) for key, inner in value.items()}
        case BaseModel():
            return value.model_copy(update=_absolute(value, folder))
        case _:
            return value
