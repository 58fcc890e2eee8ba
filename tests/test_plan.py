"""Fingerprints, code digests, and what is left to run."""

import hashlib
import importlib
import io
import json
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

import senet_lab
from senet_lab import data, plan, recipes
from senet_lab.design import Variant, variants
from senet_lab.plan import PlannedTrial, StoredTrial, fingerprint, reconcile, source_digest
from senet_lab.spec import CifarResNet, Data, Model, Spec, Sweep, Train, Trial, apply, families

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


def test_a_block_of_defaults_is_not_the_absence_of_a_block() -> None:
    assert fingerprint(apply(BASE, {"model.se": {}}), "d") != fingerprint(BASE, "d")


CHANGES: dict[str, Any] = {
    "model.depth": 6, "model.widths": (8,), "model.se.reduction": 4, "model.se.squeeze": "max",
    "model.se.gate": "tanh", "model.se.placement": "pre", "model.se.stages": (2,), "model.se.bias": True,
    "data.validation": 101, "data.crop_padding": 1, "data.flip": True, "data.cutout": 0.5,
    "train.epochs": 2, "train.batch_size": 255, "train.learning_rate": 0.2, "train.momentum": 0.0,
    "train.weight_decay": 1e-4, "train.label_smoothing": 0.1, "train.schedule": "constant", "train.nesterov": False,
    "train.warmup_epochs": 0.5, "seed": 1,
}  # fmt: skip


def dotted(spec: type[Spec], prefix: str = "") -> set[str]:
    inside = {"model": CifarResNet, "data": Data, "train": Train, "se": senet_lab.SE}
    found = set()
    for name in spec.model_fields:
        found |= dotted(inside[name], f"{prefix}{name}.") if name in inside else {prefix + name}
    return found


def test_every_setting_the_seed_and_the_data_change_the_fingerprint() -> None:
    elsewhere = {"model.family", "model.weights", "data.source", "data.image_size", "train.drops", "train.decay"}
    assert set(CHANGES) | elsewhere == dotted(Trial)  # nothing forgotten here
    marks = [fingerprint(apply(SE_BASE, {key: value}), "d") for key, value in CHANGES.items()]
    marks += [fingerprint(SE_BASE, "d"), fingerprint(SE_BASE, "other")]
    assert len(set(marks)) == len(CHANGES) + 2


# --- code digests

CODE = '''"""Old words."""
import math

def area(r: float) -> float:
    """Of a disc."""
    return math.pi * r ** 2  # Archimedes
'''


@pytest.mark.parametrize(
    "same",
    [
        CODE.replace("Old", "New"),
        CODE.replace('    """Of a disc."""\n', ""),
        CODE.replace("  # Archimedes", ""),
        CODE.replace("math.pi * r ** 2", "(\n        math.pi * (r**2)\n    )"),
        CODE.replace("import math\n", "import math\n\n\n"),
        "# licence\n" + CODE,
    ],
)
def test_words_and_layout_do_not_change_a_code_digest(same: str) -> None:
    assert same != CODE and source_digest(same) == source_digest(CODE)


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("** 2", "** 3"),
        CODE.replace("** 2", "** 2.0"),
        CODE.replace("* r", "+ r"),
        CODE.replace("math.pi * r ** 2", "(math.pi * r) ** 2"),
        CODE.replace("area", "disc"),
        CODE + "area = abs\n",
        CODE.replace("return", "x ="),
    ],
)
def test_code_changes_a_code_digest(other: str) -> None:
    assert source_digest(other) != source_digest(CODE)


def test_a_text_that_is_a_value_is_code() -> None:
    assert source_digest('x = "a"') != source_digest('x = "b"')
    assert source_digest('def f():\n    return "a"') != source_digest('def f():\n    return "b"')


def test_only_trials_with_the_block_go_stale_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {t.variant.label: t.code for t in planned()}
    digest = plan._module_digest
    monkeypatch.setattr(plan, "_module_digest", lambda name: "new" if name == "blocks.gate" else digest(name))
    after = {t.variant.label: t.code for t in planned()}
    assert after["no_se"] == before["no_se"]
    assert after["reduction=2"] != before["reduction=2"]


@pytest.mark.parametrize("name", plan.used_modules(SE_BASE))
def test_every_used_module_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = plan.code_digest(SE_BASE), plan._module_digest
    monkeypatch.setattr(plan, "_module_digest", lambda n: "new" if n == name else digest(n))
    assert plan.code_digest(SE_BASE) != before


def test_another_rule_for_the_bottleneck_makes_results_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    before, plain = plan.code_digest(SE_BASE), plan.code_digest(BASE)
    monkeypatch.setattr(senet_lab.SE, "hidden_width", lambda self, channels: 8)
    assert plan.code_digest(SE_BASE) != before
    assert plan.code_digest(BASE) == plain


def test_what_a_network_is_made_of_counts_too() -> None:
    trial = apply(BASE, {"model.family": "vgg", "model.depth": 16})
    assert set(plan._neighbours("models.vgg")) <= set(plan.used_modules(trial))
    assert "models.convolution" in plan.used_modules(apply(BASE, {"model.family": "bn_inception"}))
    assert "models.vgg" not in plan.used_modules(BASE)


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
    before, plain = plan.code_digest(TRIALS[family]), plan.code_digest(BASE)
    changed = other if what.isupper() else property(lambda self: other)
    monkeypatch.setattr(type(TRIALS[family].model), what, changed)
    monkeypatch.setattr(type(TRIALS[family].model), "hidden_widths", property(lambda self: {}))
    with_both = plan.code_digest(TRIALS[family])
    monkeypatch.undo()
    monkeypatch.setattr(type(TRIALS[family].model), "hidden_widths", property(lambda self: {}))
    assert len({before, with_both, plan.code_digest(TRIALS[family])}) == 3
    assert plan.code_digest(BASE) == plain


EXEMPT = {
    "spec": "a closed value; what it works out for the network is in the digest by itself",
    "errors": "only messages",
    "records": "facts after the event",
    "design": "makes the configuration, which the fingerprint covers",
    "store": "bytes in, the same bytes out, guarded by a digest",
    "trial": "puts the parts together; bookkeeping that changes often",
    "data.__init__": "loads the images, whose content the fingerprint covers",
    "plan": "identity only",
    "jobs": "carries what the driver knows into the record",
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


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_used_modules_are_all_whose_code_runs_in_a_trial(trial: Trial, tmp_path: Path) -> None:
    ran, listed = modules_run(trial, tmp_path), set(plan.used_modules(trial))
    assert ran - listed - set(EXEMPT) == set()
    assert listed - ran <= {"blocks.gate"}  # whose functions are torch's own; its table is what counts


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
    ran, listed = modules_run(trial, tmp_path), set(plan.used_modules(trial))
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


# --- what is left to run


def test_all_rows_of_a_seed_come_before_the_next_seed() -> None:
    assert [t.name for t in planned(2)] == [
        "reduction=2 seed=0", "no_se seed=0", "reduction=2 seed=1", "no_se seed=1"
    ]  # fmt: skip
    assert [t.trial.seed for t in planned(2)] == [0, 0, 1, 1]


def test_more_seeds_and_more_rows_leave_the_others_as_they_were() -> None:
    assert planned(3)[:4] == planned(2)
    assert len({t.id for t in planned(3)}) == 6


def test_an_id_names_question_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = planned()
    monkeypatch.setattr(plan, "code_digest", lambda trial: "newer")
    after = planned()
    assert [t.fingerprint for t in after] == [t.fingerprint for t in before]
    assert not {t.id for t in after} & {t.id for t in before}


def test_the_five_states() -> None:
    done, missing, interrupted, failed, stale, _ = trials = planned(3)
    stored = [
        StoredTrial(done.id, done.fingerprint, "done"),
        StoredTrial(interrupted.id, interrupted.fingerprint, "interrupted"),
        StoredTrial(failed.id, failed.fingerprint, "failed"),
        StoredTrial("of older code", stale.fingerprint, "done"),
        StoredTrial("of another question", "elsewhere", "done"),
    ]
    found = reconcile(trials, stored)
    assert [s for _, s in found.trials] == ["done", "missing", "interrupted", "failed", "stale", "missing"]
    assert found.to_run() == (missing, interrupted, trials[5])
    assert found.to_run(["failed"]) == (missing, interrupted, failed, trials[5])
    assert found.to_run(["failed", "stale"]) == (missing, interrupted, failed, stale, trials[5])
    assert found.counts() == Counter(done=1, missing=2, interrupted=1, failed=1, stale=1)
    assert found.counts("no_se") == Counter(missing=2, failed=1)


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_only_a_result_of_older_code_makes_a_trial_stale(state: Any) -> None:
    trial = planned(1)[0]
    assert reconcile([trial], [StoredTrial("older", trial.fingerprint, state)]).trials == ((trial, "missing"),)


def test_a_result_of_this_code_counts_beside_one_of_older_code() -> None:
    trial = planned(1)[0]
    both = [StoredTrial(trial.id, trial.fingerprint, "done"), StoredTrial("older", trial.fingerprint, "done")]
    for stored in (both, both[::-1]):
        assert reconcile([trial], stored).trials == ((trial, "done"),)


def test_data_content_is_part_of_the_identity() -> None:
    other = plan.wanted(two_rows(), 1, lambda _: "other data")
    assert not {t.id for t in other} & {t.id for t in planned(1)}
    assert json.loads(json.dumps(other[0].data)) == "other data"


def test_the_shipped_recipe_is_known_to_the_plan() -> None:
    assert all((Path(senet_lab.__file__).parent / f"{n.replace('.', '/')}.py").is_file()
               for n in plan.used_modules(apply(recipes.DIGITS, {"model.se": {}})))  # fmt: skip
