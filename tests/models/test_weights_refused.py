"""Weights from files that do not fit or cannot be read: a sentence that says what to do."""

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from senet_lab.errors import SpecError
from senet_lab.models.weights import read
from senet_lab.spec import SE, Model, ResNet, ResNeXt
from tests.models.published_files import B101, NARROW, SE_BIAS, TORCHVISION, Shapes, built, drawn, narrow, published

MISFITS: dict[str, tuple[Model, Shapes, list[str]]] = {
    "biases in the file only": (
        ResNet(width=0.125, se=SE()), narrow(),
        ["32 not expected (layer1.0.se_module.fc1.bias, layer1.0.se_module.fc2.bias, layer1.1.se_module.fc1.bias, ...)",
         "have biases: say model.se.bias=true"],
    ),
    "biases in the network only": (
        NARROW, {n: s for n, s in narrow().items() if not re.search(r"fc\d\.bias", n)},
        ["32 missing (stages.2.0.se.reduce.bias, ", "have no biases: say model.se.bias=false"],
    ),
    "SE in the file only": (
        ResNet(width=0.125), narrow(),
        ["64 not expected (layer1.0.se_module.fc1.weight", "r = 16: say model.se.reduction=16", "model.se.bias=true"],
    ),
    "SE in the network only": (
        NARROW, narrow(se=""), ["64 missing (stages.2.0.se.reduce.weight", "no SE blocks: say model.se=null"],
    ),
    "another reduction": (
        ResNet(width=0.125, se=SE(bias=True, reduction=8)), narrow(),
        ["48 of another shape (layer1.0.se_module.fc1.weight: (2, 32), not (4, 32)", "say model.se.reduction=16"],
    ),
    "other classes": (
        NARROW, narrow(classes=1000),
        ["2 of another shape (last_linear.weight: (1000, 256), not (5, 256), last_linear.bias: (1000,), not (5,))",
         "the file is for 1000 classes, the data have 5"],
    ),
    "other channels": (
        NARROW, narrow(channels=3),
        ["1 of another shape (layer0.conv1.weight: (8, 3, 7, 7), not (8, 2, 7, 7))", "images of 3 channels"],
    ),
    "another depth": (
        NARROW, published(B101, legacy=True, se="se_module", planes=8, channels=2, classes=5),
        ["not expected (layer3.6.conv1.weight", "has 3, 4, 23, 3 blocks in its stages, the network 3, 4, 6, 3"],
    ),
    "another width": (NARROW, narrow(planes=16), ["of another shape", "give a file of this very network"]),
    "names of no kind": (NARROW, {"backbone.w": (3,)}, ["missing", "1 not expected (backbone.w)"]),
    "nothing": (NARROW, {}, ["missing (stem.conv1.weight, "]),
    "a name twice": (NARROW, narrow() | {"fc.bias": (5,)}, ["1 not expected (fc.bias)"]),
    "scalars": (NARROW, dict.fromkeys(narrow(), ()), ["of another shape"]),
    "published names, another family": (
        Model(depth=4, widths=(4,)), narrow(),
        ["not expected (layer0.conv1.weight", "give a file of this very network"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_said_with_what_to_do(case: str, tmp_path: Path) -> None:
    model, shapes, sentences = MISFITS[case]
    file = tmp_path / "some.pth"
    torch.save(drawn(shapes), file)
    with pytest.raises(SpecError) as refused:
        built(model, file)
    said = str(refused.value)
    assert said.startswith(f"model.weights: the tensors in {str(file)!r} are not those of {model.name}: ")
    assert all(sentence in said for sentence in sentences), said
    assert refused.value.exit_code == 2 and len(said) < 900 and "\n" not in said


@pytest.mark.parametrize(
    ("model", "shapes", "remedy"),
    [
        (ResNet(width=0.125), narrow(legacy=False, se=""), "say model.stride_in=3x3 model.pool=padded"),
        (ResNet(width=0.125, stride_in="3x3"), narrow(legacy=False, se=""), "say model.pool=padded"),
        (ResNet(width=0.125, se=SE_BIAS, **TORCHVISION), narrow(), "say model.stride_in=1x1 model.pool=ceil"),
        (
            ResNeXt(width=0.125, se=SE_BIAS, stride_in="1x1"),
            narrow(groups=4, group_width=4),
            "say model.stride_in=3x3",
        ),
    ],
)
def test_strides_and_pooling_that_would_be_wrong_are_refused(
    model: Model, shapes: Shapes, remedy: str, tmp_path: Path
) -> None:
    torch.save(drawn(shapes), tmp_path / "some.pth")
    with pytest.raises(SpecError) as refused:
        built(model, tmp_path / "some.pth")
    assert str(refused.value).endswith(remedy)


@pytest.fixture
def unreadable(tmp_path: Path) -> dict[str, Path]:
    good = {"a": torch.ones(1000)}
    torch.save(good, tmp_path / "good.pth")
    save_file(good, tmp_path / "good.safetensors")
    contents = {
        "cut.pth": (tmp_path / "good.pth").read_bytes()[:-2000],
        "cut.safetensors": (tmp_path / "good.safetensors").read_bytes()[:-8],
        "empty.pth": b"",
        "empty.safetensors": b"",
        "page.pth": b"<html>not found</html>",
        "page.safetensors": b"<html>not found</html>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    torch.save({"arguments": Namespace(a=1)}, tmp_path / "objects.pth")
    torch.save(nn.Linear(1, 1), tmp_path / "module.pth")
    torch.save({"a": 1}, tmp_path / "numbers.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    torch.save({1: torch.ones(1)}, tmp_path / "unnamed.pth")
    torch.save({"state_dict": torch.ones(1)}, tmp_path / "tensor.pth")
    (tmp_path / "folder.pth").mkdir()
    (tmp_path / "folder.safetensors").mkdir()
    return {p.name: p for p in tmp_path.iterdir()}


def test_files_that_cannot_be_read_are_refused_in_a_sentence(unreadable: dict[str, Path]) -> None:
    expected = {
        "is damaged, or holds other things than tensors": [
            "cut.pth", "cut.safetensors", "empty.pth", "empty.safetensors", "page.pth", "page.safetensors",
            "objects.pth", "module.pth",
        ],
        "is no state dict": ["numbers.pth", "list.pth", "unnamed.pth", "tensor.pth"],
        "cannot be read": ["folder.pth", "folder.safetensors"],
    }  # fmt: skip
    for sentence, names in expected.items():
        for name in names:
            with pytest.raises(SpecError, match=rf"^model\.weights: '.*{re.escape(name)}' {sentence}") as refused:
                read(str(unreadable[name]))
            assert "\n" not in str(refused.value)
            assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert {n for names in expected.values() for n in names} == set(unreadable) - {"good.pth", "good.safetensors"}


@pytest.mark.parametrize("name", ["no.pth", "no.safetensors"])
def test_a_file_that_is_not_there_is_named_with_the_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=f"there is no file '{name}' in {re.escape(str(tmp_path))}"):
        built(NARROW, Path(name))


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    torch.save(Runs(str(tmp_path / "mark")), tmp_path / "evil.pth")
    with pytest.raises(SpecError, match="could run code"):
        read(str(tmp_path / "evil.pth"))
    assert not (tmp_path / "mark").exists()


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")
