"""The trials that kept their gates, and which row, seed and classes of them are looked at."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from senet_lab import files, gates
from senet_lab.catalog import Question
from senet_lab.design import Variant, baselines
from senet_lab.errors import StoreError, UserError, choices
from senet_lab.records import TrialRecord
from senet_lab.results import keys
from senet_lab.results.published.excitation import CLASSES
from senet_lab.spec import SE
from senet_lab.store import Store, load_gates

FEWEST, MOST, USUAL = 2, 8, 4
"""Classes that are shown: a spread needs two, more than eight lines tell nothing apart."""
ALL = -1
"""The class of a line over all images."""


@dataclass(frozen=True)
class Gates:
    """What one trial kept: statistics over images, by class and channel."""

    frame: pd.DataFrame
    """The columns of `senet_lab.gates` but for `image`, as single images are left out; `block` is categorical."""
    names: tuple[str, ...]
    """Of all classes, by label."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The labels whose statistics were kept, ascending."""
        found = self.frame["class"].unique()
        return tuple(sorted(int(label) for label in found if label >= 0))

    def called(self, label: int) -> str:
        """A class as people call it: the paper's word for its four of ImageNet, else the first of its names."""
        name = self.names[label] if label < len(self.names) else str(label)
        words = {wnid: word for word, wnid in CLASSES.items()}
        return words.get(name, name.split(",")[0])


def read(payload: bytes) -> Gates:
    """A trial's file. Raises StoreError for one that cannot be read."""
    table = gates.from_bytes(payload, single_images=False)
    return Gates(table.to_pandas(), gates.class_names(table))


Loader = Callable[[TrialRecord], Gates | None]
"""What a trial kept; None where its file is gone or damaged. Raises StoreError for one of another version."""


@dataclass(frozen=True)
class Kept:
    """The trials of a question that are done, with what each kept of its gates."""

    question: Question
    trials: pd.DataFrame
    """Those of `load.trials` whose row has SE; `kept`: whether a digest of gates is on record."""
    records: dict[str, TrialRecord]
    load: Loader

    def rows(self) -> tuple[Variant, ...]:
        """The rows with SE that have trials with gates, in the sweep's order."""
        labels = set(self.trials.loc[self.trials["kept"], "variant"])
        return tuple(row for row in self.question.rows if row.label in labels)

    def seeds(self, row: str) -> tuple[int, ...]:
        """Those of a row that kept their gates, ascending."""
        own = self.trials[(self.trials["variant"] == row) & self.trials["kept"]]
        return tuple(sorted(int(seed) for seed in own["seed"]))

    def gates(self, row: str, seed: int) -> Gates | None:
        """Of one trial; None where its file is gone or damaged. Raises StoreError for one of another version."""
        own = self.trials[(self.trials["variant"] == row) & (self.trials["seed"] == seed)]
        return self.load(self.records[own["id"].iloc[0]])

    def whole(self, row: str, seed: int) -> Gates | None:
        """Of one trial; None where its file cannot be read for whatever reason."""
        with contextlib.suppress(StoreError):
            return self.gates(row, seed)
        return None


def kept(question: Question, trials: pd.DataFrame, ended: Iterable[TrialRecord], store: Store | None) -> Kept:
    """`trials` as of `load.trials`, with what `store` has of the gates of those that `ended`."""
    records = {} if store is None else {record.id: record for record in ended}
    with_se = {row.label for row in question.rows if row.trial.model.se is not None}
    own = trials[trials["variant"].isin(with_se)].reset_index(drop=True)
    digests = [records[i].gates if i in records else None for i in own["id"]]
    return Kept(question, own.assign(kept=pd.notna(pd.Series(digests, dtype="object"))), records, reader(store))


def reader(store: Store | None) -> Loader:
    """Reads the gates that a trial kept."""
    folders = {} if store is None else {place.name.rpartition("_")[2]: place for place in files.folders(store.path)}

    def load(record: TrialRecord) -> Gates | None:
        payload = load_gates(folders[record.id], record) if record.id in folders else None
        try:
            return None if payload is None else read(payload)
        except StoreError as error:
            raise StoreError(f"{folders[record.id]}/{error}") from None

    return load


def default_row(found: Kept) -> str:
    """The baseline if it has SE, else the row with the paper's block (r = 16 and so on), else the first with gates."""
    rows = found.rows()
    against = baselines(found.question.sweep, found.question.rows)
    usual = [row.label for row in rows if row.label in against.values()]
    usual += [row.label for row in rows if row.trial.model.se == SE()]
    return next(iter(usual), rows[0].label)


def row_called(found: Kept, label: str | None) -> str:
    """The row to look at: its label, or the value alone. Raises UserError for one without gates to look at."""
    if not found.rows():
        raise UserError(f"{found.question.name}: {none_kept(found)}")
    if label is None:
        return default_row(found)
    labels = [row.label for row in found.rows()]
    fitting = [row for row in found.question.rows if label in (row.label, row.label.partition("=")[2])]
    if len(fitting) != 1:
        raise UserError(f"--row {label!r}: there is no such row; {choices(label, labels)}")
    row = fitting[0]
    if row.label not in labels:
        why = "its network has no SE" if row.trial.model.se is None else "none of its trials kept gates"
        raise UserError(f"--row {label!r}: {why}; {choices(label, labels)}")
    return row.label


def opened(found: Kept, row: str, seed: int | None) -> tuple[int, Gates]:
    """The seed to look at with its gates, by default the lowest whose file is whole. Raises UserError for none."""
    seeds = found.seeds(row)
    if seed is None:
        for number in seeds:
            if (own := found.whole(row, number)) is not None:
                return number, own
        raise gone(row, *seeds)
    if seed not in seeds:
        raise UserError(f"--seed {seed}: {row} has no gates of it; {choices(seed, [str(s) for s in seeds])}")
    if (own := found.gates(row, seed)) is None:
        raise gone(row, seed)
    return seed, own


def classes_called(own: Gates, asked: Sequence[str] | None) -> tuple[int, ...]:
    """Labels of the classes to show: the paper's four where they are there, else four evenly spaced.

    A class goes by its name, the first of its names, the paper's word or its number. Raises UserError
    for one that was not kept, for one named twice, and for fewer than two or more than eight.
    """
    labels: dict[str, int] = {}
    for label in own.classes:
        labels.setdefault(own.called(label), label)  # two of ImageNet are called crane: the first, the other by number
    if asked is None:
        words = [word for word in CLASSES if word in labels]
        if len(words) == USUAL and len(own.names) == 1000:
            return tuple(labels[word] for word in words)
        last, steps = len(own.classes) - 1, min(USUAL, len(own.classes))
        return tuple(own.classes[round(i * last / max(1, steps - 1))] for i in range(steps))
    known = {str(n): n for n in own.classes} | {own.names[n]: n for n in own.classes if n < len(own.names)} | labels
    if unknown := [word for word in asked if word not in known]:
        raise UserError(f"--classes: found {unknown[0]!r}; {_near(unknown[0], [*labels])}")
    found = tuple(known[word] for word in asked)
    if len(set(found)) < len(found) or not FEWEST <= len(found) <= MOST:
        raise UserError(f"--classes: found {', '.join(asked)}; name {FEWEST} to {MOST} classes, each once")
    return found


def _near(word: str, names: list[str]) -> str:
    """`choices`, without all thousand names of ImageNet."""
    text, _, listed = choices(word, names).partition("allowed: ")
    most = 12
    more = f", ... ({len(names):,} in all)" if len(names) > most else ""
    return f"{text}allowed: {', '.join(names[:most]) + more if more else listed}"


def gone(row: str, *seeds: int) -> UserError:
    """A file that its record names and that is not there, or all of a row."""
    which = f"{row} seed={seeds[0]}: its gates.parquet is gone or damaged; take another --seed"
    if len(seeds) > 1:
        which = f"{row}: no gates.parquet of its {len(seeds)} trials can be read; take another --row"
    return UserError(
        f"{which}, or move {'their run folders' if len(seeds) > 1 else 'its run folder'} away and type "
        f"the sweep command again"
    )


def none_kept(found: Kept) -> str:
    """Why there is nothing to look at, and what to do about it."""
    if all(row.trial.model.se is None for row in found.question.rows):
        return "none of its networks has SE, so there are no gates; take a sweep with SE"
    if found.trials.empty:
        return (
            "no trial of a row with SE is done; give the --set, --seeds, --recipe and --store of `sweep`, "
            f"or run it first: {keys.command(found.question).replace('report', 'sweep', 1)}"
        )
    return without_gates(found)


def without_gates(found: Kept, damaged: int = 0) -> str:
    """How many trials are left out and what brings their gates; "" where none is."""
    older = int((~found.trials["kept"]).sum()) + damaged
    if not older:
        return ""
    return (
        f"{older} of {len(found.trials)} trials with SE have no gates: they are of an older senet-lab that kept none, "
        f"or their gates.parquet is gone, damaged or of another version. Their results are up to date, so --rerun does "
        f"not take them; move their run folders away and type the sweep command again, or give it another --store"
    )
