"""The log: what a record holds, and that roots and proofs follow from what is on disk."""

import contextlib
from fractions import Fraction
from pathlib import Path

import kept
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.audit.log import Log, append, head
from cleanroom.audit.record import Kind, Record
from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.errors import BudgetExhausted, LogDamaged
from protocols.merkle import proofs, tree


def test_roots_and_proofs_are_those_of_the_records_on_disk(tmp_path: Path) -> None:
    log = Log(kept.state(tmp_path))
    heads = [log.head()]
    assert heads[0].root == tree.EMPTY
    for i in range(11):
        heads.append(log.add(Record.now(Kind.REQUESTED, who="analyst", rows=i)))
    leaves = [tree.leaf_hash(content) for content in log.contents()]
    assert heads[-1].root == tree.root(tree.in_memory(leaves), 11)
    again = Log(kept.state(tmp_path))
    for earlier in range(1, 12):
        assert again.root_of(earlier) == heads[earlier].root
        growth = again.growth(earlier, 11)
        proofs.check_growth(earlier, 11, heads[earlier].root, heads[11].root, growth)
        proof = again.inclusion(earlier - 1, 11)
        proofs.check_leaf(earlier - 1, 11, leaves[earlier - 1], heads[11].root, proof)
    assert again.root_of(12) is None


def test_two_processes_add_to_one_log(tmp_path: Path) -> None:
    one, other = Log(kept.state(tmp_path)), Log(kept.state(tmp_path))
    one.add(Record.now(Kind.STARTED), Record.now(Kind.REQUESTED))
    other.add(Record.now(Kind.APPROVED))
    one.add(Record.now(Kind.FINISHED))
    kinds = [Record.of(content).kind for content in other.contents()]
    assert kinds == [Kind.STARTED, Kind.REQUESTED, Kind.APPROVED, Kind.FINISHED]


def test_a_record_that_is_undone_leaves_nothing(tmp_path: Path) -> None:
    state = kept.state(tmp_path)
    before = Log(state).add(Record.now(Kind.STARTED))

    def charged_and_lost() -> None:
        with state.writing() as batch:
            append(batch, Record.now(Kind.CHARGED))
            assert head(batch).size == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        charged_and_lost()
    assert Log(state).head() == before


def test_records_have_one_form_and_no_two_hashes_are_alike() -> None:
    record = Record.now(Kind.RULED, accepted=False, codes=("purpose",), who="analyst")
    assert Record.of(record.to_bytes()) == record
    twin = Record.now(Kind.RULED, accepted=False, codes=("purpose",), who="analyst")
    assert record.nonce != twin.nonce


@given(st.data())
def test_an_edited_record_is_no_record_or_another(data: st.DataObject) -> None:
    content = Record.now(Kind.CHARGED, epsilon="0.5", table="a.t").to_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    edited = content[:at] + data.draw(st.binary(max_size=2)) + content[at + 1 :]
    with contextlib.suppress(LogDamaged):
        assert Record.of(edited).to_bytes() == edited


def test_a_charge_stands_in_the_log_or_nowhere(tmp_path: Path) -> None:
    state = kept.state(tmp_path)
    ledger, scope = Ledger(state), Scope("a.t", "analyst", "research")
    ledger.allow(scope, Fraction(1, 2))
    ledger.charge("s" * 32, b"p" * 32, scope, Fraction(1, 3))
    with pytest.raises(BudgetExhausted):
        ledger.charge("t" * 32, b"p" * 32, scope, Fraction(1, 3))
    (record,) = [Record.of(content) for content in Log(state).contents()]
    assert (record.kind, record.table, record.who) == (Kind.CHARGED, "a.t", "analyst")
    assert Fraction(record.rho) >= Fraction(1, 3)
