"""The benchmark's own parts: plain networks are the same functions as ours, goals are judged as they say."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks import blocks, forecasts, measure, plain
from benchmarks.cases import Case, resnet50, trained
from benchmarks.measure import Goal, Part, Row
from senet_lab import catalog

CASES = [case for case in trained() if case.size <= 32] + [resnet50(16, 2, 64)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plain_networks_are_the_same_functions(case: Case) -> None:
    ours, theirs = case.ours().double(), case.theirs().double()
    for network in (ours, theirs):
        assert sum(p.numel() for p in network.parameters()) == sum(p.numel() for p in ours.parameters())
    x_NCHW = torch.randn(4, case.channels, case.size, case.size, dtype=torch.float64)
    x_NCHW = x_NCHW.to(memory_format=torch.channels_last)
    for mode in (True, False):  # with the statistics of the batch, then with the running ones that it left
        logits = [network.train(mode)(x_NCHW) for network in (ours, theirs)]
        torch.testing.assert_close(*logits, rtol=1e-9, atol=1e-9)
    assert logits[0].std() > 0


def test_gradients_are_the_same_too() -> None:
    case = trained()[0]
    # Equal images would leave batch norm next to nothing to divide by, and rounding would be all there is.
    x_NCHW = torch.randn(8, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    sums = []
    for network in (case.ours().double(), case.theirs().double()):
        network(x_NCHW).square().sum().backward()
        sums.append(sorted(float(p.grad.abs().sum()) for p in network.parameters() if p.grad is not None))
    assert sums[0] == pytest.approx(sums[1]) and sums[0][-1] > 0


@pytest.mark.parametrize("form", [blocks.LikeTimm, blocks.LikeTorchvision])
def test_the_blocks_written_out_are_the_plain_block(form: Callable[[int, int], torch.nn.Module]) -> None:
    usual, other = plain.SEModule(32, reduction=8), form(32, 4)
    weights = dict(zip(("fc1", "fc2"), usual.parameters(), strict=True))
    for name, weight in weights.items():
        layer = other.get_submodule(name)
        layer.load_state_dict({"weight": weight.detach()[:, :, None, None], "bias": torch.zeros(len(weight))})
    x_NCHW = torch.randn(4, 32, 6, 5)
    torch.testing.assert_close(other(x_NCHW), usual(x_NCHW))
    assert not torch.equal(usual(x_NCHW), x_NCHW / 2)


def test_a_goal_is_judged_by_the_median_and_the_spread_is_told() -> None:
    at_most = Goal("<=", 1.1)
    assert Row("a", "", "", [1.0, 1.05, 1.09], at_most).verdict == "met"
    assert Row("a", "", "", [1.0, 1.05, 1.2], at_most).verdict == "met (spread straddles)"
    assert Row("a", "", "", [1.0, 1.15, 1.2], at_most).verdict == "missed (spread straddles)"
    assert Row("a", "", "", [2.0, 3.5, 4.0], Goal(">=", 3)).verdict == "met (spread straddles)"
    assert Row("a", "", "", [2.0, 2.5], Goal(">=", 3)).verdict == "missed"
    assert Row("a", "", "", [], at_most).verdict == Row("a", "", "", [1.0]).verdict == ""


def test_every_other_round_goes_backwards() -> None:
    order: list[str] = []
    ways = {name: (lambda n=name: order.append(n) or float(len(order))) for name in "abc"}
    found = measure.in_turn(ways, 2)  # type: ignore[arg-type]
    assert "".join(order) == "abccba" and found == {"a": [1, 6], "b": [2, 5], "c": [3, 4]}
    assert measure.fastest(found, ["b", "c"]) == "b"


def test_a_page_leaves_out_empty_columns_and_says_why_a_part_is_missing() -> None:
    part = Part("Title", "ours / plain", rows=[Row("a|b", "1 s", "2 s", [0.5, 0.5])], busy=[0.0, 0.1])
    page = part.markdown()
    assert "| what | ours | plain | ratio | min - max | n |\n" in page and r"| a\|b | 1 s | 2 s | 0.500 |" in page
    assert "needs a CUDA GPU" in Part("Title", "", cannot="needs a CUDA GPU").markdown()


def test_a_part_comes_back_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(chosen: object, part: Part) -> None:
        part.rows.append(Row("a", "1", "2", [0.5], Goal("<=", 1)))
        raise measure.CannotRun("needs more")

    monkeypatch.setattr("sys.argv", ["part", "--json", str(tmp_path / "part.json")])
    monkeypatch.setattr(measure, "busy_of_others", lambda: 0.0)
    part = Part("Title", "")
    measure.main(measure.options("about"), fill, part)
    assert measure.read(tmp_path / "part.json") == part and part.cannot == "needs more"


def test_forecasts_are_counted_that_came_near(monkeypatch: pytest.MonkeyPatch) -> None:
    actual = {
        case.asked: 10.0 * factor for case, factor in zip(forecasts.SWEEPS, (1.19, 0.81, 1.21, 0.5), strict=False)
    }

    def compared(case: forecasts.Sweep) -> dict[str, object]:
        told = {"forecast": 10.0, "low": 8.0, "high": 12.5, "actual": actual[case.asked], "command": 20.0}
        source = "done trials" if case.first else "probe"
        return told | {"sweep": case.asked, "first": case.first, "source": source, "trials": 12}

    monkeypatch.setattr(forecasts, "compared", compared)
    part = Part("Title", "actual / forecast")
    forecasts.fill(Namespace(sweeps=4), part)
    *each, last = part.rows
    assert [row.median for row in each] == pytest.approx([1.19, 0.81, 1.21, 0.5])
    assert (last.ours, last.median, last.verdict) == ("2 of 4", 0.5, "missed")
    assert "3 of 4 sweeps" in part.notes[-2] and "probe: actual / forecast 1.200" in part.notes[1]


def test_there_are_ten_different_forecasts_of_shipped_sweeps() -> None:
    assert len({case.asked for case in forecasts.SWEEPS}) == len(forecasts.SWEEPS) == 10
    assert {case.asked.split()[0] for case in forecasts.SWEEPS} <= set(catalog.names())
    assert sum(bool(case.first) for case in forecasts.SWEEPS) == 5
