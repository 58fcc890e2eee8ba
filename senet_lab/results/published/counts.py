"""Parameters and multiply-adds that are published of a network, or computed from its published definition."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

from senet_lab.results.published.entries import ABLATIONS, IMAGENET, joined, lines, printed
from senet_lab.results.published.settings import NETWORKS, RESNET_50, WITHOUT_SE, Settings, agrees, se
from senet_lab.spec import Model

BIAS: Settings = {"model.se.bias": True}
NO_BIAS: Settings = {"model.se.bias": False}
STRIDE = {"resnet": "1x1", "resnext": "3x3", "senet": "3x3"}
"""Which convolution of a stage's first block has stride 2 in the paper's networks; it changes multiply-adds."""


@dataclass(frozen=True)
class Counts:
    """What one source says of a network; "" where it says nothing."""

    reference: str
    params: str
    macs: str
    """Multiply-adds of one image, which the paper calls FLOPs."""


def counts(model: Model) -> tuple[Counts, ...]:
    """What is known of `model` as the paper has it: the paper first, then others; none of a narrow network."""
    if getattr(model, "width", 1) != 1 or getattr(model, "small_images", False):
        return ()
    asked = SimpleNamespace(model=model)
    known = [found for settings, found in _known() if agrees(asked, settings)]
    numbers = dict.fromkeys((c.params, c.macs) for c in known)  # the same cells in several tables are one line
    return tuple(
        Counts(joined(c.reference for c in known if (c.params, c.macs) == (params, macs)), params, macs)
        for params, macs in numbers
    )


def _known() -> Iterator[tuple[Settings, Counts]]:
    yield from _paper()
    yield from _exact()
    for settings, counts in DEFINITIONS:
        yield _with_stride(settings), counts
    yield from _timm()
    yield from _released()


def _paper() -> Iterator[tuple[Settings, Counts]]:
    for table in (*ABLATIONS, *IMAGENET):
        for entry in printed(table):
            params = f"{entry.params_millions:.1f} M" if entry.params_millions else ""
            macs = f"{entry.gflops:.2f} G" if entry.gflops else ""
            if entry.gflops and entry.gflops < 1:
                macs = f"{1000 * entry.gflops:.0f} M"
            settings = entry.settings if "model.family" in entry.settings else {**RESNET_50, **entry.settings}
            reference = entry.reference
            if settings["model.family"] == "inception_resnet_v2":
                reference += " (another variant of the network)"
            if params or macs:
                yield _with_stride(settings), Counts(reference, params, macs)


def _exact() -> Iterator[tuple[Settings, Counts]]:
    """Integers of the variants of SE-ResNet-50."""
    variants = {
        "ResNet-50": WITHOUT_SE,
        **{f"SE-ResNet-50 r={r}": se(reduction=r) for r in (2, 4, 8, 16, 32)},
        **{f"SE_Stage_{n}": se(stages=(n,)) for n in (2, 3, 4)},
        "SE_3x3": se(placement="conv3x3"),
        "NoSqueeze": se(squeeze="none"),
        "SE blocks in stages 2-4 only (text: relative increase ~4%)": se(stages=(2, 3, 4)),
    }
    for line in lines("exact_counts_ablation_variants"):
        block, macs = variants[line["variant"]], int(line["macs_conv_classifier_sefc_plus_squeeze_reads"])
        for bias, column in ((NO_BIAS, "params_no_fc_bias"), (BIAS, "params_with_fc_bias")):
            settings = {**RESNET_50, **block, **({} if block is WITHOUT_SE else bias)}
            yield _with_stride(settings), Counts("official prototxt, counted", f"{int(line[column]):,}", f"{macs:,}")


def _timm() -> Iterator[tuple[Settings, Counts]]:
    for line in lines("timm_complexity"):
        if line["timm_model"] in TIMM:
            reference = f"timm {line['timm_model']}"
            yield TIMM[line["timm_model"]], Counts(reference, f"{line['params_millions']} M", f"{line['gmacs']} G")


def _released() -> Iterator[tuple[Settings, Counts]]:
    """Sizes of files: all values, batch norm's statistics among them, in four bytes each."""
    for line in lines("released_models"):
        if line["caffemodel_size_m"]:
            name = line["model"].removeprefix("SE-").removesuffix(" (32x4d)")
            text = f"file of {line['caffemodel_size_m']} MiB"
            yield _with_stride({**NETWORKS[name], **se(), **BIAS}), Counts("official release", text, "")


def _with_stride(settings: Settings) -> Settings:
    """`settings` of a model alone, with the stride where the paper has it."""
    family = settings["model.family"]
    model = {path: value for path, value in settings.items() if path.startswith("model.")}
    return model | ({"model.stride_in": STRIDE[family]} if family in STRIDE else {})


def _of(name: str, *others: Settings) -> Settings:
    return {path: value for part in (NETWORKS[name], *others) for path, value in part.items()}


PROTOTXT, DEFINITION = "official prototxt, counted", "definition, counted"
PROJECTION: Settings = {"model.shortcut": "projection"}
DEFINITIONS = (
    (_of("ResNet-50", se(placement="pre"), NO_BIAS), Counts("v4 Fig. 5, counted", "27,548,200", "")),
    (_of("ResNeXt-50", se(), BIAS), Counts(PROTOTXT, "27,559,896", "")),
    (_of("SENet-154", se()), Counts(PROTOTXT, "", "20.69 G")),
    (_of("SENet-154", se()), Counts("README of albanie/mcnSENets", "", "21 G")),
    (_of("BN-Inception", WITHOUT_SE), Counts(PROTOTXT, "11,285,224", "2.0326 G")),
    (_of("BN-Inception", se(), BIAS), Counts(PROTOTXT, "11,931,622", "")),
    (_of("VGG-16", WITHOUT_SE), Counts(DEFINITION, "138,365,992", "15.470 G")),
    (_of("VGG-16", se(), NO_BIAS), Counts(DEFINITION, "138,592,296", "15.484 G")),
    (_of("Inception-ResNet-v2", se(), NO_BIAS), Counts(DEFINITION, "8,495,360 more than without SE", "")),
    (_of("MobileNet", WITHOUT_SE), Counts(DEFINITION, "4,231,976", "568.7 M")),
    (_of("MobileNet", se()), Counts(DEFINITION, "4.712 M", "571.9 M")),
    (_of("ShuffleNet", WITHOUT_SE), Counts(DEFINITION, "1.866 M", "137.5 M")),
    (_of("ShuffleNet", WITHOUT_SE), Counts("README of megvii-model/ShuffleNet-Series", "1.9 M", "138 M")),
    (_of("ShuffleNet", se()), Counts(DEFINITION, "0.610 M more than without SE", "2.2 M more")),
    (_of("ResNet-110", WITHOUT_SE, PROJECTION), Counts(f"{DEFINITION}, 10 classes", "1,730,522", "")),
    (_of("ResNet-110", WITHOUT_SE, {"model.shortcut": "padding"}), Counts(DEFINITION, "1,727,962", "")),
    (_of("ResNet-110", se(), NO_BIAS), Counts(DEFINITION, "12,096 more than without SE", "")),
    (_of("ResNet-164", WITHOUT_SE, PROJECTION), Counts(f"{DEFINITION}, 10 classes", "1,703,258", "")),
    (_of("ResNet-164", se(), NO_BIAS), Counts(DEFINITION, "193,536 more than without SE", "")),
    (_of("WRN-16-8", WITHOUT_SE, PROJECTION), Counts(f"{DEFINITION}, 10 classes", "10,961,370", "")),
    (_of("WRN-16-8", se(), NO_BIAS), Counts(DEFINITION, "86,016 more than without SE", "")),
    (_of("Shake-Shake 26 2x96d + Cutout", WITHOUT_SE), Counts("NASNet paper, Table 1, as quoted", "26.2 M", "")),
)
"""Networks that the paper does not count, or in round numbers only; "counted" is from the definition named."""
TIMM = {
    "resnet50": _of("ResNet-50", WITHOUT_SE, {"model.stride_in": "3x3"}),
    "resnet101": _of("ResNet-101", WITHOUT_SE, {"model.stride_in": "3x3"}),
    "resnet152": _of("ResNet-152", WITHOUT_SE, {"model.stride_in": "3x3"}),
    "seresnet50": _of("ResNet-50", se(), BIAS, {"model.stride_in": "3x3"}),
    "seresnet101": _of("ResNet-101", se(), BIAS, {"model.stride_in": "3x3"}),
    "seresnet152": _of("ResNet-152", se(), BIAS, {"model.stride_in": "3x3"}),
    "legacy_seresnet50": _with_stride(_of("ResNet-50", se(), BIAS)),
    "legacy_seresnet101": _with_stride(_of("ResNet-101", se(), BIAS)),
    "legacy_seresnet152": _with_stride(_of("ResNet-152", se(), BIAS)),
    "resnext50_32x4d": _with_stride(_of("ResNeXt-50", WITHOUT_SE)),
    "resnext101_32x4d": _with_stride(_of("ResNeXt-101", WITHOUT_SE)),
    "legacy_seresnext50_32x4d": _with_stride(_of("ResNeXt-50", se(), BIAS)),
    "legacy_seresnext101_32x4d": _with_stride(_of("ResNeXt-101", se(), BIAS)),
    "legacy_senet154": _with_stride(_of("SENet-154", se(), BIAS)),
    "vgg16_bn": _of("VGG-16", WITHOUT_SE),
    "inception_resnet_v2": _of("Inception-ResNet-v2", WITHOUT_SE),
    "mobilenetv1_100": _of("MobileNet", WITHOUT_SE),
}
"""timm's names -> the same networks here; its SE blocks have biases, its ResNets stride 2 in the 3x3 but for legacy."""
