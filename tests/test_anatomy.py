"""`senet-lab model`: what it prints of a network, against the paper and against the network."""

import io
import re

import pytest
from rich.console import Console

from senet_lab import anatomy, networks
from senet_lab.errors import SpecError
from senet_lab.models.cost import count
from senet_lab.networks import NETWORKS
from senet_lab.spec import families


def shown(name: str, width: int = 100, **changes: object) -> str:
    console = Console(file=io.StringIO(), width=width)
    size, classes = changes.pop("size", None), changes.pop("classes", None)
    anatomy.show(console, name, changes, size, classes)  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_se_resnet50_is_that_of_the_papers_tables_1_2_and_10() -> None:
    page = shown("se_resnet50")
    rows = [re.split(r"\s{2,}", line.strip()) for line in page.splitlines()]
    stages = [row[:4] for row in rows if row[0] in "2345" and len(row) > 3]
    assert stages == [
        ["2", "3", "256 x 56 x 56", "16 x 3"],
        ["3", "4", "512 x 28 x 28", "32 x 4"],
        ["4", "6", "1024 x 14 x 14", "64 x 6"],
        ["5", "3", "2048 x 7 x 7", "128 x 3"],
    ]
    assert "28,071,976 parameters, 28,125,096 with batch-norm" in page  # exact count; Table 10 prints 28.1 M
    assert "3,866,007,552" in page and "3.87 G" in page and "28.1 M" in page and "Table 10" in page


def test_a_setting_changes_the_network_and_what_is_published_of_it() -> None:
    page = shown("se_resnet50", **{"se.reduction": 8})
    assert "30,586,920 parameters" in page and "30.7 M" in page and "32 x 3" in page
    assert page == shown("se_resnet50", **{"model.se.reduction": 8})
    each = {f"se.reduction_in.stage{stage}": 8 for stage in (2, 3, 4, 5)}
    assert page == shown("se_resnet50", **each)
    page = shown("se_resnet50", **{"se.reduction_in.stage2": 8})
    assert "32 x 3" in page and "32 x 4" in page and "128 x 3" in page and "No published counts" in page
    assert "28,096,552 parameters" in page  # in each of the three blocks 2 x 16 x 256 more than 28,071,976
    assert "stride" not in page and "4,0" not in shown("resnet50")
    assert "4,089,184,256" in shown("resnet50", stride_in="3x3")  # stride in the 3x3: 4.09 G, not the paper's


def test_other_images_have_no_published_counts() -> None:
    page = shown("se_resnet50", size=64, classes=10)
    assert "2048 x 2 x 2" in page and "No published counts of this network for such images" in page


@pytest.mark.parametrize("name", NETWORKS)
def test_the_parts_of_every_network_add_up(name: str) -> None:
    """To the parameters and multiply-adds of the whole, and at 80 columns nothing is cut."""
    page = shown(name, width=80)
    network = networks.named(name)
    cost = count(network.model, channels=network.channels, size=network.size, classes=network.classes)
    parts = re.findall(r"^(?:stem|\d|head) .* (\S+) +(\S+)$", page.partition(" parameters, ")[0], flags=re.M)
    total = [sum(int(part[i].replace(",", "")) for part in parts) for i in (0, 1)]
    assert total == [cost.params, cost.macs]
    assert max(map(len, page.splitlines())) <= 80 and "…" not in page


def test_every_family_has_a_name_and_every_name_its_pair() -> None:
    assert {n.model.family for n in NETWORKS.values()} == {c.model_fields["family"].default for c in families()}
    for name in NETWORKS:
        assert f"se_{name}" in NETWORKS or name.removeprefix("se_") in NETWORKS or name == "senet154"
    assert all((n.model.se is not None) == name.startswith("se") for name, n in NETWORKS.items())


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("se_resnet5", {}, ["no network 'se_resnet5'", "did you mean 'se_resnet50'?"]),
        ("se_resnet50", {"se.reductoin": 8}, ["model.se.reductoin", "did you mean 'model.se.reduction'?"]),
        ("se_vgg16", {"se.placement": "pre"}, ["'pre' has no meaning in VGG-16", "allowed: standard"]),
        ("wrn16_8", {"depth": 17}, ["depth 17", "6 x blocks + 4", "e.g. 16 or 22"]),
    ],
)
def test_what_there_is_not_is_refused(name: str, settings: dict[str, object], words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        shown(name, **settings)
    assert [w for w in words if w not in str(caught.value)] == []
