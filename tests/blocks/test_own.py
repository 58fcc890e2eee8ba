"""Operators of sweep files: known where they run, tried out before, trained with what they were born with."""

import textwrap
from pathlib import Path

import pytest
import torch

from senet_lab import SE, catalog, inventory, store, sweep
from senet_lab.blocks import own
from senet_lab.blocks.se import SEBlock
from senet_lab.blocks.squeeze import SQUEEZES
from senet_lab.errors import SpecError
from senet_lab.executors.local import Local
from senet_lab.models import build
from senet_lab.records import TrialRecord
from senet_lab.spec import Source, apply, operators
from tests.conftest import TINY

FILE = '''"""Does a pooling between mean and maximum help?"""
import torch
from senet_lab import Data, Model, Sweep, Train, Trial, gate, squeeze


@squeeze("gem")
class GeM(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.p = torch.nn.Parameter(torch.tensor({power}))

    def forward(self, x):
        return x.clamp(min=1e-6).pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)


@squeeze("weighed")
class Weighed(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(channels))
        self.register_buffer("shift", torch.full((channels,), 0.5))

    def forward(self, x):
        return x.mean(dim=(2, 3)) * self.weight + self.shift


gate("hard")(torch.nn.Hardsigmoid)

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs=1, batch_size=64, learning_rate=0.1),
    ),
    grid={{"model.se.reduction": [2], "model.se.squeeze": ["avg", "gem", "weighed"], "model.se.gate": ["hard"]}},
    baseline={{"model.se.reduction": 2, "model.se.squeeze": "avg", "model.se.gate": "hard"}},
    seeds=1,
    margin=0.01,
)
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pooling.py"
    path.write_text(FILE.format(power="3.0"), encoding="utf-8")
    return path


def run(path: Path) -> inventory.Inventory:
    """What the store beside the file holds after the sweep ran, in this process."""
    question = catalog.read(path)
    sweep.run(inventory.take(question, path.parent / "runs"), Local(), lambda step: None)
    return inventory.take(question, path.parent / "runs")


def test_a_file_brings_its_operators(file: Path) -> None:
    question = catalog.read(file)
    assert question.own is not None
    assert question.own.operators == {("squeeze", "gem"), ("squeeze", "weighed"), ("gate", "hard")}
    assert [row.label.partition(",")[2] for row in question.rows] == [
        "squeeze=avg,gate=hard", "squeeze=gem,gate=hard", "squeeze=weighed,gate=hard"
    ]  # fmt: skip


def test_a_file_without_operators_does_not_travel() -> None:
    assert catalog.read(catalog.find("reduction_ratio")).own is None


def test_trials_with_them_are_done_and_only_those_of_an_edited_one_are_run_again(file: Path) -> None:
    before = run(file)
    assert before.plan.counts() == {"done": 3}
    file.write_text(FILE.format(power="2.0"), encoding="utf-8")
    edited = inventory.take(catalog.read(file), file.parent / "runs")
    states = {t.variant.trial.model.se.squeeze: state for t, state in edited.plan.trials if t.variant.trial.model.se}
    assert states == {"avg": "done", "gem": "stale", "weighed": "done"}
    file.write_text(FILE.format(power="3.0").replace("between", "somewhere between"), encoding="utf-8")
    assert inventory.take(catalog.read(file), file.parent / "runs").plan.counts() == {"done": 3}


def test_what_an_operator_is_born_with_is_what_training_starts_from(file: Path) -> None:
    source = catalog.read(file).own
    own.use(source)
    model = apply(TINY, {"model.se.squeeze": "gem"}).model
    network = build(model, channels=1, classes=10, seed=0, device=torch.device("cpu"))
    assert [p.item() for name, p in network.named_parameters() if name.endswith("squeeze.p")] == [3.0]


def test_its_own_weights_are_drawn_by_seed_and_disturb_no_other(file: Path) -> None:
    own.use(catalog.read(file).own)
    plain = apply(TINY, {"model.se.reduction": 2})
    weighed = apply(plain, {"model.se.squeeze": "weighed"})
    torch.manual_seed(5)
    before = torch.get_rng_state()
    networks = [
        build(t.model, channels=1, classes=10, seed=s, device=torch.device("cpu")).state_dict()
        for t, s in ((plain, 0), (weighed, 0), (weighed, 0), (weighed, 1))
    ]
    assert torch.equal(torch.get_rng_state(), before)
    drawn = [{k: v for k, v in n.items() if "squeeze" in k} for n in networks]
    assert len(drawn[0]) == 0 and {k.rpartition(".")[2] for k in drawn[1]} == {"weight", "shift"}
    assert all(torch.equal(drawn[1][k], drawn[2][k]) for k in drawn[1])
    weights = [k for k in drawn[1] if k.endswith("weight")]
    assert weights and not any(torch.equal(drawn[1][k], drawn[3][k]) for k in weights)
    assert all(bool((v == 0.5).all()) for k, v in drawn[1].items() if k.endswith("shift"))
    assert all(torch.equal(networks[0][k], networks[1][k]) for k in networks[0])


def test_the_text_is_enough_for_a_process_that_has_not_read_the_file(file: Path) -> None:
    source = catalog.read(file).own
    assert source is not None
    del SQUEEZES["gem"]
    own._made.clear()
    file.unlink()
    own.use(source)
    assert SEBlock(4, SE(squeeze="gem")).squeeze(torch.ones(2, 4, 3, 3)).shape == (2, 4)


def test_of_two_files_with_one_name_each_means_its_own(tmp_path: Path) -> None:
    def source(name: str, power: str) -> Source:
        text = FILE.format(power=power)
        return Source(name, text, frozenset({("squeeze", "gem"), ("squeeze", "weighed"), ("gate", "hard")}))

    for name, power in (("a", "2.0"), ("b", "5.0"), ("a", "2.0")):
        own.use(source(name, power))
        assert SEBlock(4, SE(squeeze="gem")).squeeze.p.item() == float(power)


def test_a_file_that_was_read_in_between_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(FILE.format(power="7.0"), encoding="utf-8")
    (tmp_path / "mine.py").write_text(FILE.format(power="1.0"), encoding="utf-8")
    mine = catalog.read(tmp_path / "mine.py").own
    own.use(mine)
    catalog.read(tmp_path / "other.py")
    own.use(mine)
    assert SEBlock(4, SE(squeeze="gem")).squeeze.p.item() == 1.0


def test_a_file_that_uses_anothers_operator_is_refused_also_after_that_one_was_read(file: Path) -> None:
    catalog.read(file)
    text = FILE.format(power="1.0")
    bare = text[: text.index("@squeeze")] + text[text.index("SWEEP = ") :]
    (file.parent / "bare.py").write_text(bare, encoding="utf-8")
    with pytest.raises(SpecError, match=r"model\.se\.squeeze: found 'gem'; allowed: avg, max, none"):
        catalog.read(file.parent / "bare.py")


COOKIE = "# -*- coding: latin-1 -*-\n# gr\u00fcn\n"


@pytest.mark.parametrize(("first", "encoding"), [("\ufeff", "utf-8"), (COOKIE, "latin-1")])
def test_the_text_is_read_as_python_reads_it(first: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes((first + FILE.format(power="2.0")).encode(encoding))
    own._made.clear()
    own.use(catalog.read(tmp_path / "mine.py").own)
    assert SEBlock(4, SE(squeeze="gem")).squeeze.p.item() == 2.0


def test_a_traceback_shows_the_lines_of_the_file(file: Path) -> None:
    file.write_text(FILE.format(power="3.0").replace("x.clamp(min=1e-6)", "x.never_heard_of"), encoding="utf-8")
    question = catalog.read(file)
    assert question.own is not None
    with pytest.raises(
        SpecError, match=r"pooling\.py: squeeze 'gem' and gate 'hard' failed on a small map.*never_heard_of"
    ):
        own.try_out(question.rows[1].trial, question.own)
    sweep.run(inventory.take(question, file.parent / "runs"), Local(), lambda step: None)
    failed = [r for r in inventory.take(question, file.parent / "runs").records if r.status == "failed"]
    assert len(failed) == 1 and "return x.never_heard_of.pow(self.p)" in (failed[0].traceback or "")


def test_a_record_of_an_operator_that_no_file_defines_any_more_can_be_read(file: Path) -> None:
    run(file)
    for kind_and_name in [*operators._defined]:
        del operators._defined[kind_and_name]
    with pytest.raises(SpecError, match=r"found 'gem'; .*allowed: avg, max, none.*@squeeze\('gem'\)"):
        apply(TINY, {"model.se.squeeze": "gem"})
    records = store.Store(file.parent / "runs", "pooling").contents()[0]
    assert {r.trial.model.se.squeeze for r in records if r.trial.model.se} == {"avg", "gem", "weighed"}
    assert all(isinstance(r, TrialRecord) for r in records)


def test_names_are_listed_where_one_is_wrong(file: Path) -> None:
    catalog.read(file)
    with pytest.raises(SpecError, match=r"did you mean 'gem'\? allowed: avg, max, none, .*gem"):
        apply(TINY, {"model.se.squeeze": "gemm"})


def test_a_file_may_mark_a_function_that_makes_the_operator(tmp_path: Path) -> None:
    text = textwrap.dedent('''
        """Is a clipped gate enough?"""
        import torch
        from senet_lab import Sweep, gate, recipes

        @gate("clipped")
        def clipped(channels: int):
            return torch.nn.Hardtanh(0, channels)

        SWEEP = Sweep(base=recipes.DIGITS, variants=[{"model.se.gate": "clipped"}], controls=["no_se"],
                      baseline="no_se", seeds=1, margin=0.01)
    ''')
    (tmp_path / "clip.py").write_text(text, encoding="utf-8")
    own.use(catalog.read(tmp_path / "clip.py").own)
    assert SEBlock(6, SE(gate="clipped")).gate.max_val == 6
