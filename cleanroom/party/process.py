"""A member's process: its keys, its state, its rows and models, and what it approves."""

import asyncio

from cleanroom.config import MemberConfig
from cleanroom.engine import Engine, standard
from cleanroom.flower.apps import APPROVED
from cleanroom.party.own_tables import OwnTables
from cleanroom.party.party import PartyProcess
from cleanroom.party.weights import load_models
from cleanroom.session.member import Membership
from cleanroom.storage.state import State


async def attend(config: MemberConfig, engine: Engine | None = None) -> None:
    """Load everything that a party needs and attend until cancelled.

    Logs one line with event "ready" whenever the coordinator has greeted this party.
    """
    from cleanroom.sources.opted_out import load

    member = Membership.load(config.identity, config.contract)
    models = load_models(member.contract.terms, member.name, config.models)
    APPROVED.add(config.apps)
    contract, policy = member.contract, config.policy
    policy.check(member.name, contract.terms)
    with State.open(config.state, config.keys, contract.terms.room.name) as state:
        with state.reading() as view:
            erased = view.erased()
        own = contract.terms, member.name, config.tables, erased
        database = load(*own, opt_outs=config.opt_outs)
        held = tuple(table for table in config.tables if table not in erased)
        tables = OwnTables(database, state, contract, member.name, held)
        await asyncio.to_thread(tables.renewed)
        parts = engine or standard(), database, state, models, policy, tables.renewed
        process = PartyProcess(member, *parts)
        await process.run(config.listen)
