"""The rows of the paper's tables, read from the files beside this one, which are kept as transcribed."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from senet_lab.results.published.settings import NETWORKS, WITHOUT_SE, Settings, se

SOURCES = {"arXiv v4 (TPAMI text)": "v4", "CVPR 2018": "CVPR"}
"""Documents in the order of preference; arXiv v1 repeats numbers of the CVPR paper and is left out."""


@dataclass(frozen=True)
class Entry:
    """One network of a published table: one training run, numbers as printed."""

    source: str
    """"v4" or "CVPR", followed by the data set where a document has the same table for two."""
    name: str
    """As the table calls it."""
    baseline: str
    """Name of the entry of the same source that it is compared to: the network without SE."""
    settings: Settings
    top1: float
    """Error in percent."""
    top5: float | None
    params_millions: float | None
    gflops: float | None
    reference: str
    """Document and table."""


@dataclass(frozen=True)
class _Ablation:
    """A table of ResNet-50 variants, a line per variant."""

    file: str
    column: str
    """Which one names the variant."""
    settings: Mapping[str, Settings]


ABLATIONS = {
    "reduction_ratio": _Ablation(
        "reduction_ratio",
        "reduction_ratio",
        {str(r): se(reduction=r) for r in (2, 4, 8, 16, 32)} | {"original": WITHOUT_SE},
    ),
    "squeeze_operator": _Ablation(
        "squeeze_operator", "squeeze_operator", {name: se(squeeze=name) for name in ("max", "avg")}
    ),
    "excitation_operator": _Ablation(
        "excitation_operator", "excitation_operator", {name: se(gate=name) for name in ("relu", "tanh", "sigmoid")}
    ),
    "stages": _Ablation(
        "stage",
        "stage_with_se_blocks",
        {"ResNet-50": WITHOUT_SE} | {f"SE_Stage_{n}": se(stages=(n,)) for n in (2, 3, 4)} | {"SE_All": se()},
    ),
    "integration": _Ablation(
        "integration",
        "integration_design",
        {
            "SE": se(),
            "SE-PRE": se(placement="pre"),
            "SE-POST": se(placement="post"),
            "SE-Identity": se(placement="identity"),
            "SE_3x3": se(placement="conv3x3"),
        },
    ),
    "role_of_squeeze": _Ablation(
        "role_of_squeeze", "variant", {"ResNet-50": WITHOUT_SE, "NoSqueeze": se(squeeze="none"), "SE": se()}
    ),
}
IMAGENET = {
    "architectures": tuple(NETWORKS)[:8],
    "mobile_architectures": ("MobileNet", "ShuffleNet"),
}
CIFAR = {"v4 CIFAR-10": "CIFAR-10", "v4 CIFAR-100": "CIFAR-100"}
"""The sources of Tables 4 and 5, which are two measurements: source -> data set."""
NAMES = (*ABLATIONS, *IMAGENET, "cifar_architectures")


def entries(name: str) -> tuple[Entry, ...]:
    """The measurements of the table `name`, one of NAMES: what `printed` has, each run once."""
    return _once(printed(name))


def printed(name: str) -> tuple[Entry, ...]:
    """The rows of the table `name`; the networks without SE that they are compared to among them."""
    if name in ABLATIONS:
        return tuple(_ablation(ABLATIONS[name]))
    return tuple(_imagenet(IMAGENET[name]) if name in IMAGENET else _cifar())


def lines(file: str) -> list[dict[str, str]]:
    """The lines of a file beside this one."""
    with files(__package__).joinpath(f"{file}.csv").open(encoding="utf-8") as text:
        return list(csv.DictReader(text))


def _sourced(file: str) -> Iterator[tuple[str, dict[str, str]]]:
    for line in lines(file):
        if line["paper_version"] in SOURCES:
            yield SOURCES[line["paper_version"]], line


def _ablation(table: _Ablation) -> Iterator[Entry]:
    original = next((name for name, settings in table.settings.items() if settings is WITHOUT_SE), None)
    for source, line in _sourced(table.file):
        yield Entry(
            source,
            line[table.column],
            original or "ResNet-50",
            table.settings[line[table.column]],
            float(line["top1_error_percent"]),
            float(line["top5_error_percent"]),
            _number(line.get("params_millions", "")),
            _number(line.get("gflops", "")),
            line["source"],
        )
    if original is None:  # Tables 11, 12, 14 and 15 leave out the ResNet-50 of their section, which Table 13 prints
        yield next(entry for entry in _ablation(ABLATIONS["stages"]) if entry.name == "ResNet-50")


def _imagenet(names: tuple[str, ...]) -> Iterator[Entry]:
    """Pairs of a re-implemented network and the same with SE; the numbers of the networks' own papers are left out."""
    for source, line in _sourced("imagenet_models"):
        name = line["architecture"]
        for title, column, block in ((name, "reimplementation", WITHOUT_SE), (f"SE-{name}", "senet", se())):
            if name in names:
                yield Entry(
                    source,
                    title,
                    name,
                    {**NETWORKS[name], **block},
                    float(line[f"{column}_top1_error_percent"]),
                    float(line[f"{column}_top5_error_percent"]),
                    _number(line[f"{column}_params_millions"]),
                    float(line[f"{column}_flops"]) / {"GFLOPs": 1, "MFLOPs": 1000}[line["flops_unit"]],
                    line["source"],
                )


def _cifar() -> Iterator[Entry]:
    """Pairs of a network and the same with SE."""
    for document, line in _sourced("cifar"):
        name, source = line["architecture"], f"{document} {line['dataset']}"
        for title, column, block in ((name, "original", WITHOUT_SE), (f"SE-{name}", "senet", se())):
            error = float(line[f"{column}_error_percent"])
            yield Entry(source, title, name, {**NETWORKS[name], **block}, error, None, None, None, line["source"])


def _once(found: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry for each measurement: the same errors, of a row and its baseline, are of one run wherever printed."""
    found = tuple(found)
    errors = {(entry.source, entry.name): (entry.top1, entry.top5) for entry in found}
    runs: dict[object, Entry] = {}
    for entry in found:
        run = (entry.name, errors[entry.source, entry.name], errors[entry.source, entry.baseline])
        first = runs.setdefault(run, entry)
        if first is not entry:
            runs[run] = replace(
                first,
                params_millions=first.params_millions or entry.params_millions,
                gflops=first.gflops or entry.gflops,
                reference=joined([first.reference, entry.reference]),
            )
    return tuple(runs.values())


def joined(references: Iterable[str]) -> str:
    """References as one, the tables of a document behind each other."""
    tables: dict[str, dict[str, None]] = {}
    for reference in references:
        for one in reference.split("; "):
            document, _, table = one.partition(" Table ")
            tables.setdefault(document, {}).update(dict.fromkeys(table.split(", ")))
    return "; ".join(f"{document} Table {', '.join(t)}" if any(t) else document for document, t in tables.items())


def _number(text: str) -> float | None:
    return float(text) if text else None
