"""Encoded images to arrays: RGB bytes, or one channel where all images of a set are grey."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from senet_lab.data import Encoded, Files, notice
from senet_lab.errors import DataError

GREY = ("L", "1", "LA", "I", "I;16", "F")


class _Coloured(Exception):
    """One image of a set that began grey is not."""


def write(found: Encoded, folder: Path, source: str) -> tuple[str, ...]:
    """Decode all images of `found` into `folder`, as `data.Source.decode` asks for.

    Raises DataError for images that cannot be read, and for sizes that differ or are not square.
    """
    grey = opened(found.pool, 0, source).mode in GREY
    try:
        _write(found, folder, source, "L" if grey else "RGB")
    except _Coloured:
        _write(found, folder, source, "RGB")
    return found.classes


def opened(images: Files, i: int, source: str) -> Image.Image:
    """Image `i` of any mode and size. Raises DataError, naming it, for what is none."""
    try:
        image = Image.open(io.BytesIO(images[i]))
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"data.source {source!r}: {images.name(i)} cannot be read: {_said(error)}; get it anew"
        ) from None
    return image


def _write(found: Encoded, folder: Path, source: str, mode: str) -> None:
    size = opened(found.pool, 0, source).size[0]
    parts = {"pool": (found.pool, found.pool_labels), "test": (found.test, found.test_labels)}
    with notice.Notice(f"decoding {source}", len(found.pool) + len(found.test)) as done:
        for name, (images, labels) in parts.items():
            np.save(folder / f"{name}_labels.npy", labels)
            shape = (len(images), Image.getmodebands(mode), size, size)
            pixels = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
            _fill(pixels, images, source, mode, done)
            pixels.flush()


def _fill(out_NCHW: NDArray[np.uint8], images: Files, source: str, mode: str, done: Callable[[], None]) -> None:
    height, width = out_NCHW.shape[2:]
    for i in range(len(images)):
        image = opened(images, i, source)
        if image.size != (width, height):
            raise DataError(
                f"data.source {source!r}: {images.name(i)} has {image.size[0]} x {image.size[1]} pixels; images that "
                f"are not all square and of one size (here {width}) are cropped while training if you say so: "
                f"--set data.image_size=224 --set data.crop_padding=0"
            )
        if mode == "L" and image.mode not in GREY:
            raise _Coloured
        pixels_HWC = np.asarray(image.convert(mode), np.uint8).reshape(height, width, -1)
        out_NCHW[i] = pixels_HWC.transpose(2, 0, 1)
        done()


def _said(error: Exception) -> str:
    """What Pillow says, without the buffer that the bytes were in."""
    return re.sub(r" <_io\.BytesIO object at \w+>", "", str(error))
