"""What a request would do, in the words of this member's own software.

Rule: compiled anew from the signed request under the signed contract, and refused unless it is
the plan of that hash: whoever approves reads what would run.
"""

from cleanroom.approval.entry import Entry
from cleanroom.contract.document import Contract
from cleanroom.errors import PlanMismatch
from cleanroom.plan.sheet import Sheet
from cleanroom.session.statements import Request, read_request


def sheet_of(entry: Entry, contract: Contract) -> Sheet:
    """Return the sheet of the plan that a request asks for.

    Raises:
        MessageInvalid: if it was asked under another version of the contract.
        PlanMismatch: if this software compiles another plan.
    """
    request = read_request(entry.signed, contract)
    sheet = _sheet(request, contract)
    if sheet.plan_hash != entry.plan_hash:
        what = "this version compiles another plan than the one that was asked for"
        raise PlanMismatch(what, remedy="Have it asked again; every version has plans of its own.")
    return sheet


def _sheet(request: Request, contract: Contract) -> Sheet:
    terms, bound = contract.terms, contract.hash
    if request.scoring is not None:
        from cleanroom.plan.sheet_of_scoring import sheet_of_scoring
        from cleanroom.query.scoring import compile_scoring

        asked = request.scoring.model, request.scoring.table
        who = request.recipient, request.purpose
        return sheet_of_scoring(compile_scoring(*asked, terms, bound, *who), terms)
    if request.training is not None:
        from cleanroom.learning.job import Job
        from cleanroom.plan.sheet_of_training import sheet_of_training
        from cleanroom.query.training import compile_training

        plan = compile_training(Job.read(request.sql), terms, bound, request.recipient)
        return sheet_of_training(plan, terms)
    from cleanroom.query.compile import compile_question

    return Sheet.of(compile_question(request.question, terms, bound), terms)
