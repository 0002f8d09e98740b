"""The coordinator's process: its keys, its state, the port that it listens on."""

import asyncio

import structlog

from cleanroom.audit.keeping import Keeping
from cleanroom.config import ProcessConfig
from cleanroom.contract.document import COORDINATOR
from cleanroom.coordinator.room import Room
from cleanroom.errors import NotAuthorised
from cleanroom.process import run_until_stopped
from cleanroom.session.member import Membership
from cleanroom.session.routes import ADD, ATTEND, CONVERSE, STATUS, SUBMIT, TOTAL
from cleanroom.storage.state import State
from cleanroom.transport.server import Server

logger = structlog.get_logger()


class CoordinatorConfig(ProcessConfig):
    """The coordinator's TOML file."""


async def coordinate(config: CoordinatorConfig) -> None:
    """Serve the room until cancelled."""
    member = Membership.load(config.identity, config.contract)
    if member.name != COORDINATOR:
        raise NotAuthorised("this identity is not the coordinator's", party=member.name)
    with State.open(config.state, config.keys, member.contract.terms.room.name) as state:
        keeping = Keeping(member, state)
        try:
            await _serve(config, member, Room(member.contract, keeping))
        finally:
            keeping.close()


async def _serve(config: CoordinatorConfig, member: Membership, room: Room) -> None:
    routes = {ATTEND: room.attend, SUBMIT: room.submit, STATUS: room.status}
    routes |= {ADD: room.add, TOTAL: room.total, CONVERSE: room.converse}
    server = Server(member.tls, member.pins, routes)
    await server.start(config.listen or member.address(COORDINATOR))
    logger.info("ready", member=member.name)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await server.stop()


def run_coordinator(config: CoordinatorConfig, *, parent_pipe: bool = False) -> None:
    """Serve the room until SIGTERM, SIGINT or, with `parent_pipe`, the end of stdin.

    Logs one line with event "ready" when it listens.
    """
    run_until_stopped(lambda: coordinate(config), parent_pipe=parent_pipe)
