"""`--until-decided` over a store: which trials each look runs, and that going on after anything is the same."""

import math
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from senet_lab import balance, catalog, environment, inventory, plan, store
from senet_lab.balance import Limit
from senet_lab.commands import sequential
from senet_lab.commands.report import report_only
from senet_lab.commands.sequential import Means, ending, until_decided
from senet_lab.errors import Interrupted, UserError
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.results import artifacts, keys, open_sweep, page, report, trace
from senet_lab.results.looks import Looked, complete, look
from senet_lab.results.page import account
from senet_lab.results.report import Report
from tests.conftest import question
from tests.results.conftest import make_record
from tests.undrawn import COMMAND

Ask = Callable[..., Inventory]
GRID = {"grid": {"model.se.reduction": [1, 2, 4]}, "seeds": 3}
WRONG = {"reduction=1": (60, 2), "reduction=2": (45, 12), "reduction=4": (30, 3), "no_se": (30, 2)}
"""Wrong images of 900, mean and sd: one row is worse at once, one some looks later, one equivalent."""
FOREVER = Limit()


def wrong(planned: PlannedTrial) -> int:
    """Of a trial, whenever it runs."""
    label, seed = planned.variant.label, planned.trial.seed
    return round(np.random.default_rng([4, seed, [*WRONG].index(label)]).normal(*WRONG[label]))


@dataclass
class Runner:
    """In the place of an executor: writes records at once; those in `failing` fail, and after `most` comes Ctrl-C."""

    most: float = math.inf
    failing: tuple[str, ...] = ()
    rounds: list[list[str]] = field(default_factory=list)
    rerun: tuple[plan.State, ...] = ()

    def __call__(self, found: Inventory) -> None:
        self.rounds.append([])
        for planned in found.plan.to_run(self.rerun):
            if sum(map(len, self.rounds)) >= self.most:
                raise KeyboardInterrupt
            changes = (
                {"status": "failed", "test": None, "traceback": "Diverged"} if planned.name in self.failing else {}
            )
            record = make_record(planned, wrong(planned), sweep="tiny", settings={}, **changes)
            store.finish(found.store.open(planned), record)
            self.rounds[-1].append(planned.name)

    def means(self, seconds: float | None = None) -> Means:
        told = SimpleNamespace(forecast=SimpleNamespace(seconds=seconds)) if seconds is not None else None
        return Means(self.rerun, self, lambda found: told)  # type: ignore[arg-type, return-value]

    @property
    def ran(self) -> list[str]:
        return [name for names in self.rounds for name in names]


def verdicts(looked: Looked) -> dict[str, tuple[str, int]]:
    lines = looked.state.comparison
    return {row["variant"]: (row["verdict"], row["look"]) for _, row in lines.iterrows()}


def test_each_look_runs_what_it_needs_and_nothing_else(ask: Ask) -> None:
    runner = Runner()
    looked, ended = until_decided(ask(**GRID), FOREVER, runner.means())
    state = looked.state
    assert verdicts(looked) == {
        "reduction=1": ("worse", 1),
        "reduction=2": ("worse", 5),
        "reduction=4": ("equivalent", 2),
    }
    assert state.looks == [3, 5, 8, 12, 18] and ended == "All 3 rows are decided at look 5"
    assert runner.rounds[0] == [f"{label} seed={seed}" for seed in range(3) for label in WRONG]
    assert set(runner.rounds[1]) == {f"{v} seed={s}" for v in ("reduction=2", "reduction=4", "no_se") for s in (3, 4)}
    assert set(runner.rounds[4]) == {f"{v} seed={s}" for v in ("reduction=2", "no_se") for s in range(12, 18)}
    assert len(runner.rounds) == 5 and len(set(runner.ran)) == len(runner.ran)
    assert {t.name for t in looked.used.planned} == set(runner.ran)


def test_going_on_after_ctrl_c_is_the_same_sweep(ask: Ask, tmp_path: Path) -> None:
    """Cut after every few trials, in the middle of looks: the same trials, each once, and the same verdicts."""
    whole = Runner()
    undisturbed, _ = until_decided(ask(**GRID), FOREVER, whole.means())
    elsewhere, ran = tmp_path / "elsewhere", list[str]()
    for _ in range(20):
        runner = Runner(most=9)
        try:
            looked, _ = until_decided(inventory_at(elsewhere), FOREVER, runner.means())
        except KeyboardInterrupt:
            ran += runner.ran
            continue
        ran += runner.ran
        break
    assert sorted(ran) == sorted(whole.ran)
    pd.testing.assert_frame_equal(looked.state.comparison, undisturbed.state.comparison)
    again = Runner()
    until_decided(inventory_at(elsewhere), FOREVER, again.means())
    assert again.rounds == []


def test_a_stop_reports_the_looks_that_are_complete_and_begins_no_other(ask: Ask, tmp_path: Path) -> None:
    """In the middle of look 2: its whole seeds stay, and going on is the same sweep."""
    whole = Runner()
    undisturbed, _ = until_decided(ask(**GRID), FOREVER, whole.means())

    class Stopped(Runner):
        """Begins nothing else after a seed of look 2."""

        def __call__(self, found: Inventory) -> None:
            due = [t for t in found.plan.to_run() if not self.rounds or t.trial.seed < 4]
            super().__call__(replace(found, plan=plan.Plan(tuple((t, "missing") for t in due))))

    runner = Stopped()
    means = replace(runner.means(), stopped=lambda: len(runner.rounds) == 2)
    looked, ended = until_decided(inventory_at(tmp_path / "elsewhere"), FOREVER, means)
    assert looked.state.look == 1 and len(runner.rounds) == 2 and len(runner.rounds[1]) == 3
    assert ended.startswith("Undecided at the first look")
    rest = Runner()
    again, _ = until_decided(inventory_at(tmp_path / "elsewhere"), FOREVER, rest.means())
    pd.testing.assert_frame_equal(again.state.comparison, undisturbed.state.comparison)
    assert sorted(runner.ran + rest.ran) == sorted(whole.ran)


def test_a_stop_in_the_first_look_says_so(ask: Ask) -> None:
    class Stopped(Runner):
        def __call__(self, found: Inventory) -> None:
            first = tuple((t, state) for t, state in found.plan.trials if t.trial.seed == 0)
            super().__call__(replace(found, plan=plan.Plan(first)))

    said = (
        r"stopped; 1 of 3 seeds are there in every row: the first look is not complete, 8 of its trials are left\. To"
    )
    with pytest.raises(Interrupted, match=said):
        until_decided(ask(**GRID), FOREVER, replace(Stopped().means(), stopped=lambda: True))


def inventory_at(root: Path) -> Inventory:
    return inventory.take(question(**GRID), root)


def test_the_report_is_of_the_same_looks(ask: Ask) -> None:
    looked, _ = until_decided(ask(**GRID), FOREVER, Runner().means())
    found = complete(look(ask(**GRID)))
    written = report.analyse(found.whole.question, found.used.planned, found.used.records, looks=found.state)
    assert written.summary.set_index("variant")["n"].to_dict() == {
        "reduction=1": 3,
        "reduction=2": 18,
        "reduction=4": 5,
        "no_se": 18,
    }
    pd.testing.assert_frame_equal(written.comparison[[*looked.state.comparison]], looked.state.comparison)
    assert "last look" in artifacts.artifacts(written)["columns.csv"].decode()
    caption = written.caption()
    assert "3, 5, 8, 12, 18 so far" in caption and ".05 / (k (k + 1)); so far .042 is spent" in caption
    assert "missing" not in caption and "Holm" in caption
    assert written.table()["verdict"].tolist() == ["worse", "worse", "equivalent (within 1 point)", "baseline"]
    assert keys.table(found.whole.question, looks=True) == "tiny+until-decided"
    assert written.sheet().texts["tiny+until-decided:seeds"] == "3 to 18"
    assert [line.rpartition(" ")[2] for line in account.commands(written)] == ["--until-decided"] * 2


def test_no_look_begins_that_would_end_too_late(ask: Ask) -> None:
    first = Runner()
    until_decided(ask(**GRID), Limit(1.0, time.monotonic()), first.means(seconds=1000))
    assert len(first.rounds) == 5
    asked = ask(**(GRID | {"seeds": 4}))
    late = Runner()
    _, ended = until_decided(asked, Limit(1.0, time.monotonic() - 3000), late.means(seconds=0))
    assert "All 3 rows are decided" in ended, "what nothing is left to run for is not stopped"


def test_what_is_undecided_and_what_the_next_look_costs_is_told(ask: Ask) -> None:
    runner = Runner(most=12)
    with pytest.raises(KeyboardInterrupt):
        until_decided(ask(**GRID), FOREVER, runner.means())
    stopped = Runner()
    looked, ended = until_decided(ask(**GRID), Limit(1.0, time.monotonic()), stopped.means(seconds=7200))
    assert stopped.rounds == [] and looked.state.look == 1
    assert ended.startswith("Undecided at look 1: reduction=2, reduction=4. Look 2 (5 seeds of reduction=2, ")
    assert "would take about 2 h, and 60 min of --max-hours 1 are left" in ended
    assert ending(looked).startswith("Undecided at the first look: reduction=2, reduction=4. The next one has 5")
    assert ending(looked).endswith(
        "`sweep` with --until-decided and the same --set, --seeds, --recipe and --store runs it"
    )


def test_time_is_up_with_all_decided_and_a_trial_to_run_again(ask: Ask) -> None:
    failing = Runner(failing=("reduction=2 seed=1",))
    until_decided(ask(**GRID), FOREVER, failing.means())
    again = Runner(rerun=("failed",))
    _, late = until_decided(ask(**GRID), Limit(1.0, time.monotonic() - 3700), again.means())
    _, long = until_decided(ask(**GRID), Limit(1.0, time.monotonic()), again.means(seconds=7200))
    assert again.rounds == []
    said = (
        r"All 3 rows are decided at look 5\. The trials to run again {}\. To run them, type the same command again, .*"
    )
    assert re.fullmatch(said.format("are left as they are: --max-hours is over"), late)
    assert re.fullmatch(said.format("would take about 2 h, and 60 min of --max-hours 1 are left"), long)


def test_what_was_to_be_run_and_was_not_is_answered_for(ask: Ask) -> None:
    """By `sweep`, with exit code 1; not what no look has asked for yet."""

    class Lazy(Runner):
        def __call__(self, found: Inventory) -> None:
            super().__call__(found) if not self.rounds else self.rounds.append([])

    looked, ended = until_decided(ask(**GRID), FOREVER, Lazy().means())
    assert looked.state.look == 1 and ended.startswith("Undecided at the first look")
    assert looked.used.plan.counts()["missing"] == 0
    counts = looked.due.plan.counts()
    assert counts["missing"] == 6 and counts["done"] == 12
    assert replace(looked, tried=frozenset()).due.plan == looked.used.plan


def test_a_first_look_that_is_too_long_is_refused(ask: Ask) -> None:
    runner = Runner()
    with pytest.raises(UserError, match="the first look, of 3 seeds, would take about 2 h; allow more"):
        until_decided(ask(**GRID), Limit(1.0, time.monotonic()), runner.means(seconds=7200))
    assert runner.rounds == []


def test_without_a_forecast_the_pace_of_the_looks_so_far_counts(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute a trial: 12 min for the first look; six trials of the second would take six more."""
    clock = [0.0]
    for module in (sequential, balance):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Slow(Runner):
        def __call__(self, found: Inventory) -> None:
            super().__call__(found)
            clock[0] += 60 * len(self.rounds[-1])

    runner = Slow()
    _, ended = until_decided(ask(**GRID), Limit(0.25, 0.0), runner.means())
    assert len(runner.rounds) == 1 and "would take about 6 min, and 3 min of --max-hours 0.25 are left" in ended


def test_a_failed_trial_holds_nothing_up(ask: Ask) -> None:
    runner = Runner(failing=("reduction=2 seed=1", "no_se seed=4"))
    looked, _ = until_decided(ask(**GRID), FOREVER, runner.means())
    lines = looked.state.comparison.set_index("variant")
    assert lines.loc["reduction=2", "n_pairs"] == looked.state.design.seeds(lines.loc["reduction=2", "look"]) - 2
    assert lines.loc["reduction=1", "n_pairs"] == 3
    assert looked.used.plan.counts()["failed"] == 2, "the command says so and ends with 1"
    again = Runner(failing=runner.failing, rerun=("failed",))
    until_decided(ask(**GRID), FOREVER, again.means())
    assert again.rounds == [["reduction=2 seed=1", "no_se seed=4"]], "once, though they fail again"


def test_results_of_older_code_are_not_looked_at(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    until_decided(ask(**GRID), FOREVER, Runner().means())
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    with pytest.raises(UserError, match=r"first look, of 3 seeds, is not complete \(12 stale\); add --rerun stale"):
        until_decided(ask(**GRID), FOREVER, Runner().means())
    assert verdicts(look(ask(**GRID), include_stale=True))["reduction=2"] == ("worse", 5)
    newer = Runner(rerun=("stale",))
    looked, _ = until_decided(ask(**GRID), FOREVER, newer.means())
    assert [len(names) for names in newer.rounds] == [12, 6, 6, 8, 12] and looked.state.look == 5


def test_after_a_rerun_of_stale_trials_is_cut_the_advice_leads_on(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    until_decided(ask(**GRID), FOREVER, Runner().means())
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    with pytest.raises(KeyboardInterrupt):
        until_decided(ask(**GRID), FOREVER, Runner(rerun=("stale",), most=12).means())
    without = Runner()
    _, ended = until_decided(ask(**GRID), FOREVER, without.means())
    assert without.rounds == []
    assert "`sweep` with --until-decided --rerun stale and the same" in ended
    assert ended.endswith("; 6 of its trials are of other code, which --rerun stale runs again")
    looked, ended = until_decided(ask(**GRID), FOREVER, Runner(rerun=("stale",)).means())
    assert looked.state.look == 5 and "stale" not in ended


def test_the_first_look_is_run_by_the_command_that_is_told(ask: Ask) -> None:
    asked = ask(**GRID)
    otherwise = replace(asked.question, changed=(("seeds", "3"), ("train.epochs", "2")))
    with pytest.raises(UserError) as told:
        complete(look(replace(asked, question=otherwise)))
    command = str(told.value).partition("run it: ")[2]
    assert command.endswith(f"--store {asked.store.root} --seeds 3 --set train.epochs=2 --until-decided")


def reported(ask: Ask) -> Report:
    until_decided(ask(**GRID), FOREVER, Runner().means())
    found = complete(look(ask(**GRID)))
    return report.analyse(found.whole.question, found.used.planned, found.used.records, looks=found.state)


def test_the_page_says_how_seeds_were_added(ask: Ask) -> None:
    """In limits, statistics, protocol and checklist; and nowhere that their number was fixed."""
    told = page.html(reported(ask))
    assert "fixed beforehand" not in told and "not used to choose anything" not in told
    looked = "looks of 3, 5, 8, 12, 18 seeds"
    for said in (
        f"undecided rows were given more at {looked}",
        "valid if the first number, 3, was chosen before results were seen",
        "after Holm over the 3 comparisons and all looks",
        "the paired t test gives p &lt; .05 after Holm over the 3 comparisons and all looks",
        f"seeds 0 to 2 at the first of the {looked}",
        "assumes only symmetry",
        "--until-decided",
    ):
        assert said in told, said
    whole = page.html(report.analyse(ask(**GRID).question, ask(**GRID).planned, ask(**GRID).records))
    assert "fixed beforehand" in whole and "all looks" not in whole


def test_the_caption_for_a_paper_sells_no_seeds(ask: Ask) -> None:
    runner = Runner(most=12)
    with pytest.raises(KeyboardInterrupt):
        until_decided(ask(**GRID), FOREVER, runner.means())
    found = complete(look(ask(**GRID)))
    answer = report.analyse(found.whole.question, found.used.planned, found.used.records, looks=found.state)
    assert "More seeds:" in answer.caption() and "More seeds" not in answer.latex()
    assert "valid if the first number, 3, was chosen before results were seen" in " ".join(answer.latex().split())


def test_the_formula_of_p_is_the_one_that_gives_it(ask: Ask) -> None:
    """The row that only look 5 decides: alone with the equivalent one in Holm's family then."""
    answer = reported(ask)
    row = answer.comparison.set_index("variant").loc["reduction=2"]
    told = trace._formula("p", row)
    assert "of look 5, Holm-adjusted over those of the 3 comparisons" in told
    assert "times 30: look k spends 0.05 / (k (k + 1))" in told
    assert row["p_holm"] == pytest.approx(30 * 2 * row["p"])


def test_the_seeds_of_the_sheet_are_those_that_rows_have(ask: Ask) -> None:
    assert reported(ask).sheet().facts["seeds"] == "3 to 18"


def test_opened_in_python_it_is_the_same(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(TYPED)
    with pytest.raises(UserError, match="the first look, of 3 seeds, is not complete"):
        opened(tmp_path)
    found = inventory.take(catalog.read(tmp_path / "small.py"), tmp_path)
    for planned in found.planned:
        label = "reduction=1" if planned.variant.label != "no_se" else "no_se"
        errors = round(np.random.default_rng([4, planned.trial.seed]).normal(*WRONG[label]))
        store.finish(found.store.open(planned), make_record(planned, errors, sweep="small", settings={}))
    answer = opened(tmp_path)
    assert answer.looks is not None and answer.looks.look == 1
    assert open_sweep(str(tmp_path / "small.py"), tmp_path).looks is None


def opened(folder: Path) -> Report:
    return open_sweep(str(folder / "small.py"), folder, until_decided=True)


TYPED = '''"""Is small enough?"""
from senet_lab import Data, Model, Sweep, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=842),
        train=Train(epochs=1, batch_size=64, learning_rate=0.1),
    ),
    grid={"model.se.reduction": [2]},
    controls=["no_se"],
    baseline="no_se",
    seeds=3,
    margin=0.1,
)
'''


@pytest.mark.slow
@pytest.mark.long
def test_as_it_is_typed(tmp_path: Path) -> None:
    """`report` says the same of the same store; without looks it is of the file's seeds."""
    (tmp_path / "small.py").write_text(TYPED)

    def typed(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, timeout=300)

    swept = typed("sweep", "small.py", "--until-decided", "--max-hours", "1", "--executor", "local")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "Look 1: 3 seeds of every row" in swept.stdout and "6 of 6 trials ended" in swept.stdout
    assert "The row is decided at" in swept.stdout
    folder = tmp_path / "reports" / "small+until-decided"
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    reported = typed("report", "small.py", "--until-decided")
    assert reported.returncode == 0, reported.stderr
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    one = typed("report", "small.py")
    most = pd.read_csv(folder / "table.csv")["n"].max()
    assert ("The store holds up to" in one.stdout) == (most > 3)
    assert pd.read_csv(tmp_path / "reports" / "small" / "table.csv")["n"].tolist() == [3, 3]


def test_a_report_by_the_files_seeds_says_that_looks_added_to_them(
    ask: Ask, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = ask(seeds=2)
    command = "senet-lab sweep tiny --seeds 1 --until-decided"
    here = environment.collect()
    looked = found.store.save_environment(here.model_copy(update={"command": command}))
    usual = found.store.save_environment(here.model_copy(update={"command": "senet-lab sweep tiny"}))
    for wanted in found.planned:
        ran = usual if wanted.trial.seed == 0 else looked
        store.finish(found.store.open(wanted), make_record(wanted, environment=ran))
    report_only(found.again(), tmp_path / "reports", False)
    assert f"Mind: 2 of these trials were added look after look by `{command}`" in " ".join(
        capsys.readouterr().out.split()
    )
