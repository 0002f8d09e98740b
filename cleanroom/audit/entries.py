"""What sessions leave in a log: records of requests and of what members state about them."""

from cleanroom.audit.record import Kind, Record
from cleanroom.session.statements import Failed, Finished, Request, Ruling


def requested(request: Request) -> Record:
    """Return the record of a request that arrived."""
    return Record.now(Kind.REQUESTED, **_about(request))


def ruled(request: Request, ruling: Ruling) -> Record:
    """Return the record of how a request was ruled on."""
    codes = tuple(sorted({violation.code for violation in ruling.violations}))
    return Record.now(Kind.RULED, accepted=ruling.accepted, codes=codes, **_about(request))


def finished(request: Request, report: Finished) -> Record:
    """Return the record of a part that is done; its digest is that of what was sent."""
    return Record.now(
        Kind.FINISHED,
        digest=report.digest,
        rows=report.rows,
        rounds=report.rounds,
        bytes_sent=report.bytes_sent,
        milliseconds=report.milliseconds,
        **_about(request),
    )


def failed(failure: Failed, request: Request | None) -> Record:
    """Return the record of a session that can't go on; of a request, if it was one."""
    about = {"session": failure.session} if request is None else _about(request)
    return Record.now(Kind.FAILED, codes=(failure.code,), **about)


def concluded(request: Request, receipt: str, code: str) -> Record:
    """Return the record of a whole session, at who conducted it; the digest is the receipt's."""
    kind, codes = (Kind.FAILED, (code,)) if code else (Kind.FINISHED, None)
    return Record.now(kind, codes=codes, digest=receipt, **_about(request))


def _about(request: Request) -> dict[str, object]:
    apart = {"scoring": request.scoring, "training": request.training, "profile": request.profile}
    kind = next((name for name, asked in apart.items() if asked), request.protocol)
    if request.rehearsal is not None:
        kind = f"rehearsal of {kind}"
    return {
        "session": request.session,
        "who": request.recipient,
        "purpose": request.purpose or None,
        "contract_hash": request.contract_hash,
        "plan_hash": request.plan_hash,
        "protocol": kind,
    }
