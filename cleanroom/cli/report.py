"""`cleanroom report`: what an auditor or authority asks for: answers of a room, contract, log."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.mock import Mock, room_of

if TYPE_CHECKING:
    from cleanroom.evidence.facts import Facts

app = typer.Typer(
    help="Answers as one page, impact assessment, record of processing, signed evidence.",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The member's TOML file.")
]
MaybeConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The member's TOML file."),
]
Document = Annotated[
    Path | None,
    typer.Option("--contract", help="A contract's file, before anything runs: no log, no ledger."),
]
Output = Annotated[
    Path | None, typer.Option(help="File to write, .md or .html; by default the screen.")
]


@app.command()
def dpia(config: MaybeConfig = None, contract: Document = None, output: Output = None) -> None:
    """Write the data protection impact assessment; blanks are for people to fill in."""
    from cleanroom.evidence.dpia import dpia as assessed

    facts = _drafted(contract) if contract is not None else _facts(config)
    _write(assessed(facts), f"DPIA, room {facts.terms.room.name}", output)


@app.command()
def ropa(config: Config, output: Output = None) -> None:
    """Write this member's record of processing activities (GDPR, Article 30)."""
    from cleanroom.evidence.ropa import ropa as recorded

    facts = _facts(config)
    _write(recorded(facts), f"Record of processing, room {facts.terms.room.name}", output)


@app.command()
def results(
    report: Annotated[Path, typer.Argument(help="What to ask, under which headings, as TOML.")],
    config: Config,
    output: Annotated[Path, typer.Option(help="The HTML file to write.")],
    mock: Mock = False,
) -> None:
    """Ask a room all questions of a file, and write the answers as one page with charts."""
    from cleanroom.cli.answers import with_progress
    from cleanroom.cli.rows import check_writable
    from cleanroom.recipient.report_file import ReportFile

    asked = ReportFile.load(report)
    check_writable(output)
    with room_of(config, mock=mock) as room:
        room.report(output, asked.title, with_progress(lambda told: asked.ask(room, told)))
    typer.echo(f"{output}: {len(asked.sections)} answers")


@app.command()
def evidence(
    config: Config,
    output: Annotated[Path, typer.Option(help="A new folder.")],
    receipt: Annotated[
        list[Path] | None, typer.Option(help="A receipt to put in; repeatable.")
    ] = None,
    tests: Annotated[
        Path | None, typer.Option(help="What 'pytest --junitxml FILE' wrote, if tests were run.")
    ] = None,
) -> None:
    """Write a folder with contract, versions, cards, reports and receipts, and sign it."""
    from cleanroom.config import MemberConfig
    from cleanroom.errors import EvidenceInvalid
    from cleanroom.evidence.bundle import write
    from cleanroom.identity.files import read_bounded
    from cleanroom.identity.identity import Identity
    from cleanroom.session import receipt as receipts

    def read(path: Path) -> bytes:
        return read_bounded(path, receipts.MAX_BYTES, EvidenceInvalid)

    texts = [read(path).decode(errors="replace") for path in receipt or ()]
    held = [receipts.Receipt.from_json(text) for text in texts]
    more = _log(config)
    if tests is not None:
        more["tests.xml"] = read(tests)
    identity = Identity.load(MemberConfig.load(config).identity)
    write(output, _facts(config), identity, held, more)
    typer.echo(f"{output}: signed by {identity.name}, fingerprint {identity.public.fingerprint}")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The folder that 'report evidence' wrote.")],
    contract: Annotated[
        Path | None, typer.Option(help="Your own copy of the contract, if you have one.")
    ] = None,
) -> None:
    """Check a bundle offline: exit code 0 if it is what its member signed, else 1."""
    from cleanroom.cli.words import printable
    from cleanroom.contract.document import Contract
    from cleanroom.errors import EvidenceInvalid
    from cleanroom.evidence.verify import verify as verified

    known = None if contract is None else Contract.load(contract)
    try:
        found = verified(bundle, known)
    except EvidenceInvalid as error:
        typer.echo(printable(str(error)), err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{found.files} files of room {found.room}, {found.receipts} receipts, {found.records} "
        f"records of the log, signed on {found.made_at} by {found.member}"
    )
    typer.echo(f"fingerprint {found.fingerprint}\ncontract {found.contract_hash}")
    if known is None:
        typer.echo("Compare fingerprint and contract hash: the bundle can't vouch for its own.")


def _facts(config: Path | None) -> "Facts":
    """Return what a member's own files say."""
    from cleanroom.audit.log import Log
    from cleanroom.audit.record import Record
    from cleanroom.config import MemberConfig
    from cleanroom.evidence.facts import Facts
    from cleanroom.evidence.history import ran
    from cleanroom.party.spending import Spending
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

    if config is None:
        raise typer.BadParameter("name the member's --config, or a --contract")
    read = MemberConfig.load(config)
    member = Membership.load(read.identity, read.contract)
    contract, terms = member.contract, member.contract.terms
    own = read.policy.model_dump(mode="json", exclude_defaults=True)
    if not read.state.exists():
        return Facts(contract, _now(), member.name, own_policy=own)
    with State.open(read.state, read.keys, terms.room.name) as state:
        budgets = Spending(member.name, terms, state).budgets()
        told = ran(Record.of(content) for content in Log(state).contents())
    return Facts(contract, _now(), member.name, budgets, told, own)


def _log(config: Path) -> dict[str, bytes]:
    """Return a process's exported log by its name in a bundle; nothing if it has none yet."""
    from cleanroom.audit.bundle import export
    from cleanroom.config import MemberConfig
    from cleanroom.evidence.bundle import LOG
    from cleanroom.scratch import scratch_folder
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

    read = MemberConfig.load(config)
    if not read.state.exists():
        return {}
    member = Membership.load(read.identity, read.contract)
    room = member.contract.terms.room.name
    with State.open(read.state, read.keys, room) as state, scratch_folder() as folder:
        export(folder / LOG, member, state)
        return {LOG: (folder / LOG).read_bytes()}


def _drafted(contract: Path) -> "Facts":
    from cleanroom.contract.document import Contract
    from cleanroom.evidence.facts import Facts

    draft = Contract.load(contract)
    draft.check_draft()
    return Facts(draft, _now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _write(text: str, title: str, output: Path | None) -> None:
    from cleanroom.cli.rows import check_writable, write_text
    from cleanroom.page import page

    if output is None:
        typer.echo(text, nl=False)
        return
    check_writable(output)
    write_text(output, page(text, title) if output.suffix == ".html" else text)
