"""CIFAR-100: a hundred classes, 500 images each to train on and 100 to test on; the fine labels."""

from pathlib import Path

from senet_lab.data.cifar import Archive, Cifar

BINARY = Archive(
    name="cifar-100-binary.tar.gz",
    md5="03b5dce01913d631647c71ecec9e9cb8",
    train=("cifar-100-binary/train.bin",),
    test="cifar-100-binary/test.bin",
    names="cifar-100-binary/fine_label_names.txt",
    label_bytes=2,  # coarse, fine
)
PYTHON = Archive(
    name="cifar-100-python.tar.gz",
    md5="eb9058c3a382ffc7106e4002c42a8d85",
    train=("cifar-100-python/train",),
    test="cifar-100-python/test",
    names="cifar-100-python/meta",
    key="fine_labels",
    names_key="fine_label_names",
)


def at(folder: Path) -> Cifar:
    """The archive in `folder`."""
    return Cifar("cifar100", folder, (BINARY, PYTHON))
