"""What a sweep's gates say, as frames, figures and tables: the paper's excitation figures from the store alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Group

from senet_lab.gates import grid_stride
from senet_lab.results import excitation, gate_figures, gate_tables, kept, selectivity
from senet_lab.results.kept import Gates, Kept
from senet_lab.results.published import excitation as paper

BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Gates with limits: the axes end there, as the paper's do at 0 and 1."""
BANDS = (0, 2)
"""Which of the shown classes have bands: in the paper goldfish and plane."""
ANOTHER = "another network, other data: compare shapes, not channels"


@dataclass(frozen=True)
class Activations:
    """The gates of one trial, and the order-free numbers of all of a sweep's trials that kept theirs."""

    found: Kept
    row: str
    seed: int
    own: Gates
    shown: tuple[int, ...]
    """Labels of the classes that have a line."""
    measured: excitation.Measured
    with_paper: bool
    """Whether the figures have the paper's curves too."""

    @property
    def names(self) -> dict[int, str]:
        """Label -> name of the shown classes."""
        return {label: self.own.called(label) for label in self.shown}

    def curves(self) -> pd.DataFrame:
        """What the figure draws: `source`, `block`, `name`, `channel`, `images`, `mean`, `sd`, a line a mark."""
        ours = _curves(self.own.frame, self.names).assign(source="ours")
        if not self.with_paper:
            return ours
        return pd.concat([ours, _curves(paper.curves(), dict(enumerate(paper.CLASSES))).assign(source="paper")])

    def bands(self) -> pd.DataFrame:
        """Of `curves`, those of the two classes that the second figure has."""
        found = self.curves()
        names = [self.names[self.shown[i]] for i in BANDS if i < len(self.shown)]
        theirs = [list(paper.CLASSES)[i] for i in BANDS]
        ours = (found["source"] == "ours") & found["name"].isin(names)
        return found[ours | ((found["source"] == "paper") & found["name"].isin(theirs))]

    @cached_property
    def summary(self) -> pd.DataFrame:
        """`variant`, `block`, `statistic`, `n`, `mean`, `low`, `high` over seeds, of every row and block."""
        return excitation.over_seeds(self.measured.numbers, ["variant", "block"], selectivity.STATISTICS)

    @cached_property
    def claims(self) -> pd.DataFrame:
        """The paper's statements of every row; see `excitation.claims`."""
        return excitation.claims(self.measured.numbers)

    def over_seeds(self) -> pd.DataFrame:
        """What the third figure draws, of the row looked at: `source`, `block`, `statistic`, `at`, `n`, `mean`, ...

        `statistic` is one of `selectivity.STATISTICS`, or "sorted" with the share of channels in `at`.
        """
        summary = self.summary
        parts = [self._profiles(), summary[summary["variant"] == self.row].drop(columns="variant")]
        found = pd.concat(parts).assign(source="ours")
        return pd.concat([found, _paper_over_seeds().assign(source="paper")]) if self.with_paper else found

    def _profiles(self) -> pd.DataFrame:
        """On the grid of the paper's figures where a block has more than fifty channels."""
        every = self.measured.profiles
        every = every[(every["variant"] == self.row) & every["block"].isin(self.blocks)]
        count = every.groupby(["seed", "block"])["rank"].transform("size")
        on_grid = every[every["rank"] % count.map(grid_stride) == 0]
        found = excitation.over_seeds(on_grid, ["block", "at"], ["mean"])
        return found.assign(statistic="sorted")

    @property
    def blocks(self) -> tuple[str, ...]:
        """Those that have a panel: see `selectivity.shown_blocks`."""
        return selectivity.shown_blocks(self.own.frame["block"].unique().tolist())

    def figure(self) -> Figure:
        """Mean gates by class and channel, a panel a block, as in v4 Fig. 6."""
        return gate_figures.classes(self._sheets(self.curves()))

    def within_figure(self) -> Figure:
        """Mean and deviation of two classes, as in v4 Fig. 7."""
        return gate_figures.within(self._sheets(self.bands()))

    def seeds_figure(self) -> Figure:
        """What seeds have in common, whatever the order of their channels."""
        found = self.over_seeds()
        profiles, numbers = found[found["statistic"] == "sorted"], found[found["statistic"] != "sorted"]
        title = f"{self.found.question.name}: {self.row}, channels sorted by their mean gate"
        return gate_figures.seeds(gate_figures.Sheet(title, profiles, self._limits), numbers, gate_tables.ORDER_FREE)

    def _sheets(self, curves: pd.DataFrame) -> list[gate_figures.Sheet]:
        ours, theirs = curves[curves["source"] == "ours"], curves[curves["source"] == "paper"]
        sheets = [gate_figures.Sheet(self.title, ours, self._limits)]
        if len(theirs):
            apart = "another run of this network: channels have another order" if self.is_papers else ANOTHER
            sheets.append(gate_figures.Sheet(f"Paper: SE-ResNet-50 on ImageNet ({apart})", theirs, BOUNDS["sigmoid"]))
        return sheets

    @property
    def title(self) -> str:
        """Which trial is drawn."""
        place = self._trial.data.source.rpartition(":")[2].rstrip("/").rpartition("/")[2]  # digits, imagenet
        return f"{self.found.question.name}: {self.row}, seed {self.seed}, on {place}"

    @property
    def _limits(self) -> tuple[float, float] | None:
        return BOUNDS.get(self._trial.model.se.gate)

    @property
    def _trial(self) -> Any:
        return next(row.trial for row in self.found.question.rows if row.label == self.row)

    @property
    def is_papers(self) -> bool:
        """Whether the blocks are those of the paper's network, by name and channels, on as many classes."""
        return is_papers(self.own)

    def block_table(self) -> pd.DataFrame:
        """The order-free numbers of the row's blocks in words."""
        summary = self.summary
        theirs = excitation.paper() if self.with_paper else None
        return gate_tables.block_frame(summary[summary["variant"] == self.row], theirs)

    def claim_table(self) -> pd.DataFrame:
        """The paper's statements in words, of every row."""
        return gate_tables.claim_frame(self.claims)

    def sections(self) -> tuple[tuple[pd.DataFrame, str, str], ...]:
        """Both tables with title and caption."""
        of_classes = self.own.frame[self.own.frame["class"].isin(self.shown)]
        blocks = gate_tables.block_caption([*self.names.values()], int(of_classes["images"].median()))
        claims = " ".join([gate_tables.claim_caption(self.claims), *self.notes()])
        return (
            (self.block_table(), f"Gates of {self.row}", blocks),
            (self.claim_table(), "What the paper says of them", claims),
        )

    def notes(self) -> tuple[str, ...]:
        """What has to be said of trials that are left out, and of gates without limits."""
        gates = {row.label: row.trial.model.se.gate for row in self.found.rows() if row.trial.model.se is not None}
        free = [label for label, gate in gates.items() if gate not in BOUNDS]
        text = (
            f"{', '.join(free)}: this gate has no limits, so near 1 does not mean that it is saturated." if free else ""
        )
        return tuple(t for t in (text, kept.without_gates(self.found, self.measured.damaged)) if t)

    def terminal(self) -> Group:
        """Both tables in 80 columns."""
        (blocks, *of_blocks), of_claims = self.sections()
        shown = blocks[blocks["block"].str.startswith("paper ") | blocks["block"].isin(self.blocks)]
        return Group(gate_tables.terminal(shown, *of_blocks), "", gate_tables.terminal(*of_claims))


def analyse(
    found: Kept,
    row: str | None = None,
    seed: int | None = None,
    classes: Sequence[str] | None = None,
    with_paper: bool | None = None,
) -> Activations:
    """The gates that a question's trials kept; what is not named is chosen as `kept` says.

    `with_paper` None: where the network is the paper's. Raises UserError where there is nothing to look at,
    and for a row, seed or class that there is not.
    """
    label = kept.row_called(found, row)
    number, own = kept.opened(found, label, seed)
    shown = kept.classes_called(own, classes)
    measured = excitation.measure(found, shown)
    return Activations(found, label, number, own, shown, measured, is_papers(own) if with_paper is None else with_paper)


def is_papers(own: Gates) -> bool:
    """Whether all blocks of the paper's figures are there with their channels, in a network for its 1000 classes."""
    theirs = paper.curves().drop_duplicates("block").set_index("block")["channels"].to_dict()
    blocks = own.frame.drop_duplicates("block").set_index("block")["channels"].to_dict()
    return len(own.names) == 1000 and theirs.items() <= blocks.items()


def _curves(gates: pd.DataFrame, names: dict[int, str]) -> pd.DataFrame:
    """The shown blocks, classes and channels of a frame of gates, "all" last."""
    shown = selectivity.shown_blocks(gates["block"].unique().tolist())
    wanted = {**names, kept.ALL: "all"}
    on_grid = gates["channel"] % gates["channels"].map(grid_stride) == 0
    own = gates[gates["block"].isin(shown) & gates["class"].isin(wanted) & on_grid]
    own = own.assign(name=own["class"].map(wanted), place=own["class"].map({k: i for i, k in enumerate(wanted)}))
    depth = own["block"].astype("str").map({name: i for i, name in enumerate(shown)})
    own = own.assign(block=own["block"].astype("str"), depth=depth).sort_values(["depth", "place", "channel"])
    return own[["block", "name", "channel", "images", "mean", "sd"]].reset_index(drop=True)


def _paper_over_seeds() -> pd.DataFrame:
    numbers = excitation.paper()
    tidy = numbers.melt("block", list(selectivity.STATISTICS), "statistic", "number").rename(columns={"number": "mean"})
    profiles = selectivity.profile(paper.curves()).assign(statistic="sorted").drop(columns="rank")
    return pd.concat([profiles, tidy]).assign(n=1)
