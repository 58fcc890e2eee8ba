"""The bundled digits, against scikit-learn's own reader."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from senet_lab import data
from senet_lab.data import digits
from senet_lab.errors import SpecError, UserError
from senet_lab.spec import Data

DIGITS = Data(source="digits", validation=100)


def test_the_images_are_scikit_learns_in_their_order_scaled_to_bytes() -> None:
    images, truth = digits.load(), load_digits()
    pixels = np.concatenate([images.pool, images.test])
    assert pixels.dtype == np.uint8 and pixels.shape == (1797, 1, 8, 8)
    assert (pixels[:, 0] == np.floor(truth.images * 255 / 16)).all()
    assert (np.concatenate([images.pool_labels, images.test_labels]) == truth.target).all()
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert images.classes == tuple("0123456789")


def test_the_test_part_is_the_second_half() -> None:
    images = digits.load()
    assert (len(images.pool), len(images.test)) == (906, 891)
    pool = {image.tobytes() for image in images.pool}
    assert not any(image.tobytes() in pool for image in images.test)


def test_the_data_digest_is_frozen() -> None:
    """It is part of every fingerprint: another value orphans every result on digits."""
    assert data.digest(DIGITS) == "a41ab65aa557434dfe419c085f176dfddcb8e585730c3451a4c15f0e7bbe836b"


@pytest.mark.parametrize("part", ["pool", "pool_labels", "test", "test_labels"])
def test_one_value_anywhere_changes_the_digest(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, images = data.digest(DIGITS), digits.load()
    changed = getattr(images, part).copy()
    changed.flat[17] ^= 1
    object.__setattr__(images, part, changed)
    monkeypatch.setattr(data, "_load", lambda *_: images)
    assert data._digest.__wrapped__("digits", Path("data")) != before


def test_moving_an_image_from_the_pool_to_the_test_part_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = data.digest(DIGITS)
    monkeypatch.setattr(digits, "POOL", 897)
    images = digits.load()
    monkeypatch.setattr(data, "_load", lambda *_: images)
    assert data._digest.__wrapped__("digits", Path("data")) != before


def test_loading_does_not_import_scikit_learn_or_torch() -> None:
    code = (
        "import sys; from senet_lab import data; from senet_lab.spec import Data; "
        "data.digest(Data(source='digits', validation=1)); assert not {'sklearn', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_scikit_learn_is_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed; install it"):
        digits.load()


def test_a_missing_file_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = importlib.util.spec_from_file_location("sklearn", tmp_path / "__init__.py")
    monkeypatch.setattr(digits, "find_spec", lambda name: elsewhere)
    with pytest.raises(UserError, match=r"digits\.csv\.gz is missing; install scikit-learn anew"):
        digits.load()


def test_a_batch_that_the_training_part_cannot_fill_is_refused() -> None:
    facts = data.facts(Data(source="digits", validation=200))
    data.check(facts, 200, 706)
    with pytest.raises(SpecError, match=r"train\.batch_size: found 707; .* 906 images, of which 200 .*batch_size=70"):
        data.check(facts, 200, 707)
