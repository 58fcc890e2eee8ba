"""Wrong sweep files."""

from tests.bad.case import GOOD, Case, good, mine

PLAN = "plan mine.py"


def edited(old: str, new: str, *says: str) -> Case:
    assert old in GOOD
    return Case(PLAN, says, mine(GOOD.replace(old, new)))


def of(*says: str, **changed: str) -> Case:
    return Case(PLAN, says, mine(good(**changed)))


PYTHON = {
    "two numbers": edited(
        "seeds=2,",
        "seeds=2 2,",
        "mine.py:9",
        "this is not Python",
        "mend that line",
    ),
    "open bracket": Case(PLAN, ("mine.py:4", "this is not Python", "mend that line"), mine(GOOD.rstrip(")\n"))),
    "bad indent": Case(
        PLAN,
        ("mine.py:4", "this is not Python", "mend that line"),
        mine(GOOD.replace("SWEEP", "  SWEEP")),
    ),
    "tabs and blanks": Case(
        PLAN,
        ("mine.py:3", "this is not Python", "mend that line"),
        mine("if True:\n\tx = 1\n        y = 2\n"),
    ),
    "empty file": Case(
        PLAN, ("mine.py: it defines no SWEEP", "SWEEP = Sweep(...) is missing, README.md has a whole file"), mine("")
    ),
    "not python at all": Case(
        PLAN,
        ("mine.py: it defines no SWEEP", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine("reduction: [2, 4]\nseeds: 3\n"),
    ),
    "latin-1 bytes": Case(
        PLAN,
        ("mine.py:1", "this is not Python", "mend that line"),
        {"mine.py": b'"""Gr\xfc\xdfe"""\n'},
    ),
    "unknown coding": Case(
        PLAN,
        ("mine.py", "this is not Python", "mend that line"),
        mine("# -*- coding: klingon -*-\n" + GOOD),
    ),
    "NUL byte": Case(
        PLAN,
        ("mine.py", "this is not Python", "mend that line"),
        {"mine.py": GOOD.encode() + b"\0\n"},
    ),
    "an image": Case(
        PLAN,
        ("mine.py", "this is not Python", "mend that line"),
        {"mine.py": b"\x89PNG\r\n\x1a\n\0\0\0"},
    ),
    "raises": edited("SWEEP =", "1 / 0\nSWEEP =", "mine.py:4: ZeroDivisionError: division by zero", "mend that line"),
    "raises its own": edited(
        "SWEEP =", "class Mine(BaseException): pass\nraise Mine('no')\nSWEEP =", "mine.py:5: Mine: no", "mend that line"
    ),
    "raises without a word": edited("SWEEP =", "raise ValueError\nSWEEP =", "mine.py:4: ValueError", "mend that line"),
    "assertion": edited("SWEEP =", "assert 1 == 2\nSWEEP =", "mine.py:4: AssertionError", "mend that line"),
    "exits well": edited("SWEEP =", "raise SystemExit(0)\nSWEEP =", "mine.py:4: SystemExit: 0", "mend that line"),
    "exits": edited(
        "SWEEP =", "import sys\nsys.exit('done')\nSWEEP =", "mine.py:5: SystemExit: done", "mend that line"
    ),
    "never ends recursing": edited(
        "SWEEP =",
        "def f(): return f()\nf()\nSWEEP =",
        "mine.py:4: RecursionError: maximum recursion depth exceeded",
        "mend that line",
    ),
    "says escape codes": edited(
        "SWEEP =",
        "raise ValueError('\\x1b[31mred\\x1b[0m \\x07 [bold]b[/]')\nSWEEP =",
        "mine.py:4: ValueError: \\x1b[31mred\\x1b[0m \\x07 [bold]b[/]",
        "mend that line",
    ),
    "imports itself": edited(
        "SWEEP =",
        "import mine_itself\nSWEEP =",
        "mine.py:4: ModuleNotFoundError: No module named 'mine_itself'",
        "mend that line",
    ),
    "imports what is not there": edited(
        "import SE,",
        "import Explore,",
        "mine.py:2: ImportError: cannot import name 'Explore' from 'senet_lab'",
        "allowed: ASHA, BNInception, Choice, CifarResNet, Data, Float,",
        "mend that line",
    ),
    "imports a misspelt package": edited(
        "from senet_lab",
        "from senet_labs",
        "mine.py:2: ModuleNotFoundError: No module named 'senet_labs'",
        "mend that line",
    ),
    "opens a missing file": edited(
        "SWEEP =",
        "open('values.txt')\nSWEEP =",
        "mine.py:4: FileNotFoundError: [Errno 2] No such file or directory:",
        "mend that line",
    ),
    "misspelt recipe": edited(
        "recipes.DIGITS",
        "recipes.DIGTIS",
        "mine.py:5: AttributeError: module 'senet_lab.recipes' has no",
        "mend that line",
    ),
    "misspelt class": edited(
        "Sweep(\n", "Swep(\n", "mine.py:4: NameError: name 'Swep' is not defined", "mend that line"
    ),
    "no SWEEP": edited(
        "SWEEP =",
        "SWEPE =",
        "mine.py: it defines no SWEEP",
        "SWEEP = Sweep(...) is missing, README.md has a whole file",
    ),
    "lower-case sweep": edited(
        "SWEEP =",
        "sweep =",
        "mine.py: it defines no SWEEP",
        "SWEEP = Sweep(...) is missing, README.md has a whole file",
    ),
    "SWEEP a dict": Case(
        PLAN,
        ("mine.py: SWEEP is of the type dict", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine("SWEEP = {'seeds': 3}\n"),
    ),
    "SWEEP a list": Case(
        PLAN,
        ("mine.py: SWEEP is of the type list", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine(GOOD + "SWEEP = [SWEEP]\n"),
    ),
    "SWEEP a class": Case(
        PLAN,
        ("mine.py: SWEEP is the class Sweep", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine("from senet_lab import Sweep\nSWEEP = Sweep\n"),
    ),
    "SWEEP None": Case(
        PLAN,
        ("mine.py: SWEEP is of the type NoneType", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine("SWEEP = None\n"),
    ),
    "SWEEP a trial": Case(
        PLAN,
        ("mine.py: SWEEP is of the type Trial", "SWEEP = Sweep(...) is missing, README.md has a whole file"),
        mine("from senet_lab import recipes\nSWEEP = recipes.DIGITS\n"),
    ),
    "nothing in brackets": Case(
        PLAN,
        ("mine.py:2: base: is missing", "give it a value", "margin: is missing"),
        mine("from senet_lab import Sweep\nSWEEP = Sweep()\n"),
    ),
    "no names": Case(
        PLAN,
        ("mine.py:2: TypeError: give each value its name, as in Sweep(base=...) or Float(low=...)", "mend that line"),
        mine("from senet_lab import Sweep, recipes\nSWEEP = Sweep(recipes.DIGITS)\n"),
    ),
    "changed afterwards": Case(
        PLAN,
        ("mine.py:12: seeds", "a checked value cannot be changed", "set it where the value is made"),
        mine(GOOD + "SWEEP.seeds = 5\n"),
    ),
    "half checked": Case(
        PLAN,
        ("mine.py: base: is missing", "give it a value", "margin: is missing"),
        mine("from senet_lab import Sweep\nSWEEP = Sweep.model_construct(seeds=2)\n"),
    ),
    "checks left out": Case(
        PLAN,
        ("mine.py: seeds", "found 'many'", "it should be a valid integer"),
        mine(GOOD + "SWEEP = SWEEP.model_copy(update={'seeds': 'many'})\n"),
    ),
}
FIELDS = {
    "unknown key": of(
        "mine.py:4: gird",
        "there is no such key",
        "did you mean 'grid'?",
        "base, baseline, controls, counterpart, grid, leave_one_out, margin,",
        gird="{}",
    ),
    "unknown key, far from any": of(
        "mine.py:4: workers",
        "there is no such key",
        "allowed: base, baseline, controls, counterpart, grid, leave_one_out,",
        workers="4",
    ),
    "seeds a text": of("mine.py:4: seeds", "found '2'", "it should be a valid integer", seeds='"2"'),
    "seeds 0": of("mine.py:4: seeds", "found 0", "it should be greater than or equal to 1", seeds="0"),
    "seeds -1": of("mine.py:4: seeds", "found -1", "it should be greater than or equal to 1", seeds="-1"),
    "seeds a fraction": of("mine.py:4: seeds", "found 2.5", "it should be a valid integer", seeds="2.5"),
    "seeds True": of("mine.py:4: seeds", "found True", "it should be a valid integer", seeds="True"),
    "seeds huge": of("mine.py:4: seeds", "found 1000000000", "it should be less than or equal to 10000", seeds="10**9"),
    "seeds of 5000 digits": of(
        "mine.py:4: seeds",
        "found a value of the type int",
        "it should be less than or equal to 10000",
        seeds="10**5000",
    ),
    "seeds a list": of("mine.py:4: seeds", "found [0, 1]", "it should be a valid integer", seeds="[0, 1]"),
    "seeds missing": of("mine.py:4: seeds: is missing", "give it a value", seeds=""),
    "margin missing": of("mine.py:4: margin: is missing", "give it a value", margin=""),
    "margin 0": of("mine.py:4: margin", "found 0", "it should be greater than 0", margin="0"),
    "margin in points": of("mine.py:4: margin", "found 0.5", "it should be less than or equal to 0.1", margin="0.5"),
    "margin NaN": of("mine.py:4: margin", "found nan", "it should be less than or equal to 0.1", margin="float('nan')"),
    "margin a text": of("mine.py:4: margin", "found '1%'", "it should be a valid number", margin='"1%"'),
    "base missing": of("mine.py:4: base: is missing", "give it a value", base=""),
    "base None": of(
        "mine.py:4: base", "found None", "it should be a dict {key: ...} or instance of Trial", base="None"
    ),
    "base a name": of(
        "mine.py:4: base", "found 'digits'", "it should be a dict {key: ...} or instance of Trial", base='"digits"'
    ),
    "base a block": of(
        "mine.py:4: base",
        "found SE(reduction=16, squeeze='avg', gate='sigmoid',",
        "it should be a dict {key: ...} or instance of Trial",
        base="SE()",
    ),
    "base a bad block": of(
        "mine.py:5: reduction", "found 0", "it should be greater than or equal to 1", base="SE(reduction=0)"
    ),
    "base a misspelt block": of(
        "mine.py:5: reductoin",
        "there is no such key",
        "did you mean 'reduction'?",
        "bias, gate, placement, reduction, reduction_in, squeeze, stages",
        base="SE(reductoin=2)",
    ),
    "base a dict": of(
        "mine.py:4: base.model.family: is missing",
        "allowed: bn_inception, cifar_resnet, inception_resnet_v2, mobilenet,",
        "base.train: is missing",
        "give it a value",
        base='{"model": {"depth": 6}}',
    ),
    "published misspelt": of(
        "mine.py:4: published",
        "found 'reduction'",
        "did you mean 'reduction_ratio'?",
        "reduction_ratio, squeeze_operator, excitation_operator, stages,",
        published='"reduction"',
    ),
    "controls a text": of("mine.py:4: controls", "found 'no_se'", "it should be a list", controls='"no_se"'),
    "control misspelt": of(
        "mine.py:4: controls.0", "found 'no_es'", "did you mean 'no_se'?", "no_se, no_squeeze", controls='["no_es"]'
    ),
    "control twice": of(
        "mine.py: controls: no_se is the row no_se already", "leave one of them out", controls='["no_se", "no_se"]'
    ),
    "baseline missing": of(
        "mine.py:4: Sweep",
        "found no baseline",
        "say what the rows are compared to: one of baseline=, counterpart=",
        baseline="",
    ),
    "baseline and counterpart": of(
        "mine.py:4: Sweep",
        "found both baseline and counterpart",
        "say what the rows are compared to: one of baseline=, counterpart=",
        counterpart='{"model.se": None}',
    ),
    "baseline a number": of(
        "mine.py:4: baseline", "found 4", "it should be a valid string", "it should be a dict {key: ...}", baseline="4"
    ),
    "baseline no row": of(
        "mine.py: baseline: 'no' is not a row of this sweep",
        "did you mean 'no_se'?",
        "reduction=2, reduction=4, no_se",
        baseline='"no"',
    ),
    "baseline a value no row has": of(
        "mine.py: baseline: {'model.se.reduction': 8} is not a row of this",
        "did you mean 'reduction=4'?",
        "reduction=2, reduction=4, no_se",
        baseline='{"model.se.reduction": 8}',
    ),
    "baseline a misspelt key": of(
        "mine.py: model.sa.reduction",
        "there is no model.sa",
        "did you mean 'model.se'?",
        "depth, family, se, weights, widths",
        baseline='{"model.sa.reduction": 8}',
    ),
    "counterpart no row has": of(
        "mine.py: model: depth 8 does not divide into 2 stages of two-layer",
        "allowed: 4 x blocks + 2, e.g. 6 or 10",
        baseline="",
        counterpart='{"model.depth": 8}',
    ),
    "counterpart misspelt": of(
        "mine.py: model.es",
        "there is no such key",
        "did you mean 'model.se'?",
        "depth, family, se, weights, widths",
        baseline="",
        counterpart='{"model.es": None}',
    ),
    "counterpart a name": of(
        "mine.py:4: counterpart", "found 'no_se'", "it should be a dict {key: ...}", baseline="", counterpart='"no_se"'
    ),
    "several at once": of(
        "mine.py:4: seeds",
        "found 0",
        "did you mean 'stages'?",
        "reduction_ratio, squeeze_operator, excitation_operator, stages,",
        seeds="0",
        margin="9",
        published='"stage"',
    ),
}
DESIGNS = {
    "no design": of(
        "mine.py",
        "the sweep asks for no rows",
        "give it one of grid, one_at_a_time, leave_one_out, zip, variants",
        grid="",
        controls="[]",
    ),
    "grid a list": of(
        "mine.py:4: grid",
        "found ['model.se.reduction']",
        "it should be a dict {key: ...}",
        grid='["model.se.reduction"]',
    ),
    "grid without values": of(
        "mine.py:4: grid.model.se.reduction",
        "found []",
        "it should have at least 1 item",
        grid='{"model.se.reduction": []}',
    ),
    "grid one value bare": of(
        "mine.py:4: grid.model.se.reduction", "found 4", "it should be a list", grid='{"model.se.reduction": 4}'
    ),
    "grid a text for values": of(
        "mine.py:4: grid.model.se.gate", "found 'tanh'", "it should be a list", grid='{"model.se.gate": "tanh"}'
    ),
    "grid a number for a key": of("mine.py:4: grid", "found the key 4", "it should be a valid string", grid="{4: [2]}"),
    "grid with an empty key": of(
        "mine.py: ''", "there is no such key", "allowed: data, model, seed, train", grid='{"": [2]}'
    ),
    "grid with a dot at the end": of(
        "mine.py: model.se.''",
        "there is no such key",
        "allowed: bias, gate, placement, reduction, reduction_in, squeeze, stages",
        grid='{"model.se.": [2]}',
    ),
    "value twice": of(
        "mine.py: grid['model.se.reduction']: 2 is listed twice",
        "a value is one row, list it once",
        grid='{"model.se.reduction": [2, 4, 2]}',
    ),
    "value twice in one_at_a_time": of(
        "mine.py: one_at_a_time['train.epochs']: 2 is listed twice",
        "a value is one row, list it once",
        one_at_a_time='{"train.epochs": [2, 2]}',
    ),
    "same network": of(
        "mine.py: reduction=32 and reduction=64 build the same network: hidden",
        "the widths are channels // r, at least 1. Leave one of them out or",
        grid='{"model.se.reduction": [32, 64]}',
    ),
    "same stages": of(
        "mine.py: stages=all and stages=2+3 build the same network: hidden",
        "the widths are channels // r, at least 1. Leave one of them out or",
        grid='{"model.se.stages": ["all", [2, 3]]}',
    ),
    "key misspelt": of(
        "mine.py: model.se.reductio",
        "there is no such key",
        "did you mean 'model.se.reduction'?",
        "bias, gate, placement, reduction, reduction_in, squeeze, stages",
        grid='{"model.se.reductio": [2]}',
    ),
    "key misspelt in the middle": of(
        "mine.py: modle.se.reduction",
        "there is no modle",
        "did you mean 'model'?",
        "data, model, seed, train",
        grid='{"modle.se.reduction": [2]}',
    ),
    "key goes too deep": of(
        "mine.py: train.epochs.first: train.epochs is a value and has nothing",
        "set train.epochs itself",
        grid='{"train.epochs.first": [2]}',
    ),
    "value of the wrong type": of(
        "mine.py: model.se.reduction", "found '2'", "it should be a valid integer", grid='{"model.se.reduction": ["2"]}'
    ),
    "value impossible": of(
        "mine.py: model.se.reduction",
        "found 0",
        "it should be greater than or equal to 1",
        grid='{"model.se.reduction": [0]}',
    ),
    "value NaN": of(
        "mine.py: train.learning_rate",
        "found nan",
        "it should be less than 100",
        grid='{"train.learning_rate": [float("nan")]}',
    ),
    "value a function": of(
        "mine.py: train.epochs",
        "found <function <lambda>>",
        "it should be a valid integer",
        grid='{"train.epochs": [lambda: 2]}',
    ),
    "value None": of(
        "mine.py: train.epochs", "found None", "it should be a valid integer", grid='{"train.epochs": [None]}'
    ),
    "operator misspelt": of(
        "mine.py: model.se.gate",
        "found 'sigmoyd'",
        "did you mean 'sigmoid'?",
        "sigmoid, tanh, relu",
        grid='{"model.se.gate": ["sigmoyd"]}',
    ),
    "family misspelt": of(
        "mine.py: model.family",
        "found 'resnett'",
        "did you mean 'resnet'?",
        "bn_inception, cifar_resnet, inception_resnet_v2, mobilenet,",
        variants='[{"model.family": "resnett"}]',
    ),
    "depth of another family": of(
        "mine.py: model.depth",
        "found 20",
        "did you mean '50'?",
        "50, 101, 152",
        variants='[{"model.family": "resnet", "model.depth": 20}]',
    ),
    "placement without meaning": of(
        "mine.py: model: se.placement 'pre' has no meaning in VGG-16: it has",
        "allowed: standard",
        variants='[{"model.family": "vgg", "model.depth": 16, "model.se.placement": "pre"}]',
    ),
    "stage that is not there": of(
        "mine.py: model: se.stages names stage [7]",
        "this network has stages [2, 3] (the stem is stage 1, as in the paper)",
        grid='{"model.se.stages": [[7]]}',
    ),
    "seeds in a design": of(
        "mine.py: controls: no_se is the row seed=0 already", "leave one of them out", grid='{"seed": [0, 1]}'
    ),
    "whole network misspelt": of(
        "mine.py: model.depth: is missing",
        "give it a value",
        "did you mean 'model.depth'?",
        "depth, family, se, weights, widths",
        grid='{"model": [{"family": "cifar_resnet", "dept": 6}]}',
    ),
    "zip of two lengths": of(
        "mine.py: zip: its lists must be equally long, found {'train.epochs':",
        "make them so",
        zip='{"train.epochs": [2, 3], "model.depth": [6]}',
    ),
    "zip with a bare value": of(
        "mine.py:4: zip.train.epochs", "found 2", "it should be a list", zip='{"train.epochs": 2}'
    ),
    "leave_one_out a list": of(
        "mine.py:4: leave_one_out",
        "found ['data.flip']",
        "it should be a dict {key: ...}",
        leave_one_out='["data.flip"]',
    ),
    "leave_one_out of nothing": of(
        "mine.py: data.filp",
        "there is no such key",
        "did you mean 'data.flip'?",
        "crop_padding, cutout, flip, image_size, source, validation",
        leave_one_out='{"data.filp": False}',
    ),
    "variants a number": of(
        "mine.py:4: variants", "found 4", "it should be a list", "it should be a dict {key: ...}", variants="4"
    ),
    "variants a list of names": of(
        "mine.py:4: variants.0", "found 'tanh'", "it should be a dict {key: ...}", variants='["tanh"]'
    ),
    "variants twice": of(
        "mine.py: variants: b is the row a already",
        "leave one of them out",
        variants='{"a": {"train.epochs": 3}, "b": {"train.epochs": 3}}',
    ),
    "variants a control's name": of(
        "mine.py: two rows are called no_se",
        "give one of them another name in variants={name: ...}",
        variants='{"no_se": {"train.epochs": 3}}',
    ),
    "variants no dict inside": of(
        "mine.py:4: variants.a", "found 3", "it should be a dict {key: ...}", variants='{"a": 3}'
    ),
    "variants a list inside": of(
        "mine.py:4: variants.a",
        "found ['train.epochs', 3]",
        "it should be a dict {key: ...}",
        variants='{"a": ["train.epochs", 3]}',
    ),
    "name empty": of(
        "mine.py:4: variants",
        "found ''",
        "a row's name is made of 1 to 100 visible characters, give it such a",
        variants='{"": {"train.epochs": 3}}',
    ),
    "name blank": of(
        "mine.py:4: variants",
        "found '  '",
        "a row's name is made of 1 to 100 visible characters, give it such a",
        variants='{"  ": {"train.epochs": 3}}',
    ),
    "name with an escape code": of(
        "mine.py:4: variants",
        "found '\\x1b[31mred'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        variants='{"\\x1b[31mred": {"train.epochs": 3}}',
    ),
    "name with a line end": of(
        "mine.py:4: variants",
        "found 'one\\ntwo'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        variants='{"one\\ntwo": {"train.epochs": 3}}',
    ),
    "name with NUL": of(
        "mine.py:4: variants",
        "found 'one\\x00'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        variants='{"one\\0": {"train.epochs": 3}}',
    ),
    "name that turns text around": of(
        "mine.py:4: variants",
        "found 'one\\u202e'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        variants='{"one\\u202e": {"train.epochs": 3}}',
    ),
    "name very long": of(
        "mine.py:4: variants",
        "found a name of 3,000 characters",
        "a row's name is made of 1 to 100 visible characters, give it such a",
        variants='{"x" * 3000: {"train.epochs": 3}}',
    ),
    "control that is a row": of(
        "mine.py: controls: no_se is the row se=None already",
        "leave one of them out",
        variants='[{"model.se": None}]',
        grid="",
    ),
    "no such depth": of(
        "mine.py: model: depth 7 does not divide into 2 stages of two-layer",
        "allowed: 4 x blocks + 2, e.g. 6 or 10",
        grid='{"model.depth": [6, 7]}',
    ),
    "depth huge": of(
        "mine.py: model.depth",
        "found 600000002",
        "it should be less than or equal to 2000",
        grid='{"model.depth": [6 * 10**8 + 2]}',
    ),
    "widths huge": of(
        "mine.py: model.widths.0",
        "found 1000000000000000000",
        "it should be less than or equal to 65536",
        grid='{"model.widths": [[10**18, 10**18]]}',
    ),
    "warm-up longer than training": of(
        "mine.py: train: warmup_epochs 20 leaves nothing of 20 epochs",
        "use fewer, e.g. train.warmup_epochs=0",
        grid='{"train.warmup_epochs": [20.0]}',
    ),
    "step without drops": of(
        "mine.py: train: ",
        "schedule 'step' needs drops",
        "e.g. train.drops=[82,123]",
        grid='{"train.schedule": ["step"]}',
    ),
    "drops beyond the end": of(
        "mine.py: train: drops [10, 30] are not all within 20 epochs",
        "set train.drops too, or train.schedule=cosine and train.drops=[]",
        variants='[{"train.schedule": "step", "train.drops": [10, 30]}]',
    ),
    "drops that fall": of(
        "mine.py: train: ",
        "drops [10, 5]",
        "must rise, epoch by epoch",
        variants='[{"train.schedule": "step", "train.drops": [10, 5]}]',
    ),
    "crops of small images": of(
        "mine.py: data: image_size is for folder: and parquet: sources",
        "digits has images of one size",
        grid='{"data.image_size": [32]}',
    ),
    "validation as large as the pool": of(
        "mine.py: validation=906: data.validation",
        "found 906",
        "the training pool has 906 images, hold out fewer: --set",
        grid='{"data.validation": [906]}',
    ),
    "source unknown": of(
        "mine.py: data.source",
        "found 'mnist'",
        "allowed: digits, cifar10, cifar100, parquet:DIR, folder:DIR",
        grid='{"data.source": ["mnist"]}',
    ),
    "source without a folder": of(
        "mine.py: data.source",
        "found 'folder:'",
        "say which folder, e.g. folder:images",
        grid='{"data.source": ["folder:"]}',
    ),
    "source with an escape code": of(
        "mine.py: data.source",
        "found 'folder:\\x1b[31mx'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        grid='{"data.source": ["folder:\\x1b[31mx"]}',
    ),
    "source with NUL": of(
        "mine.py: data.source",
        "found 'folder:x\\x00y'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        grid='{"data.source": ["folder:x\\0y"]}',
    ),
    "weights that are not there": of(
        "model.weights",
        "there is no file 'w.safetensors' in",
        "give a path that begins there",
        grid='{"model.weights": ["w.safetensors"]}',
    ),
    "weights with NUL": of(
        "mine.py: model.weights",
        "found 'w\\x00'",
        "control characters cannot be shown or be in a path",
        "leave them out",
        grid='{"model.weights": ["w\\0"]}',
    ),
}
NAMES = {
    "no such name": Case(
        "plan reduction_ratoi",
        (
            "there is no sweep 'reduction_ratoi' in ./sweeps or among those shipped",
            "did you mean 'reduction_ratio'?",
            "architectures, cifar_architectures, excitation_operator, integration,",
        ),
    ),
    "no such file": Case(
        "plan nowhere.py", ("nowhere.py", "there is no such file", "give a sweep file or a name from `senet-lab list`")
    ),
    "a folder named x.py": Case(
        "plan x.py", ("this is a folder", "give a sweep file or a name from `senet-lab list`"), {"x.py": None}
    ),
    "a folder": Case(
        "plan sweeps/",
        ("sweeps", "this is a folder", "give a sweep file or a name from `senet-lab list`"),
        {"sweeps": None},
    ),
    "no .py": Case(
        "plan ./mine",
        ("a sweep file's name ends in .py", "rename it, or give a sweep file or a name from `senet-lab list`"),
        {"mine": GOOD},
    ),
    "upper case": Case(
        "plan Mine.py",
        ("Mine.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"Mine.py": GOOD},
    ),
    "a dash": Case(
        "plan my-sweep.py",
        ("my-sweep.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"my-sweep.py": GOOD},
    ),
    "a leading dash": Case(
        "plan ./-mine.py",
        ("-mine.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"-mine.py": GOOD},
    ),
    "a digit first": Case(
        "plan 2mine.py",
        ("2mine.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"2mine.py": GOOD},
    ),
    "non-ASCII": Case(
        "plan größe.py",
        ("größe.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"größe.py": GOOD},
    ),
    "dots": Case(
        "plan ...py",
        ("...py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"...py": GOOD},
    ),
    "too long": Case(
        f"plan {'x' * 80}.py",
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "a sweep file is named by up to 61 lower-case letters, digits and _,",
            "rename it",
        ),
        {f"{'x' * 80}.py": GOOD},
    ),
    "longer than any file name": Case(
        f"plan {'x' * 5000}.py",
        (
            "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "give a sweep file or a name from `senet-lab list`",
        ),
    ),
    "an escape code": Case(
        "plan '\x1b[31mmine.py'",
        ("\\x1b[31mmine.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"\x1b[31mmine.py": GOOD},
    ),
    "a name with an escape code": Case(
        "plan '\x1b[31mmine'",
        (
            "there is no sweep '\\x1b[31mmine' in ./sweeps or among those shipped",
            "allowed: architectures, cifar_architectures, excitation_operator,",
        ),
    ),
    "a line end": Case(
        "plan 'mi\nne.py'",
        ("ne.py", "a sweep file is named by up to 61 lower-case letters, digits and _,", "rename it"),
        {"mi\nne.py": GOOD},
    ),
    "empty": Case(
        "plan ''",
        (
            "there is no sweep '' in ./sweeps or among those shipped",
            "allowed: architectures, cifar_architectures, excitation_operator,",
        ),
    ),
    "dot dot": Case(
        "plan ..",
        (
            "there is no sweep '..' in ./sweeps or among those shipped",
            "allowed: architectures, cifar_architectures, excitation_operator,",
        ),
    ),
    "a link to nothing": Case(
        "plan mine.py",
        ("mine.py", "there is no such file", "give a sweep file or a name from `senet-lab list`"),
        {"mine.py": lambda p: p.symlink_to("gone.py")},
    ),
    "below a file": Case(
        "plan mine.py/mine.py",
        ("mine.py/mine.py", "there is no such file", "give a sweep file or a name from `senet-lab list`"),
        mine(GOOD),
    ),
    "a device": Case(
        "plan null.py",
        ("null.py", "there is no such file", "give a sweep file or a name from `senet-lab list`"),
        {"null.py": lambda p: p.symlink_to("/dev/null")},
    ),
}
