"""A question set against a store: what it asks for and what is there. Needs no torch."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from senet_lab import data, labels, plan
from senet_lab.catalog import Question
from senet_lab.design import Variant
from senet_lab.errors import SenetLabError, SpecError
from senet_lab.files import Place
from senet_lab.plan import Plan, PlannedTrial, StoredTrial
from senet_lab.records import TrialRecord
from senet_lab.spaces import configurations
from senet_lab.spec import SELECTION_SEED, Data, Trial
from senet_lab.store import Store


@dataclass(frozen=True)
class Inventory:
    """What a question asks for, beside what the store holds of it at this moment."""

    question: Question
    store: Store
    records: tuple[TrialRecord, ...]
    """All that the sweep's store holds, wanted or not."""
    plan: Plan
    data_dir: Path = data.DATA_DIR
    begun: tuple[StoredTrial, ...] = ()
    """Trials that began and did not end, asked for or not."""
    before: "Inventory | None" = None
    """Of what a study has chosen (`selection.confirmed`): the question as it was asked."""

    @property
    def planned(self) -> tuple[PlannedTrial, ...]:
        """Every trial asked for, in the order of running."""
        return tuple(trial for trial, _ in self.plan.trials)

    @property
    def counting(self) -> tuple[TrialRecord, ...]:
        """The records that answer what is asked for, with the code of now."""
        wanted = {t.id for t in self.planned}
        return tuple(r for r in self.records if r.id in wanted)

    @property
    def next_sitting(self) -> int:
        """The number of the next time that trials are run; also those count that ended none."""
        return 1 + max([0, *(r.sitting for r in self.records), *(s.number for s in self.store.sittings())])

    def again(self) -> "Inventory":
        """The same question against what the store holds now."""
        before = self.before and self.before.again()
        return replace(take(self.question, self.store.root, self.data_dir), before=before)


def take(question: Question, root: "str | Place", data_dir: Path = data.DATA_DIR) -> Inventory:
    """Read the store under `root` once and set the question against it.

    Raises SpecError, naming the file, for a row that its data set cannot serve, and DataError for
    data that are not in `data_dir` and for files of weights that are not there.
    """
    for row in question.rows:
        try:
            data.check(data.facts(row.trial.data, data_dir), row.trial.data.validation, row.trial.train.batch_size)
        except SpecError as error:
            raise SpecError(f"{question.path}: {row.label}: {error}") from None
    if question.study is not None:
        _check_space(question, data_dir)
    return _against(
        question,
        Store(root, question.name),
        (lambda asked: data.digest(asked, data_dir), lambda weights: data.file_digest(Path(weights), data_dir)),
        data_dir,
    )


def _check_space(question: Question, data_dir: Path) -> None:
    """Raises SpecError for an end of a study's space that the data cannot serve."""
    assert question.study is not None
    for row, chosen, trial in configurations(question.study, question.rows):
        if isinstance(trial, Trial):
            try:
                data.check(data.facts(trial.data, data_dir), trial.data.validation, trial.train.batch_size)
            except SpecError as error:
                raise SpecError(f"{question.path}: space: {row.label} with {chosen}: {error}") from None


def remember(question: Question, root: "str | Place") -> Inventory:
    """As `take`, where the data are not at hand: their content is what the latest record on such data says.

    For what only reads results. Rows with a file of weights are not found this way.
    """
    store = Store(root, question.name)
    records = sorted(store.contents()[0], key=lambda r: (r.sitting, r.started_at, r.id))
    known = {record.trial.data: record.data for record in records}
    return _against(question, store, (lambda asked: known.get(asked, ""), str), data.DATA_DIR)


def _against(
    question: Question, store: Store, digests: tuple[Callable[[Data], str], Callable[[str], str]], data_dir: Path
) -> Inventory:
    """`digests`: of data and of files of weights."""
    records, unfinished = store.contents()
    stored = _stored(records)
    planned = plan.wanted(question.rows, question.sweep.seeds, *digests, question.own)
    rows: dict[str, str] = {}
    for trial in planned:
        if (label := rows.setdefault(trial.id, trial.variant.label)) != trial.variant.label:
            raise SpecError(
                f"{question.path}: {label} and {trial.variant.label} are the same trial: equal settings, and the same "
                f"content in their data and weights; leave one of them out"
            )
    reconciled = plan.reconcile(planned, [*stored, *unfinished])
    return Inventory(question, store, tuple(records), reconciled, data_dir, tuple(unfinished))


def candidates(found: Inventory, rows: Iterable[Variant]) -> tuple[PlannedTrial, ...]:
    """`rows` as trials that are made to choose by, on the data of `found`."""
    content = {t.trial.data.source: t.data for t in found.planned}
    return plan.wanted(
        rows,
        (SELECTION_SEED,),
        lambda asked: content[asked.source],
        lambda weights: data.file_digest(Path(weights), found.data_dir),
        found.question.own,
    )


def states(found: Inventory, planned: Iterable[PlannedTrial]) -> Plan:
    """How any trials of the sweep stand in the store."""
    return plan.reconcile(planned, [*_stored(found.records), *found.begun])


def _stored(records: Iterable[TrialRecord]) -> list[StoredTrial]:
    return [StoredTrial(r.id, r.fingerprint, r.status) for r in records]


def keep_labels(found: Inventory) -> None:
    """See to it that the store has the test labels of the question's data; where it cannot, nothing depends on them."""
    for digest, asked in {t.data: t.trial.data for t in found.planned}.items():
        with contextlib.suppress(SenetLabError, OSError):
            if found.store.labels(digest) is None:
                images = data.load(asked, found.data_dir)
                found.store.save_labels(digest, labels.to_bytes(images.test_labels, images.classes))
