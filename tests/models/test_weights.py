"""Weights from files: every tensor at its place."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from senet_lab import models
from senet_lab.models.weights import put
from senet_lab.spec import SE, Model, ResNet, ResNeXt, SENet
from tests.models.published_files import (
    B152,
    FILES,
    NARROW,
    SE_BIAS,
    TORCHVISION,
    built,
    drawn,
    narrow,
    published,
)

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize("name", FILES)
def test_published_names_and_shapes_are_those_of_the_network(name: str) -> None:
    model, shapes, millions = FILES[name]
    trained = (n for n in shapes if n.rpartition(".")[2] in ("weight", "bias"))
    assert round(sum(torch.Size(shapes[n]).numel() for n in trained) / 1e6, 2) == millions
    network = models.build(model, channels=3, classes=1000, seed=0, device=META)
    put(network, model, {n: torch.empty(shape, device=META) for n, shape in shapes.items()}, name)


def place(network: Any, name: str) -> Tensor:
    """The tensor of `network` that a published name means, found by walking its attributes."""
    *path, last = name.split(".")
    node: Any = network
    if path[0].startswith("layer") and path[0] != "layer0":
        node = network.stages[str(int(path[0][-1]) + 1)][int(path[1])]
        path = path[2:]
        if path[0] == "downsample":
            node, path = node.projection[int(path[1])], []
        elif path[0] in ("se_module", "se"):
            node, path = {"fc1": node.se.reduce, "fc2": node.se.expand}[path[1]], []
    elif path[0] in ("last_linear", "fc"):
        node, path = network.classifier, []
    else:
        node, path = network.stem, path[path[0] == "layer0" :]
    for part in path:
        node = getattr(node, part)
    found: Tensor = getattr(node, last)
    return found


def same(network: nn.Module, tensors: dict[str, Tensor]) -> bool:
    return all(torch.equal(place(network, n), t.reshape(place(network, n).shape)) for n, t in tensors.items())


@pytest.mark.parametrize("name", ["legacy_seresnet50", "resnet50"])
def test_at_full_size_every_tensor_lands(name: str, tmp_path: Path) -> None:
    model, shapes, _ = FILES[name]
    tensors = drawn(shapes)
    save_file(tensors, tmp_path / "file.safetensors")
    network = built(model, tmp_path / "file.safetensors", channels=3, classes=1000)
    assert same(network, tensors)
    assert len(tensors) == len(network.state_dict())


NARROW_FILES = {
    "seresnet": (NARROW, narrow()),
    "resnext": (ResNeXt(width=0.125, se=SE_BIAS), narrow(groups=4, group_width=4)),
    "torchvision": (ResNet(width=0.125, **TORCHVISION), narrow(legacy=False, se="")),
    "timm's seresnet": (ResNet(width=0.125, se=SE_BIAS, **TORCHVISION), narrow(legacy=False, se="se")),
    "senet": (
        SENet(width=0.125, se=SE_BIAS),
        published(
            B152, legacy=True, se="se_module", groups=8, group_width=4, senet=True, planes=8, channels=2, classes=5
        ),
    ),
}


KINDS = ["safetensors", "torch", "old torch", "state_dict", "DataParallel"]


@pytest.mark.parametrize(
    ("kind", "name"), [*((kind, "seresnet") for kind in KINDS[1:]), *(("safetensors", name) for name in NARROW_FILES)]
)
def test_every_tensor_lands_whatever_the_file(kind: str, name: str, tmp_path: Path) -> None:
    model, shapes = NARROW_FILES[name]
    tensors = drawn(shapes)
    file = tmp_path / ("a.safetensors" if kind == "safetensors" else "a.pth")
    if kind == "safetensors":
        save_file(tensors, file)
    elif kind == "old torch":  # as the released ports were saved
        parameters = {n: nn.Parameter(t) if t.is_floating_point() else t for n, t in tensors.items()}
        torch.save(parameters, file, _use_new_zipfile_serialization=False)
    elif kind == "DataParallel":
        torch.save({f"module.{n}": t for n, t in tensors.items()}, file)
    else:
        torch.save({"state_dict": tensors, "epoch": 3} if kind == "state_dict" else tensors, file)
    network = built(model, file)
    assert same(network, tensors) and network.training
    assert all(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("model", [ResNet(width=0.125, se=SE()), Model(depth=6, widths=(4, 8), se=SE(reduction=2))])
def test_our_own_state_dicts_are_read_as_they_are(model: Model, tmp_path: Path) -> None:
    first = models.build(model, channels=2, classes=5, seed=1, device=CPU)
    torch.save(first.state_dict(), tmp_path / "ours.pt")
    again = built(model, tmp_path / "ours.pt").state_dict()
    assert all(torch.equal(again[n], t) for n, t in first.state_dict().items()) and len(again)


def test_files_of_before_batch_norm_had_counters_are_read(tmp_path: Path) -> None:
    tensors = drawn(narrow(counters=False))
    torch.save(tensors, tmp_path / "old.pth")
    network = built(NARROW, tmp_path / "old.pth")
    assert same(network, tensors) and network.state_dict()["stem.bn1.num_batches_tracked"] == 0


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    tensors = {n: t.half() if t.is_floating_point() else t for n, t in drawn(narrow()).items()}
    save_file(tensors, tmp_path / "half.safetensors")
    network = built(NARROW, tmp_path / "half.safetensors")
    assert next(network.parameters()).dtype == torch.float
    assert same(network, {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()})


def test_relative_paths_begin_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(drawn(narrow()), tmp_path / "here.pth")
    monkeypatch.chdir(tmp_path)
    built(NARROW, Path("here.pth"))


def test_on_the_meta_device_nothing_is_read() -> None:
    model = ResNet(weights="nowhere.pth")
    models.build(model, channels=3, classes=1000, seed=0, device=META)
