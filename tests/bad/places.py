"""Wrong data folders, stores, report folders and MLflow addresses."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from senet_lab.data import cifar10
from tests.bad.case import CANARY, Case, Content, good, mine
from tests.data.pictures import encoded, put, write_parquet

CLASSES = [0, 1, 0, 1]


def pictures(where: str = "images", **changed: Content) -> dict[str, Content]:
    """A good folder of four images in two classes, with some files replaced."""
    files: dict[str, Content] = {}
    for part in ("train", "test"):
        for seed, name in enumerate(("a/0.png", "a/1.png", "b/2.png", "b/3.png")):
            files[f"{where}/{part}/{name}"] = lambda path, seed=seed: put(path, seed)  # type: ignore[misc]
    return (
        mine(
            good(
                base="recipes.CIFAR10",
                grid='{"data.validation": [1]}',
                controls="[]",
                baseline='{"data.validation": 1}',
                seeds="2",
            )
        )
        | files
        | changed
    )


FOLDER = "plan mine.py --set data.source=folder:images"
PARQUET = "plan mine.py --set data.source=parquet:images"
SWEEP = mine(good(base="recipes.CIFAR10"))


def without(files: dict[str, Content], beginning: str) -> dict[str, Content]:
    return {name: content for name, content in files.items() if not name.startswith(beginning)}


def table(columns: dict[str, object], metadata: dict[str, str] | None = None) -> Callable[[Path], object]:
    return lambda path: pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)


def rows(labels: list[int] = CLASSES, **more: str) -> Callable[[Path], object]:
    return lambda path: write_parquet(path, list(range(len(labels))), labels, **more)  # type: ignore[arg-type]


def pair(train: Content = None, test: Content = None) -> dict[str, Content]:
    return SWEEP | {"images/train-0.parquet": train or rows(), "images/test-0.parquet": test or rows()}


IMAGE = [{"bytes": encoded(i), "path": f"{i}.png"} for i in range(4)]
PARQUET_FILE = lambda path: rows()(path) or path.write_bytes(path.read_bytes()[:-40])  # noqa: E731

DATA = {
    "no archive": Case(
        "plan mine.py",
        ("data.source 'cifar10': cifar-10-binary.tar.gz or", "add --download to the command, or get it from"),
        SWEEP,
    ),
    "no archive of the other": Case(
        "plan reduction_ratio --recipe cifar100",
        ("data.source 'cifar100': cifar-100-binary.tar.gz or", "add --download to the command, or get it from"),
    ),
    "no folder of data": Case(
        "plan mine.py --data-dir nowhere",
        ("data.source 'cifar10': cifar-10-binary.tar.gz or", "add --download to the command, or get it from"),
        SWEEP,
    ),
    "a file for a folder of data": Case(
        "plan mine.py --data-dir file",
        ("data.source 'cifar10': cifar-10-binary.tar.gz or", "add --download to the command, or get it from"),
        SWEEP | {"file": "x"},
    ),
    "an empty archive": Case(
        "plan mine.py",
        (
            "its MD5 is d41d8cd98f00b204e9800998ecf8427e, that of the official",
            "it is damaged or not whole: delete it, then add --download or get it",
        ),
        SWEEP | {f"data/{cifar10.BINARY.name}": b""},
    ),
    "another archive": Case(
        "plan mine.py",
        (
            "its MD5 is 7853090022c8b5d7a25087b733c4ff47, that of the official",
            "it is damaged or not whole: delete it, then add --download or get it",
        ),
        SWEEP | {f"data/{cifar10.PYTHON.name}": b"\x1f\x8b" + b"x" * 100},
    ),
    "a folder for an archive": Case(
        "plan mine.py",
        ("data.source 'cifar10': cifar-10-binary.tar.gz or", "add --download to the command, or get it from"),
        SWEEP | {f"data/{cifar10.BINARY.name}": None},
    ),
    "imagenet is not there": Case(
        "plan reduction_ratio --recipe imagenet",
        (
            "data.source 'folder:imagenet'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that imagenet lies in with",
        ),
    ),
    "places365 is not there": Case(
        "plan reduction_ratio --recipe places365",
        (
            "data.source 'folder:places365'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that places365 lies in with",
        ),
    ),
    "no such folder": Case(
        FOLDER,
        (
            "data.source 'folder:images'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that images lies in with",
        ),
        SWEEP,
    ),
    "a file for a folder": Case(
        FOLDER,
        (
            "data.source 'folder:images'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that images lies in with",
        ),
        SWEEP | {"images": "x"},
    ),
    "an empty folder": Case(
        FOLDER,
        ("train/<class>/*.jpg is missing", "put a folder of images for each class there, or ImageNet's or"),
        SWEEP | {"images": None},
    ),
    "classes without train": Case(
        FOLDER,
        ("train/<class>/*.jpg is missing", "put a folder of images for each class there, or ImageNet's or"),
        SWEEP | {"images/a/0.png": encoded(0)},
    ),
    "train is a file": Case(
        FOLDER,
        ("train/<class>/*.jpg is missing", "put a folder of images for each class there, or ImageNet's or"),
        SWEEP | {"images/train": "x"},
    ),
    "a class without images": Case(
        FOLDER, ("train/c holds no images", "put some there or remove it"), pictures() | {"images/train/c": None}
    ),
    "images without a class": Case(
        FOLDER,
        ("train/<class>/*.jpg is missing", "put a folder of images for each class there, or ImageNet's or"),
        without(pictures(), "images/train") | {"images/train/0.png": encoded(0)},
    ),
    "no test part": Case(
        FOLDER,
        ("test/<class>/*.jpg is missing, and val/<class>/*.jpg too", "put one of them there"),
        without(pictures(), "images/test"),
    ),
    "a class in test alone": Case(
        FOLDER,
        ("test/c is no class of train/", "rename or remove it"),
        pictures() | {"images/test/c/0.png": encoded(0)},
    ),
    "val without labels": Case(
        FOLDER,
        (
            "val/ has images and no folder a class, so their labels are needed:",
            "unpack it there. Looked in ILSVRC2012_devkit_t12/data, devkit/data,",
        ),
        without(pictures(), "images/test") | {"images/val/0.png": encoded(0)},
    ),
    "an empty image": Case(
        FOLDER,
        ("data.source 'folder", "train/a/0.png cannot be read: cannot identify image file", "get it anew"),
        pictures() | {"images/train/a/0.png": b""},
    ),
    "an image that is text": Case(
        FOLDER,
        ("data.source 'folder", "test/b/3.png cannot be read: cannot identify image file", "get it anew"),
        pictures() | {"images/test/b/3.png": "no picture"},
    ),
    "an image cut off": Case(
        FOLDER,
        ("data.source 'folder", "train/b/2.png cannot be read: image file is truncated", "get it anew"),
        pictures() | {"images/train/b/2.png": encoded(2, size=(64, 64))[:200]},
    ),
    "an image of another size": Case(
        FOLDER,
        (
            "data.source 'folder",
            "train/b/2.png has 9 x 8 pixels",
            "images that are not all square and of one size (here 8) are cropped",
        ),
        pictures() | {"images/train/b/2.png": encoded(2, size=(9, 8))},
    ),
    "an image that is a folder": Case(
        FOLDER,
        ("Is a directory", "it was there before, put it back"),
        without(pictures(), "images/train/a/1") | {"images/train/a/1.png": None},
    ),
    "an image that leads nowhere": Case(
        FOLDER,
        ("is missing", "unpack the archive that it is in once more"),
        without(pictures(), "images/train/a/1") | {"images/train/a/1.png": lambda p: p.symlink_to("gone")},
    ),
    "a bomb of an image": Case(
        FOLDER,
        ("data.source 'folder", "train/a/0.png cannot be read: cannot identify image file", "get it anew"),
        pictures() | {"images/train/a/0.png": encoded(0)[:16] + (10**5).to_bytes(4, "big") * 2 + encoded(0)[24:]},
    ),
    "a class with an escape code": Case(
        FOLDER,
        ("train/\\x1b[31mc holds no images", "put some there or remove it"),
        pictures() | {"images/train/\x1b[31mc": None},
    ),
    "places without its lists": Case(
        FOLDER,
        ("a folder data_256 or data_256_standard or data_large or", "unpack Places365-Standard's images there"),
        SWEEP | {"images/categories_places365.txt": "/a/field 0\n"},
    ),
    "places with a wrong line": Case(
        FOLDER,
        ("found 'field', not a path and a label", "get the file anew"),
        SWEEP | {"images/categories_places365.txt": "field\n"},
    ),
    "places of other bytes": Case(
        FOLDER,
        ("found '��\\x00', not a path and a label", "get the file anew"),
        SWEEP | {"images/categories_places365.txt": b"\xff\xfe\x00"},
    ),
    "imagenet with a wrong table": Case(
        FOLDER,
        ("cannot be read (Mat file appears to be truncated)", "unpack the development kit once more"),
        without(pictures(), "images/test")
        | {
            "images/val/ILSVRC2012_val_00000001.JPEG": encoded(0),
            "images/data/ILSVRC2012_validation_ground_truth.txt": "1\n",
            "images/data/meta.mat": "x",
        },
    ),
    "imagenet with a wrong truth": Case(
        FOLDER,
        ("cannot be read (Mat file appears to be truncated)", "unpack the development kit once more"),
        without(pictures(), "images/test")
        | {
            "images/val/ILSVRC2012_val_00000001.JPEG": encoded(0),
            "images/data/ILSVRC2012_validation_ground_truth.txt": "one\n",
            "images/data/meta.mat": "x",
        },
    ),
    "no Parquet": Case(
        PARQUET,
        (
            "train*.parquet is missing there and in data/",
            "put the Parquet files of a Hugging Face image data set there, e.g.",
        ),
        SWEEP | {"images": None},
    ),
    "Parquet of training alone": Case(
        PARQUET,
        ("a test part with labels is missing", "looked for test*.parquet, validation*.parquet, val*.parquet there and"),
        SWEEP | {"images/train-0.parquet": rows()},
    ),
    "Parquet of testing alone": Case(
        PARQUET,
        (
            "train*.parquet is missing there and in data/",
            "put the Parquet files of a Hugging Face image data set there, e.g.",
        ),
        SWEEP | {"images/test-0.parquet": rows()},
    ),
    "Parquet that is text": Case(
        PARQUET,
        ("train*.parquet cannot be read: Parquet magic bytes not found in", "get them anew"),
        pair(b"no parquet at all"),
    ),
    "Parquet that is empty": Case(
        PARQUET, ("train*.parquet cannot be read: Parquet file size is 1 bytes, smaller", "get them anew"), pair(b" ")
    ),
    "Parquet cut off": Case(
        PARQUET,
        ("train*.parquet cannot be read: Parquet magic bytes not found in", "get them anew"),
        pair(PARQUET_FILE),
    ),
    "Parquet that is a folder": Case(
        PARQUET,
        ("train*.parquet cannot be read: Cannot open for reading: path '", "is a directory", "get them anew"),
        SWEEP | {"images/train-0.parquet": None, "images/test-0.parquet": rows()},
    ),
    "Parquet without rows": Case(
        PARQUET,
        ("column 'image' is of type null", "it has to hold encoded images, as struct<bytes, path>: save the data"),
        pair(rows([])),
    ),
    "no column of images": Case(
        PARQUET, ("a column image or img is missing", "found picture, label"), pair(rows(columns=("picture", "label")))
    ),  # type: ignore[arg-type]
    "no column of labels": Case(
        PARQUET,
        ("a column label or fine_label or labels is missing", "found image, class"),
        pair(rows(columns=("image", "class"))),
    ),  # type: ignore[arg-type]
    "labels of -1": Case(
        PARQUET, ("column 'label' has images without a label", "use a part that has them"), pair(rows([0, -1, 0, 1]))
    ),
    "a test part without labels": Case(
        PARQUET,
        ("a test part with labels is missing", "looked for test*.parquet, validation*.parquet, val*.parquet there and"),
        pair(None, rows([-1, -1, -1, -1])),
    ),
    "labels out of range": Case(
        PARQUET,
        ("column 'label' goes up to 1000000000000", "labels have to number classes from 0"),
        pair(rows([0, 1, 0, 10**12])),
    ),
    "labels of text": Case(
        PARQUET,
        ("column 'label' is of type string", "labels have to be integers from 0"),
        pair(table({"image": IMAGE, "label": ["a", "b", "a", "b"]})),
    ),
    "labels left out": Case(
        PARQUET,
        ("column 'label' has images without a label", "use a part that has them"),
        pair(table({"image": IMAGE, "label": [0, None, 1, 0]})),
    ),
    "fractions for labels": Case(
        PARQUET,
        ("column 'label' is of type double", "labels have to be integers from 0"),
        pair(table({"image": IMAGE, "label": [0.5, 1.5, 0.0, 1.0]})),
    ),
    "images of numbers": Case(
        PARQUET,
        ("column 'image' is of type int64", "it has to hold encoded images, as struct<bytes, path>: save the data"),
        pair(table({"image": [1, 2, 3, 4], "label": CLASSES})),
    ),
    "images without bytes": Case(
        PARQUET,
        (
            "column 'image' is of type struct<path: string>",
            "it has to hold encoded images, as struct<bytes, path>: save the data",
        ),
        pair(table({"image": [{"path": "a.png"}] * 4, "label": CLASSES})),
    ),
    "images left out": Case(
        PARQUET,
        ("data.source 'parquet", "row 0 of train*.parquet cannot be read: cannot identify image file", "get it anew"),
        pair(table({"image": [None, *IMAGE[1:]], "label": CLASSES})),
    ),
    "an image of text in Parquet": Case(
        PARQUET,
        ("data.source 'parquet", "row 3 of train*.parquet cannot be read: cannot identify image file", "get it anew"),
        pair(table({"image": [*IMAGE[:3], {"bytes": b"x", "path": "x"}], "label": CLASSES})),
    ),
    "columns of testing differ": Case(
        PARQUET, ("a column image is missing", "found img, label"), pair(None, rows(columns=("img", "label")))
    ),  # type: ignore[arg-type]
    "images of two sizes in testing": Case(
        PARQUET,
        ("row 0 of test*.parquet has 9 x 9 pixels", "of one size (here 8)", "--set data.image_size=224"),
        pair(None, rows(size=(9, 9))),
    ),  # type: ignore[arg-type]
    "a folder above": Case(
        "plan mine.py --set data.source=parquet:../nowhere",
        (
            "data.source 'parquet:../nowhere'",
            "there is no folder",
            "and none",
            "put the images there, or name the folder that ../nowhere lies in with",
        ),
        SWEEP,
    ),
}


STORES = {
    "a file": Case(
        "plan reduction_ratio --store file",
        ("--store file", "this is a file", "name a folder, it is made where there is none"),
        {"file": "x"},
    ),
    "below a file, to sweep": Case(
        "sweep reduction_ratio --store file/runs",
        ("--store file/runs: ", "file is a file", "name a folder, it is made where there is none"),
        {"file": "x"},
    ),
    "a file, to report": Case(
        "report reduction_ratio --store file",
        ("--store file", "this is a file", "name a folder, it is made where there is none"),
        {"file": "x"},
    ),
    "a file, to examine": Case(
        "doctor --store file",
        ("sweep architectures, sweep cifar_architectures", "see above for what to do"),
        {"file": "x"},
        shows="this is a file; name a folder",
    ),
    "an address of no kind": Case(
        "plan reduction_ratio --store nowhere://x/runs",
        ("--store nowhere://x/runs", "Unsupported filesystem: 'nowhere'", "an address such as s3://bucket/runs"),
    ),
    "an address of a kind that is not installed": Case(
        "plan reduction_ratio --store gs://bucket/runs", ("--store gs://bucket/runs", "install gcsfs")
    ),
    "an address without a place": Case("plan reduction_ratio --store s3://", ("names no folder", "s3://bucket/runs")),
    "a password in an address": Case(
        f"sweep reduction_ratio --store s3://key:{CANARY}@bucket/runs",
        ("--store s3://bucket/runs", "does not belong into an address", "AWS_SECRET_ACCESS_KEY"),
    ),
    "a file in the way": Case(
        "plan reduction_ratio --store file/below", ("--store file/below", "is a file; name a folder"), {"file": "x"}
    ),
    "a file for the sweep's folder, to plan": Case(
        "plan reduction_ratio", ("reduction_ratio: this is a file", "name a folder"), {"runs/reduction_ratio": "x"}
    ),
    "a file for the sweep's folder, to sweep": Case(
        "sweep reduction_ratio",
        ("--store", "reduction_ratio: this is a file", "name a folder, it is made where there is none"),
        {"runs/reduction_ratio": "x"},
    ),
    "a name too long": Case(
        f"plan reduction_ratio --store {'x' * 300}",
        (
            "(File name too long)",
            "choose another with --store",
        ),
    ),
    "a name too long, to sweep": Case(
        f"sweep reduction_ratio --store {'x' * 300}",
        (
            "(File name too long)",
            "choose another with --store",
        ),
    ),
    "empty": Case(
        "report reduction_ratio",
        ("no trial of this question is done", "it holds none of this sweep at all. Give `report` the same --set,"),
    ),
    "a link that leads nowhere": Case(
        "sweep reduction_ratio --store link",
        ("cannot be written (File exists)", "make room or rights there, or choose another with --store"),
        {"link": lambda p: p.symlink_to("/proc/none/x")},
    ),
    "a record of another version": Case(
        "plan reduction_ratio",
        (
            "this was written by another version of senet-lab (Input should be a",
            "use that version, or another store with --store",
        ),
        {"runs/reduction_ratio/a_seed-0_0/record.json": '{"id": 3}'},
    ),
    "a record of another kind": Case(
        "plan reduction_ratio",
        (
            "this was written by another version of senet-lab (Input should be an",
            "use that version, or another store with --store",
        ),
        {"runs/reduction_ratio/a_seed-0_0/record.json": "[]"},
    ),
    "a record that is a folder": Case(
        "plan reduction_ratio",
        ("cannot be read (Is a directory)", "see to rights and connections there, or choose another with --store"),
        {"runs/reduction_ratio/a_seed-0_0/record.json": None},
    ),
    "a record that shows an escape code": Case(
        "plan reduction_ratio",
        (
            "this was written by another version of senet-lab (Field required)",
            "use that version, or another store with --store",
        ),
        {"runs/reduction_ratio/\x1b[31m/record.json": '{"id": "\\u001b[31m"}'},
    ),
}
REPORTS = {
    "a file": Case(
        "sweep reduction_ratio --to file",
        ("the report cannot be written into file/reduction_ratio: Not a", "choose another folder with --to DIR"),
        {"file": "x"},
    ),
    "below a file": Case(
        "sweep reduction_ratio --to file/reports",
        (
            "the report cannot be written into file/reports/reduction_ratio: Not a",
            "choose another folder with --to DIR",
        ),
        {"file": "x"},
    ),
    "a file for the sweep's folder": Case(
        "sweep reduction_ratio",
        ("the report cannot be written into reports/reduction_ratio: Not a", "choose another folder with --to DIR"),
        {"reports/reduction_ratio": "x"},
    ),
    "a folder for the table": Case(
        "sweep reduction_ratio",
        ("the report cannot be written into reports/reduction_ratio: Is a", "choose another folder with --to DIR"),
        {"reports/reduction_ratio/table.md": None},
    ),
    "a system's folder": Case(
        "sweep reduction_ratio --to /proc/reports",
        ("the report cannot be written into /proc/reports/reduction_ratio: No", "choose another folder with --to DIR"),
    ),
    "a name too long": Case(
        f"sweep reduction_ratio --to {'x' * 300}",
        (
            "the report cannot be written into xxx",
            "File name too long",
            "choose another folder with --to DIR",
        ),
    ),
}
ADDRESSES = {
    "a folder": Case(
        "sweep reduction_ratio --tracking-uri ./mlruns",
        (
            "MLflow: ./mlruns is a folder or file, and MLflow 3.13 and later keep",
            "give a database, e.g. sqlite:///mlflow.db, or a server, e.g.",
        ),
    ),
    "a folder's address": Case(
        "sweep reduction_ratio --tracking-uri file:///tmp/mlruns",
        (
            "MLflow: file:///tmp/mlruns is a folder or file, and MLflow 3.13 and",
            "give a database, e.g. sqlite:///mlflow.db, or a server, e.g.",
        ),
    ),
    "unknown scheme": Case(
        "sweep reduction_ratio --tracking-uri sqllite:///mlflow.db",
        (
            "MLflow: sqllite:///mlflow.db: MLflow has no store of the kind",
            "did you mean 'sqlite'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "no scheme": Case(
        "sweep reduction_ratio --tracking-uri localhost:5000",
        (
            "MLflow: localhost:5000 is a folder or file, and MLflow 3.13 and later",
            "give a database, e.g. sqlite:///mlflow.db, or a server, e.g.",
        ),
    ),
    "from the environment": Case(
        "sweep reduction_ratio",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
        {},
        {"MLFLOW_TRACKING_URI": "ftp://host/x"},
    ),
    "no file": Case(
        "ui --tracking-uri sqlite://",
        ("sqlite:// names no file", "write sqlite:/// and then its path, e.g. sqlite:///mlflow.db"),
        shows="starting MLflow",
    ),
    "half an address": Case(
        "ui --tracking-uri 'postgresql://user@[host'",
        (
            "postgresql://[host is not a whole address",
            "write scheme://user:password@host:port/name, in user and password %40 for @",
        ),
        shows="starting MLflow",
    ),
    "a port that is none": Case(
        "ui --tracking-uri postgresql://host:99999/x",
        (
            "postgresql://host:99999/x is not a whole address",
            "write scheme://user:password@host:port/name, in user and password %40 for @",
        ),
        shows="starting MLflow",
    ),
    "something else's file": Case(
        "ui --tracking-uri sqlite:///notes.db",
        (
            "notes.db cannot be read as MLflow's database (file is not a database)",
            "move it away, or choose another with --tracking-uri",
        ),
        {"notes.db": "just text, long enough to be no database at all"},
        shows="starting MLflow",
    ),
    "no folder for the file": Case(
        "ui --tracking-uri sqlite:///no/mlflow.db",
        ("no/mlflow.db cannot be made", "is no folder that can be written to", "choose another with --tracking-uri"),
        shows="starting MLflow",
    ),
    "a folder for the file": Case(
        "ui --tracking-uri sqlite:///folder",
        (
            "folder cannot be read as MLflow's database (disk I/O error)",
            "move it away, or choose another with --tracking-uri",
        ),
        {"folder": None},
        shows="starting MLflow",
    ),
    "a server to show": Case(
        "ui --tracking-uri http://127.0.0.1:9",
        ("http://127.0.0.1:9 is an MLflow server and serves its own pages", "open that address in a browser"),
        shows="starting MLflow",
    ),
    "nobody there": Case(
        "doctor --tracking-uri http://127.0.0.1:9", ("MLflow: ", "see above for what to do"), shows="does not answer"
    ),
}
SECRETS = {
    "user and password": Case(
        f"sweep reduction_ratio --tracking-uri ftp://user:{CANARY}@host/x",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "an @ in the password": Case(
        f"sweep reduction_ratio --tracking-uri ftp://user:a@{CANARY}@host/x",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "a slash in it": Case(
        f"sweep reduction_ratio --tracking-uri ftp://user:a/{CANARY}@host/x",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "a blank in the password": Case(
        f"sweep reduction_ratio --tracking-uri 'ftp://user:a {CANARY}@host/x'",
        (
            "MLflow: ftp://***@host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "in the query": Case(
        f"sweep reduction_ratio --tracking-uri 'ftp://host/x?password={CANARY}'",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
    ),
    "without a scheme": Case(
        f"sweep reduction_ratio --tracking-uri user:{CANARY}@host/x",
        (
            "MLflow: ***@host/x is a folder or file, and MLflow 3.13 and later",
            "give a database, e.g. sqlite:///mlflow.db, or a server, e.g.",
        ),
    ),
    "a bad scheme": Case(
        f"sweep reduction_ratio --tracking-uri http//user:{CANARY}@host/x",
        (
            "MLflow: http//***@host/x is a folder or file, and MLflow 3.13 and",
            "give a database, e.g. sqlite:///mlflow.db, or a server, e.g.",
        ),
    ),
    "in the environment": Case(
        "sweep reduction_ratio",
        (
            "MLflow: ftp://host/x: MLflow has no store of the kind 'ftp'",
            "did you mean 'http'?",
            "sqlite, postgresql, mysql, mssql, http, https",
        ),
        {},
        {"MLFLOW_TRACKING_URI": f"ftp://user:{CANARY}@host/x"},
    ),
    "half an address": Case(
        f"ui --tracking-uri 'postgresql://user:{CANARY}@[host/x'",
        (
            "postgresql://[host/x is not a whole address",
            "write scheme://user:password@host:port/name, in user and password %40 for @",
        ),
        shows="starting MLflow",
    ),
    "a server to show": Case(
        f"ui --tracking-uri http://user:{CANARY}@127.0.0.1:9",
        ("http://127.0.0.1:9 is an MLflow server and serves its own pages", "open that address in a browser"),
        shows="starting MLflow",
    ),
    "nobody there": Case(
        f"ui --tracking-uri postgresql://user:{CANARY}@127.0.0.1:9/x",
        (
            "postgresql://127.0.0.1:9/x does not answer (Connection refused)",
            "start it, or choose another with --tracking-uri",
        ),
        shows="starting MLflow",
    ),
    "beside another mistake": Case(
        f"sweep reduction_ratio --tracking-uri http://user:{CANARY}@host --seeds 0",
        ("command line: seeds", "found 0", "it should be greater than or equal to 1"),
    ),
    "where no address belongs": Case(
        f"plan http://user:{CANARY}@host",
        ("http:/***@host", "there is no such file", "give a sweep file or a name from `senet-lab list`"),
    ),
    "with a misspelt option": Case(
        f"sweep reduction_ratio --traking-uri=http://user:{CANARY}@host",
        (
            "sweep",
            "there is no option '--traking-uri'",
            "did you mean '--tracking-uri'?",
            "--store, --data-dir, --download, --set, --seeds, --recipe,",
        ),
    ),
    "as a number": Case(
        f"sweep reduction_ratio --workers http://user:{CANARY}@host",
        ("--workers", "found 'http://***@host'", "it should be a whole number"),
    ),
    "as a source": Case(
        f"plan reduction_ratio --set data.source=folder:http://user:{CANARY}@host",
        (
            "data.source 'folder:http://***@host'",
            "there is no folder",
            "/***@host",
            "put the images there, or name the folder that http:/***@host lies in",
        ),
    ),
}
"""Options that take an address: each with a password that must come back nowhere. A new one is a line more."""
