"""`cleanroom coordinator` and `cleanroom party`: the long-running processes of a room."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", help="TOML file of this process.")]
ParentPipe = Annotated[
    bool, typer.Option("--parent-pipe", hidden=True, help="End when standard input ends.")
]


def coordinator(config: Config, parent_pipe: ParentPipe = False) -> None:
    """Host a room: relay signed requests; never see a share or a row."""
    from cleanroom.coordinator.process import CoordinatorConfig, coordinate
    from cleanroom.process import run_until_stopped

    run_until_stopped(lambda: coordinate(CoordinatorConfig.load(config)), parent_pipe=parent_pipe)


def party(config: Config, parent_pipe: ParentPipe = False) -> None:
    """Take part as a member: contribute own rows under the contract, compute if it says so."""
    from cleanroom.config import MemberConfig
    from cleanroom.party.process import attend
    from cleanroom.process import run_until_stopped

    run_until_stopped(lambda: attend(MemberConfig.load(config)), parent_pipe=parent_pipe)
