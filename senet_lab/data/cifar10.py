"""CIFAR-10: ten classes, 5,000 images each to train on and 1,000 to test on."""

from pathlib import Path

from senet_lab.data.cifar import Archive, Cifar

BINARY = Archive(
    name="cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    train=tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)),
    test="cifar-10-batches-bin/test_batch.bin",
    names="cifar-10-batches-bin/batches.meta.txt",
)
PYTHON = Archive(
    name="cifar-10-python.tar.gz",
    md5="c58f30108f718f92721af3b95e74349a",
    train=tuple(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
    test="cifar-10-batches-py/test_batch",
    names="cifar-10-batches-py/batches.meta",
    key="labels",
    names_key="label_names",
)


def at(folder: Path) -> Cifar:
    """The archive in `folder`."""
    return Cifar("cifar10", folder, (BINARY, PYTHON))
