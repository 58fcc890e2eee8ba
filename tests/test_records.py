"""Facts survive their file."""

import json
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from senet_lab import recipes
from senet_lab.records import EpochMetrics, Evaluation, TrialRecord
from senet_lab.spec import apply

TRIAL = apply(recipes.DIGITS, {"model.se.stages": (2, 3), "seed": 7})


def record(**changes: Any) -> TrialRecord:
    known: dict[str, Any] = {
        "id": "0123456789ab",
        "sweep": "tiny",
        "variant": "stages=2+3",
        "settings": {"model.se.stages": (2, 3)},
        "trial": TRIAL,
        "fingerprint": "f",
        "code": "c",
        "data": "d",
        "status": "done",
        "test": Evaluation(error=0.25, loss=0.5, images=12, correct="/bA="),
        "epochs": (epoch(1), epoch(2)),
        "started_at": 1.7e9,
        "ended_at": 1.7e9 + 3,
        "seconds": 2.5,
        "environment": "e",
    }
    return TrialRecord(**(known | changes))


def epoch(number: int, loss: float = 0.1) -> EpochMetrics:
    return EpochMetrics(
        epoch=number, train_loss=loss, train_error=0.2, validation_loss=0.3, validation_error=1 / 3, learning_rate=0.1,
        seconds=0.01,
    )  # fmt: skip


def test_a_record_survives_json_to_the_last_bit() -> None:
    before = record(settings={"model.se.reduction": 4})
    assert TrialRecord.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_record_with_a_loss_that_is_no_number_can_still_be_read(value: float) -> None:
    test = Evaluation(error=0.9, loss=value, images=12, correct="/bA=")
    text = record(test=test, epochs=(epoch(1, value),)).model_dump_json()
    again = TrialRecord.model_validate_json(text)
    assert again.test is not None
    assert str(again.test.loss) == str(value) == str(again.epochs[0].train_loss)
    json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are not JSON; other readers stop at them


def test_a_record_of_a_newer_version_with_more_facts_can_be_read() -> None:
    tree = json.loads(record().model_dump_json())
    tree["energy_joules"] = 3
    tree["test"]["top5"] = 0.1
    assert TrialRecord.model_validate_json(json.dumps(tree)).id == "0123456789ab"


def test_a_record_of_another_schema_is_not_mistaken_for_one_of_this() -> None:
    tree = json.loads(record().model_dump_json()) | {"schema_version": 2}
    with pytest.raises(ValidationError, match="schema_version"):
        TrialRecord.model_validate_json(json.dumps(tree))


def test_a_record_that_was_written_when_the_format_began_can_be_read() -> None:
    """Frozen: this text never changes, whatever becomes of the classes."""
    text = """{"schema_version":1,"id":"0123456789ab","sweep":"reduction_ratio","variant":"reduction=4",
     "settings":{"model.se.reduction":4},
     "trial":{"model":{"family":"cifar_resnet","depth":6,"widths":[16,32],"se":{"reduction":4,"squeeze":"avg",
       "gate":"sigmoid","placement":"standard","stages":[2,3],"bias":false}},
      "data":{"source":"digits","validation":200,"crop_padding":1,"flip":false},
      "train":{"epochs":20,"batch_size":64,"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,
       "label_smoothing":0.0,"schedule":"cosine","warmup_epochs":0.0},"seed":3},
     "fingerprint":"f","code":"c","data":"d","status":"done",
     "test":{"error":0.25,"loss":0.5,"images":12,"correct":"/bA="},
     "epochs":[{"epoch":1,"train_loss":0.1,"train_error":0.2,"validation_loss":0.3,"validation_error":0.25,
      "learning_rate":0.1,"seconds":0.01}],
     "params":100,"macs":200,"started_at":1700000000.0,"ended_at":1700000003.0,"seconds":2.5,"train_seconds":0.0,"peak_memory_bytes":null,
     "device":"cpu","attempts":1,"traceback":null,"environment":"e"}"""
    read = TrialRecord.model_validate_json(text)
    assert read.trial == apply(recipes.DIGITS, {
        "model.depth": 6, "model.widths": (16, 32), "data.validation": 200, "data.crop_padding": 1,
        "train.epochs": 20, "train.batch_size": 64, "train.learning_rate": 0.1, "train.weight_decay": 0.0005,
        "model.se.reduction": 4, "model.se.stages": (2, 3), "seed": 3,
    })  # fmt: skip


def test_bits_are_one_an_image_most_significant_first() -> None:
    bits = np.unpackbits(np.frombuffer(record().test.bits(), np.uint8), count=12)  # type: ignore[union-attr]
    assert bits.tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1]  # 0xFDB


@pytest.mark.parametrize(
    "field", ["id", "trial", "fingerprint", "code", "data", "status", "started_at", "ended_at", "environment"]
)
def test_a_record_without_its_identity_is_none(field: str) -> None:
    tree = json.loads(record().model_dump_json())
    del tree[field]
    with pytest.raises(ValidationError, match=field):
        TrialRecord.model_validate_json(json.dumps(tree))
