"""Handwritten digits that scikit-learn carries: 1,797 grey images of 8x8 (UCI optdigits, test set).

The file keeps the order of collection, form by form (each starts with 0 to 9 three times), and the
test part are its last seven forms: digits of people whose hand the network has not seen. A shuffled
split makes the task so easy that every variant errs on a handful of images.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from senet_lab.data import Images
from senet_lab.errors import UserError

POOL = 906
"""The seven forms before this were filled in by others than those after it."""
WHITE = 16


def load() -> Images:
    """The images as bytes, 0 to 255. Raises UserError if scikit-learn's file is not there."""
    # Read without importing scikit-learn, which would cost every worker a second or two.
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise UserError("data.source 'digits' is a file inside scikit-learn, which is not installed; install it")
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise UserError(f"data.source 'digits': {path} is missing; install scikit-learn anew")
    table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    pixels, labels = table[:, :-1].reshape(-1, 1, 8, 8), table[:, -1].astype(np.int64)
    pixels = (pixels.astype(np.uint16) * 255 // WHITE).astype(np.uint8)
    names = tuple(str(digit) for digit in range(10))
    return Images(pixels[:POOL], labels[:POOL], pixels[POOL:], labels[POOL:], names)
