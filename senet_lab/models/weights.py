"""Networks that start from a file instead of drawn weights (`model.weights`).

Read are safetensors and state dicts saved by torch, plain or under "state_dict", under this
project's names. For ResNet, ResNeXt and SENet-154 also under the published ones, whose shapes are
the same. What no shape shows has to be asked for; the networks of a file of

    timm's legacy_seresnet50, ...   ResNet(stride_in="1x1", pool="ceil", se=SE(bias=True))
    timm's legacy_seresnext50_...   ResNeXt(stride_in="3x3", pool="ceil", se=SE(bias=True))
    timm's legacy_senet154          SENet(stride_in="3x3", pool="ceil", se=SE(bias=True))
    torchvision's resnet50, ...     ResNet(stride_in="3x3", pool="padded")
    torchvision's resnext50_...     ResNeXt(stride_in="3x3", pool="padded")

are these, each with its depth; another `stride_in` or `pool` is refused, as it would load and be
wrong. timm's seresnet50, ... are torchvision's with se=SE(bias=True).
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from senet_lab.errors import SpecError
from senet_lab.spec import Model

Tensors = dict[str, Tensor]

PUBLISHED = (  # pattern of a published name -> this project's
    (r"^(layer0\.)?(conv|bn)(\d)\.", r"stem.\2\3."),
    (r"^layer([1-4])\.", lambda match: f"stages.{int(match[1]) + 1}."),
    (r"\.downsample\.0\.", ".projection.conv."),
    (r"\.downsample\.1\.", ".projection.bn."),
    (r"\.se(_module)?\.fc1\.", ".se.reduce."),
    (r"\.se(_module)?\.fc2\.", ".se.expand."),
    (r"^(last_linear|fc)\.", "classifier."),
)


def load(network: nn.Module, model: Model, path: str) -> None:
    """Copy the weights and statistics in the file `path` into `network`, which is that of `model`.

    A relative path begins at the working folder. Batch norm's counters may be missing: old files
    have none. Raises SpecError if the file cannot be read, or its tensors are not exactly those
    of the network.
    """
    put(network, model, read(path), path)


def read(path: str) -> Tensors:
    """The tensors in a file, under the names there. Nothing in it is run. Raises SpecError."""
    try:
        if path.endswith(".safetensors"):
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise SpecError(
            f"model.weights: there is no file {path!r} in {Path.cwd()}; "
            f"give a path that begins there, or one that begins with /"
        ) from None
    except OSError as error:
        raise SpecError(f"model.weights: {path!r} cannot be read: {error.strerror or error}; give a file") from None
    except Exception:  # whatever the reader stumbles over: KeyError, EOFError, UnpicklingError, ...
        raise SpecError(
            f"model.weights: {path!r} is damaged, or holds other things than tensors, which are not read because "
            f"they could run code; get it again, or save it with torch.save(network.state_dict(), path)"
        ) from None
    tensors: Any = content.get("state_dict", content) if isinstance(content, dict) else None
    plain = isinstance(tensors, dict) and all(isinstance(n, str) and isinstance(t, Tensor) for n, t in tensors.items())
    if not plain:
        raise SpecError(
            f"model.weights: {path!r} is no state dict, that is names with tensors, plain or under 'state_dict'; "
            f"save it with torch.save(network.state_dict(), path)"
        )
    return dict(tensors)


def put(network: nn.Module, model: Model, tensors: Mapping[str, Tensor], path: str) -> None:
    """Copy `tensors` into `network`; `path` is for messages. Raises SpecError if they do not fit."""
    name_in_file = _own_names(model, tensors)
    wanted: Tensors = network.state_dict()
    found: Tensors = {}
    for name, theirs in name_in_file.items():
        tensor = tensors[theirs]
        # FC layers are saved as 1x1 convolutions of one pixel too
        as_fc = name in wanted and wanted[name].ndim == 2 and tensor.shape[2:] == (1, 1)
        found[name] = tensor.flatten(1) if as_fc else tensor
    missing = [n for n in wanted if n not in found and not n.endswith("num_batches_tracked")]
    unexpected = [name_in_file[n] for n in found if n not in wanted]
    misshapen = [n for n in found if n in wanted and found[n].shape != wanted[n].shape]
    shapes = [f"{name_in_file[n]}: {tuple(found[n].shape)}, not {tuple(wanted[n].shape)}" for n in misshapen]
    wrong = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for names, what in ((missing, "missing"), (unexpected, "not expected"), (shapes, "of another shape"))
        if names
    ]
    if wrong:
        remedies = [*_remedies(found, wanted)] or ["give a file of this very network"]
        raise SpecError(
            f"model.weights: the tensors in {path!r} are not those of {model.name}: {'; '.join(wrong)}. "
            f"{'; '.join(remedies)}"
        )
    _check_what_no_shape_shows(model, tensors, path)
    network.load_state_dict(wanted | found)


def _own_names(model: Model, names: Iterable[str]) -> dict[str, str]:
    """This project's name -> the file's, for each of `names`."""
    found: dict[str, str] = {}
    names = list(names)
    wrapped = all(name.startswith("module.") for name in names)  # as DataParallel saves them
    for theirs in names:
        name = theirs.removeprefix("module.") if wrapped else theirs
        for pattern, own in PUBLISHED if model.module == "resnet" else ():
            name = re.sub(pattern, own, name)
        found[theirs if name in found else name] = theirs
    return found


def _check_what_no_shape_shows(model: Model, names: Iterable[str], path: str) -> None:
    """The published names tell whose network it is, and that tells where it strides and how it pools."""
    stems = {name.removeprefix("module.") for name in names} & {"layer0.conv1.weight", "conv1.weight"}
    if model.module != "resnet" or not stems:
        return
    fields = type(model).model_fields  # the released networks are the defaults
    theirs: dict[str, Any] = {"stride_in": "3x3", "pool": "padded"}
    if "layer0.conv1.weight" in stems:
        theirs = {"stride_in": fields["stride_in"].default, "pool": fields["pool"].default}
    if asked := [f"model.{key}={value}" for key, value in theirs.items() if getattr(model, key) != value]:
        raise SpecError(
            f"model.weights: the tensors in {path!r} fit, but by their names they are of a network with other "
            f"strides or pooling, and would give wrong answers here; say {' '.join(asked)}"
        )


def _remedies(found: Tensors, wanted: Tensors) -> Iterable[str]:
    """What to ask for instead, as far as names and shapes tell; `found` under this project's names."""
    theirs, ours = _traits(found), _traits(wanted)
    if theirs["classes"] != ours["classes"] and None not in (theirs["classes"], ours["classes"]):
        yield f"the file is for {theirs['classes']} classes, the data have {ours['classes']}: use a file for as many"
    if theirs["channels"] != ours["channels"] and None not in (theirs["channels"], ours["channels"]):
        yield f"the file is for images of {theirs['channels']} channels, the data's have {ours['channels']}"
    if theirs["blocks"] != ours["blocks"] and theirs["blocks"]:
        yield f"the file has {theirs['blocks']} blocks in its stages, the network {ours['blocks']}: see model.depth"
    if ours["reduction"] and not theirs["reduction"]:
        yield "the file has no SE blocks: say model.se=null"
    elif theirs["reduction"] != ours["reduction"]:
        yield f"the file has SE blocks with r = {theirs['reduction']}: say model.se.reduction={theirs['reduction']}"
    if theirs["reduction"] and theirs["bias"] != ours["bias"]:
        having = "biases" if theirs["bias"] else "no biases"
        yield f"the file's SE blocks have {having}: say model.se.bias={str(theirs['bias']).lower()}"


def _traits(tensors: Tensors) -> dict[str, Any]:
    """What the settings of a network were, by its tensors; None where it cannot be told."""
    blocks: dict[str, set[str]] = {}
    for name in tensors:
        if match := re.match(r"stages\.(\d+)\.(\d+)\.", name):
            blocks.setdefault(match[1], set()).add(match[2])
    shapes = {name: tensor.shape for name, tensor in tensors.items() if tensor.ndim > 1 and tensor.numel()}
    reduce = next((shape for name, shape in shapes.items() if name.endswith(".se.reduce.weight")), None)
    classifier, stem = shapes.get("classifier.weight"), shapes.get("stem.conv1.weight", shapes.get("stem.weight"))
    return {
        "classes": classifier and classifier[0],
        "channels": stem and stem[1],
        "blocks": ", ".join(str(len(blocks[stage])) for stage in sorted(blocks)),
        "reduction": reduce and reduce[1] // reduce[0],
        "bias": any(name.endswith(".se.reduce.bias") for name in tensors),
    }
