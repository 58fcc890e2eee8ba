"""Sweeps on a Ray cluster that is there: as typed, with nodes that go away, with GPUs that are too small.

Each cluster is a real one of several nodes on this machine; nothing of the project is installed on them. Most tests
share one, which is started again after a test that ended it and gets another node for one that was taken away.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_lab import inventory, sweep
from senet_lab.errors import ClusterLost, Crowded, StoreError, UserError
from senet_lab.executors.local import Local
from senet_lab.jobs import Job, Step
from senet_lab.spec import ASHA
from tests.conftest import question
from tests.typed import train, typed
from tests.undrawn import COMMAND

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("undrawn"),
    pytest.mark.filterwarnings("ignore"),  # Ray's own, in this process
]

SWEEP = '''"""Does a softer maximum do?"""
import torch
from senet_lab import Data, Model, Sweep, Train, Trial, squeeze


@squeeze("soft_max")
class SoftMax(torch.nn.Module):
    def forward(self, x):
        return x.logsumexp(dim=(2, 3))


SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(8,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs={epochs}, batch_size=32, learning_rate=0.1),
    ),
    grid={{"model.se.squeeze": ["avg", "soft_max"]}},
    controls=["no_se"],
    baseline="no_se",
    seeds={seeds},
    margin=0.01,
)
'''


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """Ray on this machine with a head that runs nothing, and nodes of one core."""

    def __init__(self, nodes: int, **head: Any) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        self.client = f"ray://127.0.0.1:{(port := free_port())}"
        asked = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": port} | head
        self.ray = RayCluster(initialize_head=True, head_node_args=asked)
        self.address = str(self.ray.address)
        self.nodes: list[Any] = []
        self.runs = True
        self.grow(nodes)

    def grow(self, nodes: int) -> None:
        while len(self.nodes) < nodes:
            self.nodes.append(self.ray.add_node(num_cpus=1))

    def lose_a_node(self) -> None:
        self.ray.remove_node(self.nodes.pop(0), allow_graceful=False)

    def end(self) -> None:
        self.runs = False
        self.ray.shutdown()


@pytest.fixture(scope="module")
def made() -> Iterator[list[Cluster]]:
    """The cluster that runs, if one does."""
    running: list[Cluster] = []
    yield running
    for one in running:
        one.end()


@pytest.fixture
def cluster(made: list[Cluster]) -> Cluster:
    """Of two nodes."""
    if made and not made[0].runs:
        made.clear()
    if not made:
        made.append(Cluster(2))
    made[0].grow(2)
    return made[0]


@pytest.fixture
def fresh(made: list[Cluster]) -> Cluster:
    """Of two nodes, and not of one that served a client before: the next may be refused where the first was slow."""
    while made:
        made.pop().end()
    made.append(Cluster(2))
    return made[0]


@pytest.fixture
def with_gpu(made: list[Cluster]) -> Iterator[Cluster]:
    """Of a head alone, which Ray takes to have a GPU."""
    while made:  # two at once would be much for two cores
        made.pop().end()
    yield (one := Cluster(0, num_cpus=2, num_gpus=1))
    one.end()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, epochs: int = 2, seeds: int = 2) -> None:
    (folder / "sweeps").mkdir(exist_ok=True)
    (folder / "sweeps" / "small.py").write_text(SWEEP.format(epochs=epochs, seeds=seeds))


def senet_lab(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=240)


def facts(folder: Path) -> dict[str, dict[str, Any]]:
    """Of each trial by id, what must not depend on where it ran."""
    found = [json.loads(p.read_text()) for p in (folder / "runs").glob("small/*/record.json")]
    assert len({r["id"] for r in found}) == len(found), "each trial once"
    for record in found:
        record["epochs"] = [{k: v for k, v in e.items() if k != "seconds"} for e in record["epochs"]]
    return {r["id"]: {k: r[k] for k in ("status", "test", "epochs", "params", "macs")} for r in found}


def undisturbed(like: Path, elsewhere: Path) -> dict[str, dict[str, Any]]:
    """The facts of the same sweep in one process."""
    train(like / "sweeps" / "small.py", elsewhere / "runs")
    return facts(elsewhere)


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 180
    while not true():
        assert time.monotonic() < until, "it did not come about in three minutes"
        time.sleep(0.05)


@pytest.mark.long
def test_a_sweep_with_its_own_operator_runs_there_by_address_and_by_client(
    here: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    by_address = senet_lab(here, "sweep", "small", "--seeds", "1", "--workers", "1", "--address", cluster.address)
    assert by_address.returncode == 0, by_address.stdout + by_address.stderr
    assert "3 of 3 trials ended" in by_address.stdout and cluster.address in by_address.stdout
    by_client = senet_lab(here, "sweep", "small", "--address", cluster.client)
    assert by_client.returncode == 0, by_client.stdout + by_client.stderr
    assert "3 trials to run" in by_client.stdout and "3 of 3 trials ended" in by_client.stdout
    assert facts(here) == undisturbed(here, tmp_path_factory.mktemp("undisturbed"))
    again = typed(here, "sweep", "small", "--address", cluster.client)
    assert again.code == 0 and "trials to run" not in again.out


@pytest.mark.long
def test_more_than_the_cluster_has_is_refused_and_leaves_nothing(here: Path, cluster: Cluster) -> None:
    for option, much in (("--cpus-per-trial", "64"), ("--gpus-per-trial", "1")):
        done = senet_lab(here, "sweep", "small", "--address", cluster.address, option, much)
        assert done.returncode == 2 and f"{option} {much}: the cluster has" in done.stderr, done.stderr
    assert {p.name for p in here.iterdir()} == {"sweeps"}


@pytest.mark.long
def test_a_node_that_is_lost_costs_an_epoch_at_most(
    here: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(here, epochs=30)
    running = subprocess.Popen(
        [*COMMAND, "sweep", "small", "--address", cluster.address],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: len(list((here / "runs").glob("small/*/state.bin"))) == 2 or running.poll() is not None)
    cluster.lose_a_node()
    output, _ = running.communicate(timeout=240)
    assert running.returncode == 0, output
    assert "6 of 6 trials ended" in output
    assert facts(here) == undisturbed(here, tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.long
def test_a_store_that_the_nodes_do_not_see_is_refused(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_lab.executors import tune_loop
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    class Elsewhere(tune_loop.Trainable):
        """As on a node with a disk of its own."""

        def setup(self, config: dict[str, Any], groups: list[list[Job]], meeting: Any) -> None:
            super().setup(config, [[replace(job, store="/proc/self/nowhere") for job in g] for g in groups], meeting)

    monkeypatch.setattr(tune_loop, "Trainable", Elsewhere)
    found = inventory.take(question(), tmp_path / "runs")
    with pytest.raises(StoreError, match=r"cannot be seen from .*, a node of the Ray cluster; .*--store s3://"):
        sweep.run(found, RayTune(Slot(at_once=1), address=cluster.address), lambda step: None)
    assert inventory.take(question(), tmp_path / "runs").plan.counts()["failed"] == 0


@pytest.mark.long
def test_a_process_whose_gpu_failed_takes_no_other_job_and_costs_no_other_trial(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_lab.executors import tune_loop
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    class Watched(tune_loop.Trainable):
        def step(self) -> dict[str, Any]:
            told: dict[str, Any] = super().step()
            record = told["steps"][-1].record
            self.broken = record is not None and record.status == "failed"  # as if its GPU had failed
            (tmp_path / f"{self.jobs[0].planned.id}-{os.getpid()}").touch()
            return told

    monkeypatch.setattr(tune_loop, "Trainable", Watched)
    diverging = {"train.learning_rate": 99.0, "train.weight_decay": 0.9}
    asked = question(grid={}, variants=[diverging, {"model.se.reduction": 2}], seeds=3)
    found = inventory.take(asked, tmp_path / "runs")
    sweep.run(found, RayTune(Slot(at_once=1), address=cluster.address), lambda step: None)
    after = inventory.take(asked, tmp_path / "runs")
    assert after.plan.counts() == {"failed": 3, "done": 6}
    assert {r.variant.partition("=")[0] for r in after.records if r.status == "failed"} == {"learning_rate"}
    failing = {t.id for t, state in after.plan.trials if state == "failed"}
    workers = [p.name.split("-") for p in tmp_path.glob("*-*")]
    assert len({pid for id, pid in workers if id in failing}) == 3, "each broke a process of its own"


@pytest.mark.long
def test_a_rule_ends_trials_over_there_too(tmp_path: Path, cluster: Cluster) -> None:
    """By client, batch after batch on one connection; nothing is better than an error of 0."""
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot
    from tests.executors.test_judge import curve

    executor = RayTune(Slot(at_once=1), address=cluster.client, stays=True)
    heard: list[Step] = []
    try:
        sweep.run(inventory.take(question(seeds=1), tmp_path / "runs"), executor, heard.append)
        executor.watch(ASHA(), [curve(0.0, 0.0)])
        sweep.run(inventory.take(question(seeds=2), tmp_path / "runs"), executor, heard.append)
    finally:
        executor.stop()
    after = inventory.take(question(seeds=2), tmp_path / "runs")
    assert after.plan.counts() == {"done": 2, "stopped": 2}
    assert {s.record.id: s.record for s in heard if s.record} == {r.id: r for r in after.records}
    ended = [s for s in heard if s.record and s.record.status == "stopped"]
    assert len([s for s in heard if s.record]) == 4 and [len(s.record.epochs) for s in ended if s.record] == [1, 1]


@pytest.mark.long
def test_a_cluster_that_goes_away_is_no_trials_fault(here: Path, fresh: Cluster) -> None:
    write(here, epochs=40, seeds=1)
    running = subprocess.Popen(
        [*COMMAND, "sweep", "small", "--workers", "1", "--address", fresh.client],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: any((here / "runs").glob("small/*/state.bin")) or running.poll() is not None)
    fresh.end()
    output, _ = running.communicate(timeout=240)
    assert running.returncode == 1, output
    assert f"the Ray cluster at {fresh.client} went away" in output and "type the same command again" in output
    assert "Traceback" not in output
    assert not any(r["status"] == "failed" for r in facts(here).values())
    train(here / "sweeps" / "small.py", here / "runs")
    assert len(facts(here)) == 3


@pytest.mark.long
def test_a_gpu_that_is_too_small_gives_way_to_fewer_at_once(
    tmp_path: Path, with_gpu: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray counts the GPU, the trials run on the processor; one of them finds no room while it has neighbours."""
    from senet_lab.executors import tune_loop
    from senet_lab.executors.ray_tune import RayTune

    class Small(tune_loop.Trainable):
        def setup(self, config: dict[str, Any], groups: list[list[Job]], meeting: Any) -> None:
            super().setup(config, [[replace(job, device="cpu") for job in group] for group in groups], meeting)

        def step(self) -> dict[str, Any]:
            job = self.jobs[0]
            if job.neighbours and job.planned.variant.label == "no_se":
                return {"steps": Crowded(f"{job.planned.name}: GPU memory ran out"), "done": True}
            return super().step()

    rounds: list[list[float]] = []
    whole_round = tune_loop._round

    def watched(relay: Any, slots: Any, meeting: Any, scratch: Path) -> None:
        rounds.append([slot.gpus for slot in slots])
        whole_round(relay, slots, meeting, scratch)

    monkeypatch.setattr(tune_loop, "Trainable", Small)
    monkeypatch.setattr(tune_loop, "_round", watched)
    steps: list[Step] = []
    found = inventory.take(question(seeds=2), tmp_path / "runs")
    sweep.run(found, RayTune(gpus_per_trial=0.25, address=with_gpu.address), steps.append)
    after = inventory.take(question(seeds=2), tmp_path / "runs")
    assert after.plan.counts() == {"done": 4}
    notes = [step.note for step in steps if step.note]
    assert notes and all("GPU memory ran out; next alone" in note for note in notes)
    assert rounds[0] == [0.25] * 4
    assert 1.0 in rounds[1] and set(rounds[1]) <= {0.5, 1.0}, "the one alone, the others with fewer neighbours"
    assert sorted(s.record.id for s in steps if s.record) == sorted(t.id for t in after.planned), "each ends once"

    expected = inventory.take(question(seeds=2), tmp_path / "elsewhere")
    sweep.run(expected, Local(), lambda step: None)
    same = inventory.take(question(seeds=2), tmp_path / "elsewhere").records
    assert {r.id: r.test for r in same} == {r.id: r.test for r in after.records}


@pytest.mark.parametrize(("said", "broken"), [("CUDA error: misaligned address", True), ("Diverged", False)])
def test_only_a_fault_of_the_gpu_breaks_its_process(said: str, broken: bool, tmp_path: Path) -> None:
    from senet_lab.executors import tune_loop
    from senet_lab.jobs import new_record
    from senet_lab.sweep import cost

    planned = inventory.take(question(), tmp_path / "runs").planned[0]
    ended = {"status": "failed", "started_at": 0.0, "ended_at": 0.0, "seconds": 0.0, "traceback": said}
    record = new_record(Job(planned, "tiny", tmp_path, "e", cost(planned.trial)), **ended)
    slot = object.__new__(tune_loop.Trainable)
    slot.broken, slot.refusal, slot.meeting = False, None, tune_loop.Meeting(tmp_path, 1)
    slot.left, slot.steps = 1, iter([(Step(planned, (), record),)])
    assert slot.step()["done"] and slot.broken is broken


def test_a_node_that_may_not_read_the_store_refuses_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from senet_lab.executors import tune_loop
    from senet_lab.sweep import cost

    planned = inventory.take(question(), tmp_path / "runs").planned[0]
    job = Job(planned, "tiny", "nowhere://runs", "e", cost(planned.trial))
    refusal = tune_loop._unseen(job)
    assert refusal is not None and "a node of the Ray cluster: --store nowhere://runs" in str(refusal)


@pytest.mark.parametrize(
    ("workers", "cpus", "cores"), [(None, 1, 16), (3, 1, 3), (1, 2, 2), (2, 4, 8)], ids=lambda n: str(n)
)
def test_workers_are_counted_in_trials_whatever_cores_each_takes(
    workers: int | None, cpus: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_lab.executors import ray_tune
    from senet_lab.executors.slot import Slot

    started: list[int] = []
    monkeypatch.setattr(ray_tune, "cores", lambda: 16)
    monkeypatch.setattr(ray_tune, "_start_here", started.append)
    monkeypatch.setattr(ray_tune.ray, "cluster_resources", lambda: {"CPU": float(started[-1])})
    executor = ray_tune.RayTune(Slot(cpus, at_once=workers))
    slot = executor._start_ray()
    assert started == [cores] and executor._workers(slot) == (workers or 16 // cpus)


def test_an_error_of_the_cluster_travels() -> None:
    import pickle

    lost = pickle.loads(pickle.dumps(ClusterLost("the Ray cluster at x")))
    assert str(lost) == str(ClusterLost("the Ray cluster at x")) and lost.exit_code == 1


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:9", "ray://127.0.0.1:9", "ray://me:canary@127.0.0.1:9"])
def test_an_address_without_a_cluster_is_refused_in_seconds(address: str) -> None:
    from senet_lab.executors.ray_tune import RayTune

    with pytest.raises(UserError, match="there is no Ray cluster to join") as refusal:
        RayTune(address=address).refuse_impossible()
    assert "canary" not in str(refusal.value)


def test_waiting_steps_come_in_order() -> None:
    from ray.util.queue import Empty

    from senet_lab.executors import far

    class Inbox:
        def __init__(self, items: list[int]) -> None:
            self.items = items

        def get(self, timeout: float) -> int:
            if not self.items:
                raise Empty
            return self.items.pop(0)

        def qsize(self) -> int:
            return len(self.items)

        def get_nowait_batch(self, n: int) -> list[int]:
            taken, self.items = self.items[:n], self.items[n:]
            return taken

    assert far._waiting(Inbox([1, 2, 3])) == [1, 2, 3] and far._waiting(Inbox([])) == []
