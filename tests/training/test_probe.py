"""The gates that are kept, against those of each block asked by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from senet_lab import data, gates, models
from senet_lab.blocks.se import SEBlock
from senet_lab.data.split import split
from senet_lab.networks import NETWORKS
from senet_lab.spec import SE, CifarResNet, Data, Model
from senet_lab.training import evaluate as module
from senet_lab.training.evaluate import evaluate
from senet_lab.training.probe import Probe, blocks
from tests.data.pictures import write_parquet
from tests.training.ready import Part

NAMES = ("a", "b", "c", "none of it")


def part(n: int = 37) -> Part:
    chance = torch.Generator().manual_seed(0)
    x_NCHW = torch.randn(n, 1, 8, 8, generator=chance) * torch.linspace(0.1, 3, n)[:, None, None, None]
    return Part(x_NCHW, torch.randint(0, 3, (n,), generator=chance))


def network(classes: int = 4, **changes: Any) -> nn.Module:
    """Two stages of two units, of 6 and 60 channels."""
    se = None if changes.get("se", 0) is None else SE(**({"reduction": 2} | changes))
    model = CifarResNet(depth=10, widths=(6, 60), se=se)
    return models.build(model, channels=1, classes=classes, seed=3, device=torch.device("cpu"))


def by_hand(made: nn.Module, images: Part) -> dict[str, NDArray[np.float64]]:
    """Name -> (images, channels): each block is asked for its weights on the whole part at once."""
    inputs: dict[nn.Module, Tensor] = {}
    found = [m for m in made.modules() if isinstance(m, SEBlock)]
    handles = [b.register_forward_pre_hook(lambda b, x: inputs.__setitem__(b, x[0].clone())) for b in found]
    with torch.no_grad():
        made.eval()(images.x_NCHW)
        for handle in handles:
            handle.remove()
        weights = [block.excitation(inputs[block]).double() for block in found]
    flat = [(w if w.ndim == 2 else w.flatten(1, 2).mean(1)).numpy() for w in weights]
    return {f"SE_{2 + i // 2}_{1 + i % 2}": w for i, w in enumerate(flat)}


def kept(made: nn.Module, images: Any, names: tuple[str, ...] = NAMES) -> Any:
    """The frame of what the probe keeps, and the test result beside it."""
    probe = Probe(made, images, names)
    with probe.watching():
        evaluate(made, images)
    payload = probe.payload()
    assert payload is not None
    return gates.from_bytes(payload).to_pandas()


def check(frame: Any, expected: dict[str, NDArray[np.float64]], labels: list[int], strides: dict[int, int]) -> None:
    """Every number of `frame`; `strides`: channels of a block -> of those that are kept of each class."""
    assert frame["block"].astype(str).drop_duplicates().tolist() == list(expected)
    for name, gates_NC in expected.items():
        mine = frame[frame["block"] == name]
        channels = gates_NC.shape[1]
        assert set(mine["channels"]) == {channels}
        for k in (-1, 0, 1, 2):
            chosen = gates_NC if k == -1 else gates_NC[np.array(labels) == k]
            rows = mine[(mine["class"] == k) & (mine["image"] == -1)]
            stride = 1 if k == -1 else strides[channels]
            assert rows["channel"].tolist() == list(range(0, channels, stride))
            assert set(rows["images"]) == {len(chosen)}
            assert rows["mean"].to_numpy() == pytest.approx(chosen.mean(0)[::stride], abs=1e-6)
            assert rows["sd"].to_numpy() == pytest.approx(chosen.std(0, ddof=0)[::stride], abs=1e-6)
        single = mine[mine["image"] >= 0]
        assert (single["class"].to_numpy() == np.array(labels)[single["image"]]).all()
        assert set(single["sd"]) == {0.0} and set(single["images"]) == {1}
        grid = list(range(0, channels, -(-channels // 50)))
        wanted = sorted(i for k in (0, 1, 2) for i in [i for i, y in enumerate(labels) if y == k][:5])
        assert list(zip(single["image"], single["channel"], strict=True)) == [(i, c) for i in wanted for c in grid]
        assert single["mean"].to_numpy() == pytest.approx(gates_NC[wanted][:, grid].ravel(), abs=1e-6)


@pytest.mark.parametrize("batch", [512, 37, 5, 1])
def test_means_deviations_and_single_images_are_those_of_the_blocks(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", batch)
    made, images = network(), part()
    check(kept(made, images), by_hand(made, images), images.y_N.tolist(), {6: 1, 60: 1})


@pytest.mark.parametrize(
    "settings", [{"squeeze": "none"}, {"gate": "relu"}, {"squeeze": "max", "gate": "tanh"}], ids=str
)
def test_other_operators_too(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each position has its own gates, an image's are their mean."""
    monkeypatch.setattr(module, "BATCH", 16)
    made, images = network(**settings), part()
    check(kept(made, images), by_hand(made, images), images.y_N.tolist(), {6: 1, 60: 1})


def test_of_many_classes_and_channels_the_papers_grid_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "WHOLE", 4 * 60 - 1)
    made, images = network(), part()
    check(kept(made, images), by_hand(made, images), images.y_N.tolist(), {6: 1, 60: 2})


def test_only_some_of_very_many_classes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MOST_CLASSES", 2)
    made, images = network(), part()
    frame, expected = kept(made, images), by_hand(made, images)
    rows = frame[(frame["block"] == "SE_3_2") & (frame["image"] == -1)]
    assert rows["class"].drop_duplicates().tolist() == [-1, 0, 2]
    chosen = expected["SE_3_2"][images.y_N.numpy() == 2]
    assert rows[rows["class"] == 2]["mean"].to_numpy() == pytest.approx(chosen.mean(0), abs=1e-6)


def test_test_images_of_some_classes_alone_are_enough() -> None:
    """With twenty classes every second one is probed: none of those that the images are of, were all counted."""
    images = part(8)
    odd = Part(images.x_NCHW, torch.arange(1, 17, 2))
    frame = kept(network(classes=20), odd, tuple(map(str, range(20))))
    assert sorted(frame[frame["image"] >= 0]["image"].unique()) == list(range(8))
    assert set(frame[frame["image"] < 0]["class"]) == {-1, *range(1, 17, 2)}


def test_without_an_image_to_probe_there_are_statistics_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "PROBED_IMAGES", 0)
    frame = kept(network(), part())
    assert set(frame["image"]) == {-1} and set(frame["class"]) == {-1, 0, 1, 2}


def test_the_deviation_of_a_gate_that_hardly_moves_is_exact() -> None:
    """Sums of squares would leave 1e-8 of nothing, and lose a deviation that small."""
    made, images = network(), part()
    near = next(b for b in made.modules() if isinstance(b, SEBlock))

    class Fixed(nn.Module):
        def forward(self, x_NC: Tensor) -> Tensor:
            made_NC = torch.full_like(x_NC, 1 - 2**-24)
            made_NC[-1, 1] = 1.0
            return made_NC

    near.gate = Fixed()
    frame = kept(made, images)
    rows = frame[(frame["block"] == "SE_2_1") & (frame["class"] == -1)]
    expected = [0.0, 2**-24 * np.sqrt(1 / 37 - 1 / 37**2), 0.0, 0.0, 0.0, 0.0]
    assert rows["sd"].tolist() == pytest.approx(expected, rel=1e-6)


def test_an_image_whose_gates_are_no_numbers_spoils_its_own_class_alone() -> None:
    made, images = network(), part()
    images.x_NCHW[0] = float("nan")
    frame = kept(made, images)
    rows = frame[(frame["image"] == -1) & (frame["class"] >= 0)]
    spoilt = rows[rows["mean"].isna()]["class"].unique().tolist()
    assert spoilt == [images.y_N[0].item()] and set(rows["class"]) == {0, 1, 2}


@pytest.mark.parametrize("settings", [{}, {"squeeze": "none"}, {"se": None}], ids=str)
def test_the_test_result_is_the_same_to_the_last_bit_and_no_hook_stays(settings: dict[str, Any]) -> None:
    made, images = network(**settings), part()
    plain = evaluate(made, images)
    probe = Probe(made, images, NAMES)
    with probe.watching():
        watched = evaluate(made, images)
    assert watched == plain
    with pytest.raises(ZeroDivisionError), Probe(made, images, NAMES).watching():
        raise ZeroDivisionError
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in made.modules())
    assert (probe.payload() is None) == ("se" in settings)


def test_a_gate_that_all_blocks_share_counts_in_each_of_them() -> None:
    made, images = network(), part()
    shared = nn.Sigmoid()
    for block in made.modules():
        if isinstance(block, SEBlock):
            block.gate = shared
    check(kept(made, images), by_hand(made, images), images.y_N.tolist(), {6: 1, 60: 1})


def test_two_passes_make_the_same_bytes() -> None:
    made, images = network(), part()
    files = []
    for _ in range(2):
        probe = Probe(made, images, NAMES)
        with probe.watching():
            evaluate(made, images)
        files.append(probe.payload())
    assert files[0] == files[1]


def test_a_part_that_was_not_seen_whole_gives_no_file() -> None:
    made, images = network(), part()
    probe = Probe(made, images, NAMES)
    with probe.watching():
        made(images.x_NCHW[:5])
    with pytest.raises(AssertionError, match="SE_2_1 saw 5 of 37 test images"):
        probe.payload()


def test_resnet50s_blocks_have_the_names_and_channels_of_the_papers_figure() -> None:
    found = named(NETWORKS["se_resnet50"].model)
    paper = {"SE_2_3": 256, "SE_3_4": 512, "SE_4_6": 1024, "SE_5_1": 2048, "SE_5_2": 2048, "SE_5_3": 2048}
    assert len(found) == 3 + 4 + 6 + 3 and {name: found[name] for name in paper} == paper
    assert list(found)[:4] == ["SE_2_1", "SE_2_2", "SE_2_3", "SE_3_1"] and list(found)[-1] == "SE_5_3"


@pytest.mark.parametrize(
    "name", ["vgg16", "bn_inception", "inception_resnet_v2", "mobilenet", "shufflenet", "resnet164"]
)
def test_in_every_family_a_block_is_named_by_stage_and_unit(name: str) -> None:
    """Layers between the units (pooling, the modules that halve the map) are not counted."""
    model = NETWORKS[f"se_{name}"].model
    assert model.se is not None
    expected: dict[str, int] = {}
    for unit in model.units:
        number = 1 + sum(other.startswith(f"SE_{unit.stage}_") for other in expected)
        expected[f"SE_{unit.stage}_{number}"] = unit.channels(model.se.placement)
    assert named(model) == expected and list(named(model)) == list(expected)


def named(model: Model) -> dict[str, int]:
    made = models.build(model, channels=3, classes=10, seed=0, device=torch.device("meta"))
    return {name: block.expand.out_features for name, block in blocks(made).items()}


def test_stages_without_se_have_no_names() -> None:
    assert list(blocks(network(stages=(3,)))) == ["SE_3_1", "SE_3_2"]


def test_images_that_are_decoded_one_by_one_have_their_own_labels(tmp_path: Path) -> None:
    """Pictures of one grey each: two classes, in no order; the labels of the gates are those of the files."""
    write_parquet(tmp_path / "mine" / "train.parquet", list(range(20)), [0, 1] * 10)
    write_parquet(tmp_path / "mine" / "test.parquet", [30, 31, 32, 33, 34], [0, 1, 1, 0, 1])
    asked = Data(source="parquet:mine", validation=4, image_size=8)
    images = split(data.load(asked, tmp_path), asked, 0, torch.device("cpu"), loaders=0).test
    made = models.build(
        CifarResNet(depth=10, widths=(6, 60), se=SE(reduction=2)), channels=3, classes=2, seed=3,
        device=torch.device("cpu"),
    )  # fmt: skip
    whole = Part(next(iter(images.in_order(99)))[0], torch.tensor([0, 1, 1, 0, 1]))
    frame, expected = kept(made, images, ("a", "b")), by_hand(made, whole)
    for k, rows in ((0, [0, 3]), (1, [1, 2, 4])):
        found = frame[(frame["block"] == "SE_3_1") & (frame["class"] == k) & (frame["image"] == -1)]
        assert found["mean"].to_numpy() == pytest.approx(expected["SE_3_1"][rows].mean(0), abs=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_gates_are_those_of_the_cpu() -> None:
    made, images = network(), part()
    expected = kept(made, images)
    found = kept(made.cuda(), Part(images.x_NCHW.cuda(), images.y_N.cuda()))
    keys = [name for name in expected.columns if name not in ("mean", "sd")]
    assert found[keys].equals(expected[keys])
    assert found[["mean", "sd"]].to_numpy() == pytest.approx(expected[["mean", "sd"]].to_numpy(), abs=1e-3)
