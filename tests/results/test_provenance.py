"""What trials cost and where they ran, counted by hand; nothing of it names people or passwords."""

from dataclasses import replace

import pytest

from senet_lab.records import Environment
from senet_lab.results import provenance
from senet_lab.results.provenance import COUNTS, FAILED, INTERRUPTED, MISSING, OLDER, OTHER, STOPPED
from senet_lab.store import Store

FAILURE = (
    'Traceback (most recent call last):\n  File "/home/alice/net.py", line 3\nDiverged: see https://me:secret@host/x\n'
)


@pytest.fixture
def asked(make):
    """Two rows, r = 2 and no SE, three seeds."""
    return make.question(seeds=3, grid={"model.se.reduction": (2,)})


@pytest.fixture
def found(make, asked):
    """Of six trials two done, one failed, three missing; one of older code, two of another setting."""
    first, second, third, fourth, *_ = plan = make.plan(asked)
    other = make.plan(make.question(seeds=2, grid={"model.se.reduction": (64,)}))[0::2]
    records = [
        make.record(first, seconds=10.0, peak_memory_bytes=100),
        make.record(second, seconds=4.0),
        make.record(third, status="failed", test=None, seconds=3.0, attempts=3, traceback=FAILURE),
        make.record(fourth, id="old", code="code-0", seconds=2.0),
        *(make.record(one, seconds=50.0) for one in other),
    ]
    traced = provenance.trace(plan, reversed(records), [first.id, second.id])
    return traced, plan


def test_every_trial_has_one_use(found):
    traced, plan = found
    uses = dict(zip(traced.runs["id"], traced.runs["use"], strict=True))
    assert [uses[t.id] for t in plan] == [COUNTS, COUNTS, FAILED, MISSING, MISSING, MISSING]
    assert uses["old"] == OLDER
    assert traced.count(OTHER) == 2 and len(uses) == len(traced.runs) == 9


def test_a_trial_that_was_stopped_is_none_that_failed(make, asked):
    plan = make.plan(asked)
    runs = provenance.trace(plan, [make.record(plan[0], status="stopped", test=None, seconds=3.0)], [])
    assert (runs.count(STOPPED), runs.count(FAILED), runs.seconds(STOPPED)) == (1, 0, 3.0)
    assert runs.compute().set_index("variant").loc["reduction=2", ["trials", "failed"]].tolist() == [0, 0]


def test_compute_counts_failures_older_code_and_other_settings(found):
    traced, _ = found
    table = traced.compute().set_index("variant")
    assert table.index.tolist() == ["reduction=2", "no_se", OLDER, OTHER]
    assert table.loc["reduction=2", ["trials", "each", "seconds", "failed", "failed_seconds"]].tolist() == [
        1,
        10,
        10,
        1,
        3,
    ]
    assert table.loc["no_se", ["trials", "seconds", "failed", "failed_seconds"]].tolist() == [1, 4, 0, 0]
    assert (table.loc[OLDER, "seconds"], table.loc[OTHER, "seconds"]) == (2, 100)
    assert table.loc["reduction=2", "peak_memory_bytes"] == 100
    assert (traced.seconds(COUNTS), traced.seconds(FAILED), traced.seconds()) == (14, 3, 119)
    assert table["seconds"].sum() + table["failed_seconds"].sum() == traced.seconds()


def test_a_result_of_older_code_that_counts_is_not_missing_as_well(make, asked):
    plan = make.plan(asked)
    old = make.record(plan[0], id="old", code="code-0")
    runs = provenance.trace(plan, [old], ["old"]).runs
    assert runs.loc[runs["variant"] == "reduction=2", "use"].tolist() == [COUNTS, MISSING, MISSING]


def test_reasons_are_told_without_names_and_passwords(found):
    traced, _ = found
    failed = traced.runs[traced.runs["use"] == FAILED].iloc[0]
    assert failed["reason"] == "Diverged: see https://host/x"
    assert "alice" not in failed["traceback"] and "~/net.py" in failed["traceback"]
    assert provenance.shareable("--store /Users/Bob/runs /homes/x") == "--store ~/runs /homes/x"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sweep /home/bob/x/mine.py --store=/mnt/a/runs/ --to /r", "sweep mine.py --store=runs/ --to r"),
        ("sweep a --set 'data.source=folder:/mnt/my images/pets'", "sweep a --set data.source=folder:pets"),
        ("sweep there/mine.py --store s3://me:secret@host/runs?key=1", "sweep there/mine.py --store s3://host/runs"),
        ("sweep a --store https://host:80/a/b --set x=1/2 --to ../r", "sweep a --store https://host:80/a/b --set x=1/2"
         " --to ../r"),
        ("sweep 'a", "sweep ''\"'\"'a'"),
    ],
)  # fmt: skip
def test_of_a_path_from_the_root_the_last_part_is_told(command, said):
    assert provenance.typed("senet-lab " + command) == "senet-lab " + said


def test_the_store_tells_environments_and_what_was_interrupted(make, asked, tmp_path):
    plan = make.plan(asked)
    plan = tuple(replace(t, id=f"{i:012x}") for i, t in enumerate(plan))
    store = Store(tmp_path, "reduction_ratio")
    machine = Environment(
        command="senet-lab sweep x", python="3.12", platform="Linux", cpu="A", cores=2, gpus=(), packages={},
        git_commit=None, git_diff=None,
    )  # fmt: skip
    rare, usual = (store.save_environment(machine.model_copy(update={"cores": n})) for n in (2, 4))
    store.open(plan[3])
    records = [make.record(t, environment=e) for t, e in zip(plan[:3], (rare, usual, usual), strict=True)]
    traced = provenance.trace(plan, records, [r.id for r in records], store)
    assert [e.cores for e in traced.environments.values()] == [4, 2], "that of most trials first"
    assert traced.runs.set_index("id").loc[plan[3].id, "use"] == INTERRUPTED
    assert traced.count(MISSING) == 2


def test_images_of_the_data_sets(ask):
    assert provenance.images(ask())["digits"].pool == 906
