"""Fingerprints and code digests: what a trial is."""

import hashlib
import importlib
import io
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

import senet_lab
from senet_lab import data, identity, plan, recipes
from senet_lab.design import Variant, variants
from senet_lab.errors import SpecError
from senet_lab.identity import fingerprint
from senet_lab.plan import PlannedTrial
from senet_lab.spec import CifarResNet, Data, Model, Reductions, Source, Spec, Sweep, Train, Trial, apply, families
from senet_lab.spec.operators import SHIPPED
from senet_lab.syntax import digest

BASE = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=1, batch_size=256, learning_rate=0.1),
)
SE_BASE = apply(BASE, {"model.se.reduction": 2})


def two_rows() -> tuple[Variant, ...]:
    return variants(
        Sweep(base=BASE, grid={"model.se.reduction": (2,)}, controls=("no_se",), baseline="no_se", seeds=3, margin=0.01)
    )


def planned(seeds: int = 3) -> tuple[PlannedTrial, ...]:
    return plan.wanted(two_rows(), seeds, lambda _: "data")


# --- fingerprints


def test_the_fingerprint_is_frozen() -> None:
    """If this fails, every result that anybody has is orphaned. Written out by hand, defaults left out."""
    digits = Trial(
        model=Model(depth=6, widths=(16, 32)),
        data=Data(source="digits", validation=200, crop_padding=1),
        train=Train(epochs=20, batch_size=64, learning_rate=0.1, weight_decay=5e-4),
    )
    text = (
        '[{"data":{"crop_padding":1,"source":"digits","validation":200},"model":{"depth":6,"widths":[16,32]},'
        '"train":{"batch_size":64,"epochs":20,"learning_rate":0.1,"weight_decay":0.0005}},0,"images"]'
    )
    assert fingerprint(digits, "images") == hashlib.sha256(text.encode()).hexdigest()
    assert fingerprint(digits, "images") == "ae9830ddc4e414e42e74b53df2d41b8a4eb56d30eb6da807c7206841eb564936"
    with_se = apply(digits, {"model.se.reduction": 4, "model.se.stages": (3,), "seed": 5})
    assert fingerprint(with_se, "images") == "9fe54ce36de176e9eb52e1eb9bc21ae9cfa4bf80c5ea7ddd266e52b44f868ba0"


def test_so_are_the_fingerprints_of_every_family_and_what_code_digests_say_of_their_networks() -> None:
    """Both are older than reductions of single stages, and those have changed neither."""
    found = [fingerprint(trial, "d") for trial in TRIALS.values()]
    assert digest(found) == "6f5d59f74807c0715ab70ee53dcede97bb1e60556fe8a097ddae974a001cfd1e"
    facts = [identity._facts(trial.model) for trial in TRIALS.values()]
    assert digest(facts) == "739bad226a4023e0cdc3cf768830361b23129a865b7be0a79d1804034a472a94"


class NewerSE(senet_lab.SE):
    temperature: float = 1.0


class NewerModel(CifarResNet):
    se: NewerSE | None = None  # type: ignore[assignment]
    dropout: float = 0.0


class NewerTrain(Train):
    label_noise: float = 0.0
    extra: Spec | None = None


class NewerTrial(Trial):
    model: NewerModel
    train: NewerTrain
    precision: str = "float32"


def test_a_new_option_with_its_default_changes_no_fingerprint() -> None:
    trial = apply(SE_BASE, {"model.se.gate": "tanh"})
    newer = NewerTrial.model_validate(trial.model_dump())
    assert fingerprint(newer, "d") == fingerprint(trial, "d")
    half = NewerTrial.model_validate(trial.model_dump() | {"precision": "bfloat16"})
    assert fingerprint(half, "d") != fingerprint(trial, "d")


def test_a_default_written_out_changes_no_fingerprint() -> None:
    written = apply(SE_BASE, {"model.se.squeeze": "avg", "train.momentum": 0.9, "data.flip": False})
    assert fingerprint(written, "d") == fingerprint(SE_BASE, "d")
    assert fingerprint(apply(BASE, {"train.learning_rate": 0.1}), "d") == fingerprint(BASE, "d")


def test_a_reduction_of_a_single_stage_that_is_unset_again_changes_no_fingerprint() -> None:
    changed = apply(SE_BASE, {"model.se.reduction_in.stage2": 4})
    for unset in ({"model.se.reduction_in.stage2": None}, {"model.se.reduction_in": {}}):
        assert fingerprint(apply(changed, unset), "d") == fingerprint(SE_BASE, "d")
    assert '"reduction_in":{}' in SE_BASE.model_dump_json(), "unset stages are not written out"


def test_a_block_of_defaults_is_not_the_absence_of_a_block() -> None:
    assert fingerprint(apply(BASE, {"model.se": {}}), "d") != fingerprint(BASE, "d")


CHANGES: dict[str, Any] = {
    "model.depth": 6, "model.widths": (8,), "model.se.reduction": 4, "model.se.squeeze": "max",
    "model.se.gate": "tanh", "model.se.placement": "pre", "model.se.stages": (2,), "model.se.bias": True,
    "model.se.reduction_in.stage2": 4,
    "data.validation": 101, "data.crop_padding": 1, "data.flip": True, "data.cutout": 0.5,
    "train.epochs": 2, "train.batch_size": 255, "train.learning_rate": 0.2, "train.momentum": 0.0,
    "train.weight_decay": 1e-4, "train.label_smoothing": 0.1, "train.schedule": "constant", "train.nesterov": False,
    "train.warmup_epochs": 0.5, "train.precision": "bfloat16", "seed": 1,
}  # fmt: skip


def dotted(spec: type[Spec], prefix: str = "") -> set[str]:
    inside = {"model": CifarResNet, "data": Data, "train": Train, "se": senet_lab.SE, "reduction_in": Reductions}
    found = set()
    for name in spec.model_fields:
        found |= dotted(inside[name], f"{prefix}{name}.") if name in inside else {prefix + name}
    return found


def test_every_setting_the_seed_and_the_data_change_the_fingerprint() -> None:
    elsewhere = {"model.family", "model.weights", "data.source", "data.image_size", "train.drops", "train.decay"}
    elsewhere |= {f"model.se.reduction_in.stage{n}" for n in (1, 3, 4, 5, 6, 7)}  # which this network has not
    assert set(CHANGES) | elsewhere == dotted(Trial)  # nothing forgotten here
    marks = [fingerprint(apply(SE_BASE, {key: value}), "d") for key, value in CHANGES.items()]
    marks += [fingerprint(SE_BASE, "d"), fingerprint(SE_BASE, "other")]
    assert len(set(marks)) == len(CHANGES) + 2


# --- code digests


def test_only_trials_with_the_block_go_stale_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {t.variant.label: t.code for t in planned()}
    digest = identity._module_digest
    monkeypatch.setattr(identity, "_module_digest", lambda name: "new" if name == "blocks.se" else digest(name))
    after = {t.variant.label: t.code for t in planned()}
    assert after["no_se"] == before["no_se"]
    assert after["reduction=2"] != before["reduction=2"]


OPERATORS = {
    **{f"gate={name}": {"model.se.gate": name} for name in SHIPPED["gate"]},
    **{f"squeeze={name}": {"model.se.squeeze": name, "model.se.gate": "tanh"} for name in ("max", "none")},
}


@pytest.mark.parametrize(
    ("module", "old", "new", "stale"),
    [
        ("blocks.gate", "(nn.Sigmoid)", "(nn.Hardsigmoid)", {"gate=sigmoid"}),
        ("blocks.gate", "(nn.ReLU)", "(nn.ReLU6)", {"gate=relu"}),
        ("blocks.squeeze", "amax(dim=(2, 3))", "amax(dim=(3, 2))", {"squeeze=max"}),
        ("blocks.squeeze", ".mean(dim=(2, 3))", ".mean((2, 3))", {"gate=sigmoid", "gate=tanh", "gate=relu"}),
        ("blocks.squeeze", "(v4 Eqn. 2)", "(Eqn. 2)", set()),
        ("blocks.squeeze", "SQUEEZES: dict", "SQUEEZES:  dict", set()),
    ],
)
def test_editing_an_operator_makes_exactly_its_trials_stale(
    module: str, old: str, new: str, stale: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = {label: apply(SE_BASE, settings) for label, settings in OPERATORS.items()} | {"no_se": BASE}
    before = {label: identity.code_digest(trial) for label, trial in trials.items()}
    source = identity._source
    assert source(module).count(old) == 1

    def edited(name: str) -> str:
        return source(name).replace(old, new) if name == module else source(name)

    monkeypatch.setattr(identity, "_source", edited)
    identity._shipped_operator_digest.cache_clear()
    after = {label: identity.code_digest(trial) for label, trial in trials.items()}
    identity._shipped_operator_digest.cache_clear()
    assert {label for label in trials if after[label] != before[label]} == stale


@pytest.mark.parametrize("name", identity.used_modules(SE_BASE))
def test_every_used_module_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = identity.code_digest(SE_BASE), identity._module_digest
    monkeypatch.setattr(identity, "_module_digest", lambda n: "new" if n == name else digest(n))
    assert identity.code_digest(SE_BASE) != before


@pytest.mark.parametrize(
    "imported",
    ["from senet_lab.blocks.squeeze import Average", "from senet_lab.blocks import squeeze as sq",
     "import senet_lab.blocks.squeeze as sq", "from senet_lab.spec import SE", "import senet_lab.nowhere"],
)  # fmt: skip
def test_an_operator_may_import_from_this_package(imported: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = imported.rpartition(" ")[2].rpartition(".")[2]
    text = f"{imported}\nfrom senet_lab import squeeze\n@squeeze('mine')\nclass Mine:\n    x = {name}\n"
    text = text.replace("x = nowhere", "x = senet_lab")
    own = Source("mine", text, frozenset({("squeeze", "mine")}))
    trial = SE_BASE.model_copy(
        update={"model": SE_BASE.model.model_copy(update={"se": senet_lab.SE.model_construct(squeeze="mine")})}
    )
    before, digest = identity._operator_digest("squeeze", "mine", own), identity._module_digest
    assert trial.model.se is not None and identity.used_operators(trial)[0] == ("squeeze", "mine")
    monkeypatch.setattr(identity, "_module_digest", lambda n: "new" if n == "blocks.squeeze" else digest(n))
    identity._own_operator_digest.cache_clear()
    assert (identity._operator_digest("squeeze", "mine", own) != before) == ("blocks" in imported)
    identity._own_operator_digest.cache_clear()


def test_an_operator_that_no_file_at_hand_defines_is_refused() -> None:
    with pytest.raises(SpecError, match=r"model\.se\.squeeze: 'mine' is another file's operator; define it"):
        identity._operator_digest("squeeze", "mine", None)


def test_another_rule_for_the_bottleneck_makes_results_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    before, plain = identity.code_digest(SE_BASE), identity.code_digest(BASE)
    monkeypatch.setattr(senet_lab.SE, "hidden_width", lambda self, channels: 8)
    assert identity.code_digest(SE_BASE) != before
    assert identity.code_digest(BASE) == plain


def test_another_reduction_of_a_stage_is_other_code_only_where_widths_differ() -> None:
    wide = apply(SE_BASE, {"model.se.reduction_in.stage2": 1})
    same = apply(SE_BASE, {"model.se.reduction": 1})
    assert identity.code_digest(wide) == identity.code_digest(same) != identity.code_digest(SE_BASE)


def test_what_a_network_is_made_of_counts_too() -> None:
    trial = apply(BASE, {"model.family": "vgg", "model.depth": 16})
    assert set(identity._neighbours("models.vgg")) <= set(identity.used_modules(trial))
    assert "models.convolution" in identity.used_modules(apply(BASE, {"model.family": "bn_inception"}))
    assert "models.vgg" not in identity.used_modules(BASE)


@pytest.mark.parametrize(
    ("family", "what", "other"),
    [
        ("bn_inception", "MODULES", {"3a": (64, 64, 64, 64, 96, 32)}),
        ("senet", "stem", (8, 9, 16)),
        ("vgg", "hidden", 7),
        ("resnext", "groups", 3),
        ("shufflenet", "units", ()),
    ],
)
def test_every_number_of_a_family_that_builds_its_network_counts(
    family: str, what: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plain = identity.code_digest(TRIALS[family]), identity.code_digest(BASE)
    changed = other if what.isupper() else property(lambda self: other)
    monkeypatch.setattr(type(TRIALS[family].model), what, changed)
    monkeypatch.setattr(type(TRIALS[family].model), "hidden_widths", property(lambda self: {}))
    with_both = identity.code_digest(TRIALS[family])
    monkeypatch.undo()
    monkeypatch.setattr(type(TRIALS[family].model), "hidden_widths", property(lambda self: {}))
    assert len({before, with_both, identity.code_digest(TRIALS[family])}) == 3
    assert identity.code_digest(BASE) == plain


EXEMPT = {
    "spec": "a closed value; what it works out for the network is in the digest by itself",
    "errors": "only messages",
    "records": "facts after the event",
    "design": "makes the configuration, which the fingerprint covers",
    "store": "bytes in, the same bytes out, guarded by a digest",
    "seals": "the digests by which the store guards its bytes",
    "training.probe": "looks on; tests hold the result against one without it, to the last bit",
    "gates": "what the probe saw, which no result depends on",
    "trial": "puts the parts together; bookkeeping that changes often",
    "data.__init__": "loads the images, whose content the fingerprint covers",
    "plan": "identity only",
    "jobs": "carries what the driver knows into the record",
    "blocks.squeeze": "each squeeze is watched by itself",
    "blocks.gate": "each gate is watched by itself",
    "blocks.own": "makes known what the sweep's file defines, whose code counts by itself",
    "files": "bytes in, the same bytes out",
    "identity": "identity only",
    "syntax": "identity only",
    "data.cache": "keeps what was decoded; the fingerprint covers what from",
    "data.listing": "finds the files, whose content the fingerprint covers",
    "data.notice": "only messages",
    "environment": "how many processes decode, which changes no image",
}


ONE_STEP = {"data.validation": 890, "train.batch_size": 8, "model.se.reduction": 4}
FAMILIES: dict[str, dict[str, Any]] = {
    "preact_resnet": {"model.depth": 8, "model.widths": (4, 8, 8)},
    "wide_resnet": {"model.depth": 10, "model.widen": 1},
    "shake_shake": {"model.depth": 8, "model.base_width": 4, "data.cutout": 0.5},
    "resnet": {"model.depth": 50},
    "resnext": {"model.depth": 50},
    "senet": {"model.depth": 154},
    "vgg": {"model.depth": 16},
    "bn_inception": {},
    "inception_resnet_v2": {},
    "mobilenet": {},
    "shufflenet": {},
}
NARROW = {"model.width": 0.125, "model.small_images": True}
TRIALS = {"plain": BASE, "se": apply(SE_BASE, {"data.crop_padding": 1})} | {
    family: apply(BASE, {"model.family": family} | ONE_STEP | settings | (NARROW if len(settings) < 2 else {}))
    for family, settings in FAMILIES.items()
}


def test_every_family_is_watched() -> None:
    assert {t.model.family for t in TRIALS.values()} == {c.model_fields["family"].default for c in families()}


UNSEEN = {"training.sgd", *identity.TOGETHER, "models.convolution"}
"""The methods of the first are torch's own; the others run on GPUs and in groups, and the last folds with them."""


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_used_modules_are_all_whose_code_runs_in_a_trial(trial: Trial, tmp_path: Path) -> None:
    ran, listed = modules_run(trial, tmp_path), set(identity.used_modules(trial))
    assert ran - listed - set(EXEMPT) == set()
    assert listed - ran <= UNSEEN


@pytest.mark.parametrize("image_size", [None, 8], ids=["held", "streamed"])
def test_so_they_are_where_the_images_come_from_files(image_size: int | None, tmp_path: Path) -> None:
    for part, images in (("train", 12), ("test", 4)):
        files = [io.BytesIO() for _ in range(images)]
        for i, file in enumerate(files):
            Image.new("RGB", (10, 10), (i, i * 7, 200)).save(file, "png")
        columns = {
            "image": [{"bytes": f.getvalue(), "path": ""} for f in files],
            "label": [i % 2 for i in range(images)],
        }
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / f"{part}.parquet")
    changes = {"data.source": f"parquet:{tmp_path}", "data.image_size": image_size, "data.validation": 4, **SMALL_BATCH}
    trial = apply(BASE, changes)
    ran, listed = modules_run(trial, tmp_path), set(identity.used_modules(trial))
    assert ran - listed - set(EXEMPT) == set()
    assert ("data.stream" in ran) == (image_size is not None) and "data.parquet" in ran & listed


SMALL_BATCH = {"train.batch_size": 4, "train.epochs": 1}


def modules_run(trial: Trial, folder: Path) -> set[str]:
    """The modules of the package, `spec` apart, of which a function ran while `trial` was trained and tested."""
    from senet_lab.jobs import Job
    from senet_lab.records import Cost, TrialRecord
    from senet_lab.trial import run_trial

    cost = Cost(params=0, params_and_statistics=0, macs=0)
    planned = plan.wanted([Variant("row", {}, trial)], 1, lambda asked: data.digest(asked, folder))[0]
    job = Job(planned, "s", folder, "e", cost, data_dir=folder)
    importlib.import_module(f"senet_lab.models.{trial.model.module}")  # importing is not running
    for cached in (data._load, data._digest):
        cached.cache_clear()
    package, ran = Path(senet_lab.__file__).parent, set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            ran.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        ended = list(run_trial(job))
    finally:
        sys.setprofile(before)
    assert isinstance(ended[-1], TrialRecord) and ended[-1].status == "done", ended[-1]
    inside = {Path(f).relative_to(package) for f in ran if Path(f).is_relative_to(package)}
    names = {".".join(f.with_suffix("").parts) for f in inside}
    return {name for name in names if name.partition(".")[0] != "spec"}


def test_the_shipped_recipe_is_known_to_the_plan() -> None:
    assert all((Path(senet_lab.__file__).parent / f"{n.replace('.', '/')}.py").is_file()
               for n in identity.used_modules(apply(recipes.DIGITS, {"model.se": {}})))  # fmt: skip
