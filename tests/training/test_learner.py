"""What a training is between two epochs: as bytes and back; in which precision it computes."""

import io
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from senet_lab.spec import apply
from senet_lab.training.evaluate import evaluate
from senet_lab.training.train import train
from tests.training.trained import GATED, HALF, TINY, assert_same_bits, pixels, prepare, run

pytestmark = pytest.mark.usefixtures("one_thread")


def test_what_is_loaded_is_what_was_saved() -> None:
    learner = run(TINY)
    other, _ = prepare(TINY)
    other.load_bytes(learner.to_bytes())
    assert_same_bits(learner, other)
    assert other.epochs == learner.epochs


def same(a: Tensor, b: Tensor) -> bool:
    in_memory = [torch.as_strided(t, (t.numel(),), (1,)) for t in (a, b)]
    return a.dtype == b.dtype and torch.equal(a, b) and torch.equal(*in_memory)


@pytest.mark.parametrize("changes", [{}, {"train.momentum": 0.0}, {"model.se.gate": "tanh"}], ids=str)
def test_a_state_keeps_every_tensor_its_type_and_its_order_in_memory(changes: dict[str, Any]) -> None:
    trial = apply(GATED, {"train.epochs": 1} | changes)
    learner, parts = prepare(trial)
    learner.network.register_buffer("odd", torch.tensor([True, False, True]))  # what follows begins at no whole number
    learner.network.register_buffer("count", torch.arange(3))
    list(train(trial, learner, parts))
    other, _ = prepare(trial)
    other.network.register_buffer("odd", torch.zeros(3, dtype=torch.bool))
    other.network.register_buffer("count", torch.zeros(3, dtype=torch.long))
    other.load_bytes(learner.to_bytes())
    one, two = learner.network.state_dict(), other.network.state_dict()
    assert all(same(t, two[name]) for name, t in one.items())
    kept, again = (x.optimizer.state_dict()["state"] for x in (learner, other))
    assert kept.keys() == again.keys() and (len(kept) == 0) == (trial.train.momentum == 0)
    assert all(same(state["momentum_buffer"], again[i]["momentum_buffer"]) for i, state in kept.items())


def test_a_state_of_another_network_is_refused() -> None:
    learner, _ = prepare(GATED)
    with pytest.raises(RuntimeError, match="state_dict"):
        learner.load_bytes(run(TINY).to_bytes())


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this must not run",)


def test_bytes_that_would_run_code_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    torch.save({"network": Evil(), "optimizer": {}, "epochs": []}, buffer)
    with pytest.raises(Exception, match=r"(?i)weights.only"):
        prepare(TINY)[0].load_bytes(buffer.getvalue())
    assert capsys.readouterr().out == ""


class Seen:
    """The types of what each layer of a network makes, and of its gradients."""

    def __init__(self, network: nn.Module) -> None:
        self.types: dict[str, set[torch.dtype]] = {}
        for name, layer in network.named_modules():
            layer.register_forward_hook(lambda _, __, made, name=name: self.add(name, made))

    def add(self, name: str, made: Tensor) -> None:
        self.types.setdefault(name, set()).add(made.dtype)


def test_in_bfloat16_the_network_computes_and_nothing_else() -> None:
    learner, parts = prepare(HALF)
    seen = Seen(learner.network)
    found = list(train(HALF, learner, parts))
    assert {"stem", "classifier"} < {name for name, types in seen.types.items() if types == {torch.bfloat16}}
    assert seen.types[""] == {torch.float32}, "logits"
    kept = [*learner.network.state_dict().values(), *(s["momentum_buffer"] for s in learner.optimizer.state.values())]
    assert {t.dtype for t in kept} == {torch.float32, torch.int64}
    exact = run(GATED).epochs
    assert found[-1].train_loss != exact[-1].train_loss
    assert found[-1].train_loss == pytest.approx(exact[-1].train_loss, rel=0.1)


def test_a_network_of_bfloat16_is_tested_in_bfloat16() -> None:
    """A tested number of the same weights in float32 would be another."""
    learner, parts = prepare(HALF)
    list(train(HALF, learner, parts))
    twin, _ = prepare(GATED)
    twin.network.load_state_dict(learner.network.state_dict())
    tested = evaluate(learner.network, parts.validation)
    assert tested.loss == learner.epochs[-1].validation_loss != evaluate(twin.network, parts.validation).loss
    with torch.autocast("cpu", torch.bfloat16):
        assert tested.loss == evaluate(twin.network, parts.validation).loss


def test_a_copy_of_a_network_of_bfloat16_computes_with_its_own_weights() -> None:
    learner, parts = prepare(HALF)
    copy, x_BCHW = deepcopy(learner.network), pixels(parts.test)
    learner.network.requires_grad_(False).classifier.weight.zero_()  # type: ignore[union-attr, operator]
    assert copy(x_BCHW).any() and not learner.network(x_BCHW).any()
