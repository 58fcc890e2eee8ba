"""The paper's numbers, looked up again in the paper: sections 5.1 and 6 of v4, Tables 2, 3 and 7 of CVPR."""

import pytest

from senet_lab.errors import UserError
from senet_lab.results import published
from senet_lab.results.published.entries import NAMES, joined

V4 = {
    "reduction_ratio": {"2": 22.29, "4": 22.25, "8": 22.26, "16": 22.28, "32": 22.72, "original": 23.30},
    "squeeze_operator": {"max": 22.57, "avg": 22.28, "ResNet-50": 23.30},
    "excitation_operator": {"relu": 23.47, "tanh": 23.00, "sigmoid": 22.28, "ResNet-50": 23.30},
    "stages": {"ResNet-50": 23.30, "SE_Stage_2": 23.03, "SE_Stage_3": 23.04, "SE_Stage_4": 22.68, "SE_All": 22.28},
    "integration": {
        "SE": 22.28, "SE-PRE": 22.23, "SE-POST": 22.78, "SE-Identity": 22.20, "SE_3x3": 22.48, "ResNet-50": 23.30,
    },
    "role_of_squeeze": {"ResNet-50": 23.30, "NoSqueeze": 22.93, "SE": 22.28},
    "architectures": {
        "ResNet-50": 24.80, "SE-ResNet-50": 23.29, "ResNet-101": 23.17, "SE-ResNet-101": 22.38,
        "ResNet-152": 22.42, "SE-ResNet-152": 21.57, "ResNeXt-50": 22.11, "SE-ResNeXt-50": 21.10,
        "ResNeXt-101": 21.18, "SE-ResNeXt-101": 20.70, "VGG-16": 27.02, "SE-VGG-16": 25.22,
        "BN-Inception": 25.38, "SE-BN-Inception": 24.23, "Inception-ResNet-v2": 20.37, "SE-Inception-ResNet-v2": 19.80,
    },
    "mobile_architectures": {"MobileNet": 28.4, "SE-MobileNet": 25.3, "ShuffleNet": 32.6, "SE-ShuffleNet": 31.0},
}  # fmt: skip
CIFAR10 = {
    "cifar_architectures": {
        "ResNet-110": 6.37, "SE-ResNet-110": 5.21, "ResNet-164": 5.46, "SE-ResNet-164": 4.39,
        "WRN-16-8": 4.27, "SE-WRN-16-8": 3.88,
        "Shake-Shake 26 2x96d + Cutout": 2.56, "SE-Shake-Shake 26 2x96d + Cutout": 2.12,
    },
}  # fmt: skip
CIFAR100 = {
    "cifar_architectures": {
        "ResNet-110": 26.88, "SE-ResNet-110": 23.85, "ResNet-164": 24.33, "SE-ResNet-164": 21.31,
        "WRN-16-8": 20.43, "SE-WRN-16-8": 19.14,
        "Shake-Even 29 2x4x64d + Cutout": 15.85, "SE-Shake-Even 29 2x4x64d + Cutout": 15.41,
    },
}  # fmt: skip
CVPR = {
    "reduction_ratio": {"4": 23.21, "8": 23.19, "16": 23.29, "32": 23.40, "original": 24.80},
    "mobile_architectures": {"MobileNet": 29.1, "SE-MobileNet": 25.3, "ShuffleNet": 33.9, "SE-ShuffleNet": 31.7},
}


def of(name, source):
    table = published.load(name)
    return table[table["source"] == source].set_index("entry")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("source", "printed"), [("v4", V4), ("CVPR", CVPR), ("v4 CIFAR-10", CIFAR10), ("v4 CIFAR-100", CIFAR100)]
)
def test_top1_errors(name, source, printed):
    found = (100 * of(name, source)["test_error"]).to_dict()
    assert found == pytest.approx(printed.get(name, {}), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_differences_are_to_the_network_without_se_in_the_same_source(name):
    table = published.load(name)
    errors = {(line["source"], line["entry"]): line["test_error"] for _, line in table.iterrows()}
    for _, line in table.iterrows():
        assert line["delta"] == pytest.approx(line["test_error"] - errors[line["source"], line["baseline"]], abs=1e-9)
        assert ("model.se" in line["settings"]) == (line["entry"] == line["baseline"])
    assert set(table["n"]) == {1}


@pytest.mark.parametrize(
    ("name", "source", "entry", "points"),
    [
        ("squeeze_operator", "v4", "max", -0.73),
        ("excitation_operator", "v4", "relu", 0.17),
        ("integration", "v4", "SE-POST", -0.52),
        ("architectures", "v4", "SE-VGG-16", -1.80),  # in brackets in Table 2
        ("mobile_architectures", "CVPR", "SE-MobileNet", -3.8),
    ],
)
def test_some_differences(name, source, entry, points):
    assert 100 * of(name, source).loc[entry, "delta"] == pytest.approx(points)


@pytest.mark.parametrize(
    ("name", "entry", "top5", "params", "gflops"),
    [
        ("reduction_ratio", "2", 6.00, 45.7, None),
        ("stages", "SE_Stage_4", 6.22, 26.4, 3.86),
        ("integration", "SE", 6.03, 28.1, 3.87),  # top-5 in Table 14 and 15, counts in 15 only
        ("integration", "SE_3x3", 6.02, 25.8, 3.86),
        ("role_of_squeeze", "NoSqueeze", 6.39, 28.1, 4.27),
        ("architectures", "SE-ResNet-152", 5.73, None, 11.32),
        ("mobile_architectures", "SE-ShuffleNet", 11.1, 2.4, 0.142),
    ],
)
def test_top5_and_cost(name, entry, top5, params, gflops):
    line = of(name, "v4").loc[entry]
    assert 100 * line["top5_error"] == pytest.approx(top5)
    for column, value in (("params_millions", params), ("gflops", gflops)):
        assert line[column] == pytest.approx(value) if value else line[column] != line[column]


def test_what_is_printed_twice_is_one_measurement():
    both = "arXiv:1709.01507v4 Table 2; CVPR 2018 paper (pp. 7132-7141) Table 2"
    assert set(of("architectures", "v4")["reference"]) == {both}
    assert of("architectures", "CVPR").empty
    assert of("integration", "v4").loc["SE", "reference"] == "arXiv:1709.01507v4 Table 14, 15"
    mobile = published.load("mobile_architectures")
    assert len(mobile) == 8 and set(mobile["source"]) == {"v4", "CVPR"}


def test_a_baseline_from_another_table_says_so():
    line = of("squeeze_operator", "v4").loc["ResNet-50"]
    assert line["reference"] == "arXiv:1709.01507v4 Table 13"
    assert "not in Table 11" in line["note"]


def test_traps_are_noted():
    notes = of("cifar_architectures", "v4 CIFAR-100")["note"]
    assert "15.20 with it" in notes["Shake-Even 29 2x4x64d + Cutout"]
    assert "25.94" in notes["SE-ResNet-110"]


@pytest.mark.parametrize("name", NAMES)
def test_every_note_belongs_to_an_entry(name):
    from senet_lab.results.published.entries import lines

    noted = {(line["source"], line["entry"]) for line in lines("notes") if line["table"] == name}
    table = published.load(name)
    assert noted == {(e["source"], e["entry"]) for _, e in table.iterrows() if e["note"]}


def test_references_of_one_document_stand_together():
    assert joined(["A Table 1; B Table 2", "A Table 3", "C"]) == "A Table 1, 3; B Table 2; C"


def test_unknown_tables_are_refused_with_those_there_are():
    with pytest.raises(UserError, match="did you mean 'reduction_ratio'"):
        published.load("reduction_ratios")


def test_every_table_that_a_sweep_may_name_is_there():
    from typing import get_args

    from senet_lab.spec import Published

    assert set(get_args(Published)) == set(NAMES)
