"""Published parameters and multiply-adds, as printed, and for which networks there are none."""

import pytest

from senet_lab import networks
from senet_lab.results.published import counts
from senet_lab.spec import SE, MobileNet, Model, Reductions, ResNet, ResNeXt, SENet


def said(model):
    """Reference -> (params, macs)."""
    return {c.reference: (c.params, c.macs) for c in counts(model)}


V4 = "arXiv:1709.01507v4 Table"
BOTH = "arXiv:1709.01507v4 Table 2; CVPR 2018 paper (pp. 7132-7141) Table 2"


def test_se_resnet50_has_its_numbers_with_their_tables():
    assert said(ResNet(depth=50, se=SE())) == {
        f"{V4} 10; CVPR 2018 paper (pp. 7132-7141) Table 7": ("28.1 M", ""),
        f"{V4} 13, 15, 16": ("28.1 M", "3.87 G"),
        BOTH: ("", "3.87 G"),
        "official prototxt, counted": ("28,071,976", "3,866,007,552"),
    }


@pytest.mark.parametrize(
    ("se", "reference", "numbers"),
    [
        (None, f"{V4} 13, 16", ("25.6 M", "3.86 G")),
        (SE(reduction=2), f"{V4} 10", ("45.7 M", "")),
        (SE(reduction=32), f"{V4} 10; CVPR 2018 paper (pp. 7132-7141) Table 7", ("26.9 M", "")),
        (SE(stages=(3,)), f"{V4} 13", ("25.7 M", "3.86 G")),
        (SE(placement="conv3x3"), f"{V4} 15", ("25.8 M", "3.86 G")),
        (SE(squeeze="none"), f"{V4} 16", ("28.1 M", "4.27 G")),
        (SE(placement="pre"), "v4 Fig. 5, counted", ("27,548,200", "")),
        (SE(stages=(2, 3, 4)), "official prototxt, counted", ("26,499,112", "3,864,133,632")),
        (SE(bias=True), "official prototxt, counted", ("28,088,024", "3,866,007,552")),
        (SE(bias=True), "timm legacy_seresnet50", ("28.09 M", "3.88 G")),
        (SE(bias=True), "official release", ("file of 107 MiB", "")),
    ],
)
def test_variants_of_se_resnet50(se, reference, numbers):
    assert said(ResNet(depth=50, se=se))[reference] == numbers


@pytest.mark.parametrize(
    ("name", "reference", "numbers"),
    [
        ("se_resnet101", BOTH, ("", "7.60 G")),
        ("resnext101_32x4d", BOTH, ("", "7.99 G")),
        ("se_bn_inception", BOTH, ("", "2.04 G")),
        ("bn_inception", "official prototxt, counted", ("11,285,224", "2.0326 G")),
        ("vgg16", "definition, counted", ("138,365,992", "15.470 G")),
        ("inception_resnet_v2", f"{BOTH} (another variant of the network)", ("", "11.75 G")),
        ("mobilenet", "arXiv:1709.01507v4 Table 3; CVPR 2018 paper (pp. 7132-7141) Table 3", ("4.2 M", "569 M")),
        ("se_shufflenet", "arXiv:1709.01507v4 Table 3; CVPR 2018 paper (pp. 7132-7141) Table 3", ("2.4 M", "142 M")),
        ("senet154", "timm legacy_senet154", ("115.09 M", "20.77 G")),
        ("senet154", "official release", ("file of 440 MiB", "")),
        ("resnet164", "definition, counted, 10 classes", ("1,703,258", "")),
    ],
)
def test_other_networks(name, reference, numbers):
    found = said(networks.named(name).model)
    if "another variant" in reference:
        found = {key: value for key, value in found.items() if "another variant" in key}
        assert [*found.values()] == [numbers]
    else:
        assert found[reference] == numbers


@pytest.mark.parametrize(
    "model",
    [
        ResNet(depth=50, width=0.125),
        ResNet(depth=50, small_images=True),
        MobileNet(width=0.5),
        ResNet(depth=50, se=SE(reduction=3)),
        ResNet(depth=50, se=SE(reduction_in=Reductions(stage2=8))),
        ResNet(depth=101, se=SE(reduction=8)),
        ResNeXt(depth=152),
        Model(depth=20, widths=(16, 32, 64)),
    ],
)
def test_networks_that_nobody_published_have_no_counts(model):
    assert counts(model) == ()


def test_stride_in_the_3x3_is_another_network():
    assert [*said(ResNet(depth=50, stride_in="3x3"))] == ["timm resnet50"]


def test_senet154_without_se_is_not_senet154():
    assert counts(SENet()) == ()
