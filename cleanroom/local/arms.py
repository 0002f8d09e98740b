"""A training's arms on rows that are all here, given as a `LocalRoom` takes them. INSECURE.

Rule: for planning and for papers, of whoever has all owners' rows: no room, no process, no shares.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cleanroom.contract.terms import Terms
from cleanroom.learning.families import Model
from cleanroom.learning.job import Job
from cleanroom.local.given import Data, as_file, by_member
from cleanroom.models.arms import SEEDS, compare_job, pooled_job
from cleanroom.models.comparing import Compared
from cleanroom.scratch import scratch_folder

JobSource = Path | str | Mapping[str, Any]
Contract = Path | str | Mapping[str, Any]


def compare(
    job: JobSource, contract: Contract, data: Data, seeds: Sequence[int] = SEEDS
) -> Compared:
    """Train each owner alone, all federated, and on pooled rows, and test on the same rows.

    A seed chooses the persons held out: `holdout` of the job, else 30 %. Whatever the contract
    calls a table's person is held out as a whole, at all owners.

    Args:
        job: of one federated table, which is all that the contract has; otherwise as for
            `Room.train`.
        contract, data: as for `LocalRoom`.

    Raises:
        ContractInvalid, ConfigInvalid, DataMismatch, UnknownName: naming what doesn't hold.
        TrainingImpossible: if federated or pooled rows can't be trained on.
    """
    terms = Terms.of(contract)
    with _files(terms, data) as files:
        return compare_job(Job.of(job), terms, files, seeds)


def pooled(job: JobSource, contract: Contract, data: Data) -> Model:
    """Return the model of the pooled rows: what `Room.train` is measured against.

    Args, raises: as in `compare`.
    """
    terms = Terms.of(contract)
    with _files(terms, data) as files:
        return pooled_job(Job.of(job), terms, files)


@contextmanager
def _files(terms: Terms, data: Data) -> Iterator[dict[str, Path]]:
    """Hold each owner's rows of the contract's tables as files."""
    with scratch_folder() as folder:
        yield {
            member: as_file(
                rows, folder / f"{member}.parquet", table, tuple(terms.tables[table].columns)
            )
            for member, tables in by_member(terms, data).items()
            for table, rows in tables.items()
        }
