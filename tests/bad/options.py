"""Wrong options and arguments."""

from tests.bad.case import CANARY, COMMANDS, GOOD, Case, mine

SETTINGS = {
    "no equals sign": Case(
        "plan reduction_ratio --set train.epochs",
        (
            "--set 'train.epochs': ",
            "give a dotted key and a value",
            "e.g. --set train.epochs=40",
        ),
    ),
    "no key": Case(
        "plan reduction_ratio --set =3",
        (
            "--set '=3': ",
            "give a dotted key and a value",
            "e.g. --set train.epochs=40",
        ),
    ),
    "blank key": Case(
        "plan reduction_ratio --set ' =3'",
        (
            "--set ' =3': ",
            "give a dotted key and a value",
            "e.g. --set train.epochs=40",
        ),
    ),
    "no value": Case(
        "plan reduction_ratio --set train.epochs=",
        ("command line: train.epochs", "found ''", "it should be a valid integer"),
    ),
    "nothing": Case(
        "plan reduction_ratio --set ''",
        (
            "--set '': ",
            "give a dotted key and a value",
            "e.g. --set train.epochs=40",
        ),
    ),
    "misspelt": Case(
        "plan reduction_ratio --set train.epoch=3",
        (
            "command line: train.epoch",
            "there is no such key",
            "did you mean 'train.epochs'?",
            "batch_size, decay, drops, epochs, label_smoothing, learning_rate,",
        ),
    ),
    "misspelt part": Case(
        "plan reduction_ratio --set tarin.epochs=3",
        ("command line: tarin.epochs", "there is no tarin", "did you mean 'train'?", "data, model, seed, train"),
    ),
    "a text": Case(
        "plan reduction_ratio --set train.epochs=many",
        ("command line: train.epochs", "found 'many'", "it should be a valid integer"),
    ),
    "a fraction": Case(
        "plan reduction_ratio --set train.epochs=1.5",
        ("command line: train.epochs", "found 1.5", "it should be a valid integer"),
    ),
    "NaN": Case(
        "plan reduction_ratio --set train.learning_rate=NaN",
        ("command line: train.learning_rate", "found nan", "it should be less than 100"),
    ),
    "infinity": Case(
        "plan reduction_ratio --set train.learning_rate=Infinity",
        ("command line: train.learning_rate", "found inf", "it should be less than 100"),
    ),
    "1e400": Case(
        "plan reduction_ratio --set train.weight_decay=1e400",
        ("command line: train.weight_decay", "found inf", "it should be less than 1"),
    ),
    "a huge number": Case(
        f"plan reduction_ratio --set model.widths=[{'9' * 40}]",
        (
            "command line: model.widths.0",
            "found 9999999999999999999999999999999999999999",
            "it should be less than or equal to 65536",
        ),
    ),
    "5000 digits": Case(
        f"plan reduction_ratio --set train.epochs={'9' * 5000}",
        ("command line: train.epochs", "found", "it should be a valid integer"),
    ),
    "brackets without end": Case(
        f"plan reduction_ratio --set train.epochs={'[' * 20000}",
        ("command line: train.epochs", "found", "it should be a valid integer"),
    ),
    "deep brackets": Case(
        f"plan reduction_ratio --set train.epochs={'[' * 400}{']' * 400}",
        ("command line: train.epochs", "found", "it should be a valid integer"),
    ),
    "code": Case(
        "plan reduction_ratio --set 'train.epochs=__import__(\"os\").getpid()'",
        ("command line: train.epochs", "found '__import__(\"os\").getpid()'", "it should be a valid integer"),
    ),
    "a part as a whole": Case(
        "plan reduction_ratio --set train=fast",
        ("command line: train", "found 'fast'", "it should be a dict {key: ...} or instance of Train"),
    ),
    "a value's inside": Case(
        "plan reduction_ratio --set train.epochs.first=3",
        ("command line: train.epochs.first: train.epochs is a value and has", "set train.epochs itself"),
    ),
    "a list's inside": Case(
        "plan reduction_ratio --set model.widths.0=3",
        ("command line: model.widths.0: model.widths is a value and has nothing", "set model.widths itself"),
    ),
    "a key that the sweep varies": Case(
        "plan reduction_ratio --set model.se.reduction=3",
        (
            "--set model.se.reduction",
            "the sweep varies it, row by row",
            "sweeps/reduction_ratio.py instead",
        ),
    ),
    "a key of a part that is off": Case(
        "plan reduction_ratio --set model.se.gait=tanh",
        (
            "command line: model.se.gait",
            "there is no such key",
            "did you mean 'model.se.gate'?",
            "bias, gate, placement, reduction, reduction_in, squeeze, stages",
        ),
    ),
    "the seed": Case(
        "plan reduction_ratio --set seed=3",
        ("--set seed", "a sweep gives every row the seeds 0, 1, 2, ...", "--seeds says how many"),
    ),
    "the design": Case(
        "plan reduction_ratio --set margin=0.1",
        ("command line: margin", "there is no such key", "did you mean 'train'?", "data, model, seed, train"),
    ),
    "switched off with a value": Case(
        "plan reduction_ratio --set train.drops=[5]",
        ("command line: train: drops [5] belong to schedule 'step', found", "mend one"),
    ),
    "an escape code": Case(
        "plan reduction_ratio --set 'train.schedule=\x1b[31m'",
        ("command line: train.schedule", "found '\\x1b[31m'", "allowed: constant, cosine, step"),
    ),
    "an escape code in a key": Case(
        "plan reduction_ratio --set '\x1b[31m=3'",
        ("command line: \\x1b[31m", "there is no such key", "allowed: data, model, seed, train"),
    ),
    "markup": Case(
        "plan reduction_ratio --set 'train.schedule=[/bold]'",
        ("command line: train.schedule", "found '[/bold]'", "allowed: constant, cosine, step"),
    ),
    "same network": Case(
        "plan reduction_ratio --set model.widths=[1,2]",
        (
            "sweeps/reduction_ratio.py: reduction=2 and reduction=4",
            "the widths are channels // r, at least 1. Leave one of them out or",
        ),
    ),
    "a source that is not there": Case(
        "plan reduction_ratio --set data.source=folder:nowhere",
        (
            "data.source 'folder:nowhere'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that nowhere lies in with",
        ),
    ),
    "on report": Case(
        "report reduction_ratio --set train.epoch=3",
        (
            "command line: train.epoch",
            "there is no such key",
            "did you mean 'train.epochs'?",
            "batch_size, decay, drops, epochs, label_smoothing, learning_rate,",
        ),
    ),
    "on sweep": Case(
        "sweep reduction_ratio --set train.epoch=3",
        (
            "command line: train.epoch",
            "there is no such key",
            "did you mean 'train.epochs'?",
            "batch_size, decay, drops, epochs, label_smoothing, learning_rate,",
        ),
    ),
    "on model": Case(
        "model se_resnet50 --set se.reductio=3",
        (
            "model.se.reductio",
            "there is no such key",
            "did you mean 'model.se.reduction'?",
            "bias, gate, placement, reduction, reduction_in, squeeze, stages",
        ),
    ),
    "on a network without it": Case(
        "model vgg16 --set stride_in=3x3",
        (
            "model.stride_in",
            "there is no such key",
            "allowed: depth, dropout, family, se, small_images, weights, width",
        ),
    ),
    "weights of a network": Case(
        "model resnet50 --set weights=4", ("model.weights", "found 4", "it should be a valid string")
    ),
    "depth of a network": Case(
        "model resnet50 --set depth=51", ("model.depth", "found 51", "did you mean '50'?", "50, 101, 152")
    ),
}
VALUES = {
    "--seeds 0": Case(
        "plan reduction_ratio --seeds 0", ("command line: seeds", "found 0", "it should be greater than or equal to 1")
    ),
    "--seeds -1": Case(
        "plan reduction_ratio --seeds -1",
        ("command line: seeds", "found -1", "it should be greater than or equal to 1"),
    ),
    "--seeds 1.5": Case("plan reduction_ratio --seeds 1.5", ("--seeds", "found '1.5'", "it should be a whole number")),
    "--seeds many": Case(
        "plan reduction_ratio --seeds many", ("--seeds", "found 'many'", "it should be a whole number")
    ),
    "--seeds 10**9": Case(
        "plan reduction_ratio --seeds 1000000000",
        ("command line: seeds", "found 1000000000", "it should be less than or equal to 10000"),
    ),
    "--seeds without": Case(
        "plan reduction_ratio --seeds", ("--seeds has no value", "give it one behind a blank, or leave it out")
    ),
    "--recipe misspelt": Case(
        "plan reduction_ratio --recipe digit",
        (
            "command line: recipe",
            "there is none called 'digit'",
            "did you mean 'digits'?",
            "cifar10, cifar100, digits, digits_resnet110, digits_resnet50,",
        ),
    ),
    "--recipe empty": Case(
        "plan reduction_ratio --recipe ''",
        ("command line: recipe", "there is none called ''", "allowed: cifar10, cifar100, digits, digits_resnet110,"),
    ),
    "--recipe far off": Case(
        "plan reduction_ratio --recipe zzz",
        ("command line: recipe", "there is none called 'zzz'", "allowed: cifar10, cifar100, digits, digits_resnet110,"),
    ),
    "--recipe that does not fit": Case(
        "plan mine.py --recipe digits_resnet50",
        (
            "mine.py: model.widths",
            "there is no such key",
            "did you mean 'model.width'?",
            "depth, family, identity_start, pool, se, small_images, stride_in,",
        ),
        mine(GOOD.replace('grid={"model.se.reduction": [2, 4]}', 'grid={"model.widths": [[4], [8]]}')),
    ),
    "--probe -1": Case(
        "plan reduction_ratio --probe -1", ("--probe", "found '-1'", "it should be greater than or equal to 0")
    ),
    "--probe for ever": Case(
        "plan reduction_ratio --probe 1e9", ("--probe", "found '1e9'", "it should be less than or equal to 600")
    ),
    "to show nothing": Case("show", ("show: TRIAL is missing", "e.g. senet-lab show")),
    "to show of an empty store": Case("show 0123", ("there are no trials here", "--store", "run a sweep first")),
    "to show of no sweep": Case("show 0123 --sweep ../up", ("'../up' cannot name a run folder", "allowed: letters")),
    "--detect nothing": Case(
        "seeds reduction_ratio --detect 0", ("--detect", "found '0'", "it should be a number above 0")
    ),
    "--detect NaN": Case(
        "seeds reduction_ratio --detect nan", ("--detect", "found 'nan'", "it should be less than or equal to 100")
    ),
    "--detect in words": Case(
        "seeds reduction_ratio --detect little", ("--detect", "found 'little'", "it should be a number")
    ),
    "--detect more than all": Case(
        "seeds reduction_ratio --detect 101", ("--detect", "found '101'", "it should be less than or equal to 100")
    ),
    "--spread of nothing": Case(
        "seeds reduction_ratio --spread 0", ("--spread", "found '0'", "it should be a number above 0")
    ),
    "a price below nothing": Case(
        "cost reduction_ratio --cpu-hour=-1", ("--cpu-hour", "found '-1'", "it should be a number, 0 or more")
    ),
    "a price without end": Case(
        "cost reduction_ratio --gpu-hour inf", ("--gpu-hour", "found 'inf'", "it should be a number, 0 or more")
    ),
    "a price that is no number": Case(
        "cost reduction_ratio --kwh nan", ("--kwh", "found 'nan'", "it should be a number, 0 or more")
    ),
    "a price with its currency": Case(
        "cost reduction_ratio --cpu-hour 0.04EUR", ("--cpu-hour", "found '0.04EUR'", "it should be a number")
    ),
    "--max-hours 0": Case(
        "sweep reduction_ratio --until-decided --max-hours 0",
        ("--max-hours", "found '0'", "it should be a number above 0"),
    ),
    "--max-hours for ever": Case(
        "sweep reduction_ratio --until-decided --max-hours inf",
        ("--max-hours", "found 'inf'", "it should be a number above 0"),
    ),
    "--until-decided with nothing to report": Case(
        "report reduction_ratio --until-decided", ("no trial of this question is done", "or run it first")
    ),
    "--workers 0": Case(
        "sweep reduction_ratio --workers 0", ("--workers", "found '0'", "it should be greater than or equal to 1")
    ),
    "--workers -3": Case(
        "sweep reduction_ratio --workers -3", ("--workers", "found '-3'", "it should be greater than or equal to 1")
    ),
    "--workers all": Case(
        "sweep reduction_ratio --workers all", ("--workers", "found 'all'", "it should be a whole number")
    ),
    "--gpus-per-trial -1": Case(
        "sweep reduction_ratio --gpus-per-trial -1",
        ("--gpus-per-trial", "found '-1'", "it should be greater than or equal to 0"),
    ),
    "--gpus-per-trial nan": Case(
        "sweep reduction_ratio --gpus-per-trial nan",
        ("--gpus-per-trial", "found 'nan'", "it should be greater than or equal to 0"),
    ),
    "--gpus-per-trial inf": Case(
        "sweep reduction_ratio --gpus-per-trial inf",
        ("--gpus-per-trial", "found 'inf'", "it should be a share of one GPU, e.g. 0.25, or a whole number of them"),
    ),
    "--gpus-per-trial 1.5": Case(
        "sweep reduction_ratio --gpus-per-trial 1.5",
        ("--gpus-per-trial", "found '1.5'", "it should be a share of one GPU, e.g. 0.25, or a whole number of them"),
    ),
    "--gpus-per-trial half": Case(
        "sweep reduction_ratio --gpus-per-trial half", ("--gpus-per-trial", "found 'half'", "it should be a number")
    ),
    "--gpus-per-trial 99": Case(
        "sweep reduction_ratio --gpus-per-trial 99",
        ("--gpus-per-trial 99: this machine has", "GPUs; ask for less or leave it out"),
    ),
    "--cpus-per-trial 0": Case(
        "sweep reduction_ratio --cpus-per-trial 0",
        ("--cpus-per-trial", "found '0'", "it should be greater than or equal to 1"),
    ),
    "--cpus-per-trial 9999": Case(
        "sweep reduction_ratio --cpus-per-trial 9999",
        ("--cpus-per-trial 9999: this machine has", "cores; ask for less or leave it out"),
    ),
    "--address without a cluster": Case(
        "sweep reduction_ratio --address 127.0.0.1:9",
        ("--address 127.0.0.1:9: there is no Ray cluster to join", "ray start --head", "or leave it out"),
    ),
    "--address with a password": Case(
        f"sweep reduction_ratio --address ray://me:{CANARY}@127.0.0.1:9",
        ("--address ray://127.0.0.1:9: there is no Ray cluster to join", "or leave it out"),
    ),
    "--address of no cluster's kind": Case(
        "sweep reduction_ratio --address somewhere",
        ("--address somewhere: there is no Ray cluster to join", "auto, host:6379, ray://host:10001"),
    ),
    "--address in this process": Case(
        "sweep reduction_ratio --executor local --address auto", ("--address 'auto'", "leave one of the two out")
    ),
    "--loaders -1": Case(
        "sweep reduction_ratio --loaders -1", ("--loaders", "found '-1'", "it should be greater than or equal to 0")
    ),
    "--loaders 2.5": Case(
        "sweep reduction_ratio --loaders 2.5", ("--loaders", "found '2.5'", "it should be a whole number")
    ),
    "--executor misspelt": Case(
        "sweep reduction_ratio --executor rya", ("--executor", "found 'rya'", "allowed: auto, ray, processes, local")
    ),
    "--rerun misspelt": Case(
        "sweep reduction_ratio --rerun stael", ("--rerun", "found 'stael'", "allowed: stale, failed")
    ),
    "--rerun done": Case("sweep reduction_ratio --rerun done", ("--rerun", "found 'done'", "allowed: stale, failed")),
    "--rerun without": Case(
        "sweep reduction_ratio --rerun", ("--rerun has no value", "give it one behind a blank, or leave it out")
    ),
    "--port 0": Case("ui --port 0", ("--port", "found '0'", "it should be greater than or equal to 1")),
    "--port 70000": Case("ui --port 70000", ("--port", "found '70000'", "it should be less than or equal to 65535")),
    "--port http": Case("ui --port http", ("--port", "found 'http'", "it should be a whole number")),
    "--size 0": Case("model resnet50 --size 0", ("--size", "found '0'", "it should be greater than or equal to 1")),
    "--size 1": Case(
        "model resnet50 --size 1",
        (
            "ResNet-50 cannot take images of 1 pixels (Given input size: (64x1x1).",
            "say small_images=True where the network is named, or use larger images",
        ),
    ),
    "--size huge": Case(
        f"model resnet50 --size {10**9}", ("--size", "found '1000000000'", "it should be less than or equal to 16384")
    ),
    "--size 2": Case(
        "model inception_resnet_v2 --size 20",
        (
            "Inception-ResNet-v2 cannot take images of 20 pixels (Given input",
            "say small_images=True where the network is named, or use larger images",
        ),
    ),
    "--classes 0": Case(
        "model resnet50 --classes 0", ("--classes", "found '0'", "it should be greater than or equal to 1")
    ),
    "--classes huge": Case(
        f"model resnet50 --classes {10**30}",
        ("--classes", "found '1000000000000000000000000000000'", "it should be less than or equal to 10000000"),
    ),
    "--download of digits": Case(
        "plan reduction_ratio --download", ("--download: only cifar10 and cifar100 can be fetched", "digits need none")
    ),
    "--download of a folder": Case(
        "plan reduction_ratio --download --set data.source=folder:x",
        (
            "--download: only cifar10 and cifar100 can be fetched",
            "put the images of 'folder:x' into their folder yourself",
        ),
    ),
    "--download with a value": Case(
        "plan reduction_ratio --download=cifar10", ("--download takes no value", "leave out what follows its =")
    ),
}
COMMANDS = {
    "unknown command": Case(
        "swep reduction_ratio",
        (
            "there is no command 'swep'",
            "did you mean 'sweep'?",
            f"{COMMANDS}. A sweep: senet-lab",
        ),
    ),
    "command far off": Case(
        "frobnicate",
        (
            "there is no command 'frobnicate'",
            f"allowed: {COMMANDS}. A sweep: senet-lab",
        ),
    ),
    "upper case": Case(
        "PLAN reduction_ratio",
        (
            "there is no command 'PLAN'",
            f"allowed: {COMMANDS}. A sweep: senet-lab",
        ),
    ),
    "a sweep as a command": Case(
        "reduction_ratio",
        (
            "there is no command 'reduction_ratio'",
            f"allowed: {COMMANDS}. A sweep: senet-lab",
        ),
    ),
    "no sweep": Case(
        "sweep", ("sweep: SWEEP is missing", "e.g. senet-lab sweep reduction_ratio --seeds 3 --set train.epochs=5")
    ),
    "no sweep to plan": Case(
        "plan --seeds 3", ("plan: SWEEP is missing", "e.g. senet-lab plan reduction_ratio --seeds 40")
    ),
    "no network": Case("model", ("model: NAME is missing", "e.g. senet-lab model se_resnet50 --set se.reduction=8")),
    "two sweeps": Case(
        "plan reduction_ratio stages",
        ("found 'stages', which is one argument too many", "e.g. senet-lab plan reduction_ratio --seeds 40"),
    ),
    "an argument too many": Case(
        "list reduction_ratio", ("found 'reduction_ratio', which is one argument too many", "e.g. senet-lab list")
    ),
    "unknown option": Case(
        "plan reduction_ratio --sed 3",
        (
            "there is no option '--sed'",
            "did you mean '--seeds'?",
            "--store, --data-dir, --download, --set, --seeds, --recipe, --workers, --probe, --json",
        ),
    ),
    "option far off": Case(
        "plan reduction_ratio --frobnicate",
        ("there is no option '--frobnicate'", "allowed: --store, --data-dir, --download, --set, --seeds, --recipe,"),
    ),
    "short option": Case(
        "plan reduction_ratio -s 3",
        (
            "there is no option '-s'",
            "did you mean '--set'?",
            "--store, --data-dir, --download, --set, --seeds, --recipe, --workers, --probe, --json",
        ),
    ),
    "option of another command": Case(
        "plan reduction_ratio --rerun failed",
        (
            "there is no option '--rerun'",
            "--seeds, --recipe, --workers, --probe, --json, --help",
            "stands behind sweep",
        ),
    ),
    "option before the command": Case(
        "--seeds 3 plan reduction_ratio",
        (
            "there is no option '--seeds'",
            "did you mean '--version'?",
            "--debug, --version, --help. --seeds stands behind plan, sweep, report",
        ),
    ),
    "set in one word": Case(
        "plan reduction_ratio train.epochs=3",
        ("found 'train.epochs=3' by itself", "a setting stands behind --set: --set train.epochs=3"),
    ),
    "unknown network": Case(
        "model se_resnet5",
        (
            "there is no network 'se_resnet5'",
            "did you mean 'se_resnet50'?",
            "resnet50, resnet101, resnet152, resnext50_32x4d, resnext101_32x4d,",
        ),
    ),
    "network far off": Case(
        "model zzz", ("there is no network 'zzz'", "allowed: resnet50, resnet101, resnet152, resnext50_32x4d,")
    ),
    "escape code for a command": Case(
        "'\x1b[31mplan'",
        (
            "there is no command '\\x1b[31mplan'",
            "did you mean 'plan'?",
            f"{COMMANDS}. A sweep: senet-lab",
        ),
    ),
    "escape code for an option": Case(
        "plan reduction_ratio '--\x1b[31m'",
        ("there is no option '--\\x1b[31m'", "allowed: --store, --data-dir, --download, --set, --seeds, --recipe,"),
    ),
}
