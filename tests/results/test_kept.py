"""Which trials kept their gates, and which row, seed and classes are looked at."""

import pytest
from gated import fill, place, read

from senet_lab import gates, recipes
from senet_lab.errors import StoreError, UserError
from senet_lab.results import excitation, kept
from senet_lab.results.published.excitation import CLASSES
from senet_lab.spec import SE, apply


@pytest.fixture
def held(make, tmp_path):
    """Three seeds of r = 2, 16 and no SE."""
    question = make.question(seeds=3, grid={"model.se.reduction": (2, 16)})
    return fill(make, question, place(tmp_path, question))


def test_only_rows_with_se_have_gates(held):
    assert [row.label for row in held.rows()] == ["reduction=2", "reduction=16"]
    assert held.seeds("reduction=2") == (0, 1, 2)
    assert held.gates("reduction=2", 1).names == tuple("0123456789")


def test_a_baseline_with_se_is_looked_at_first(make, tmp_path):
    question = make.question(seeds=1, grid={"model.se.reduction": (4, 16)}, baseline={"model.se.reduction": 4})
    assert kept.default_row(fill(make, question, place(tmp_path, question))) == "reduction=4"


def test_without_one_it_is_the_paper_s_block_else_the_first_row(held, make, tmp_path):
    assert kept.default_row(held) == "reduction=16"
    question = make.question("other", seeds=1, grid={"model.se.reduction": (4, 2)})
    assert kept.default_row(fill(make, question, place(tmp_path, question))) == "reduction=4"


def test_rows_and_seeds_by_name(held):
    assert kept.row_called(held, None) == kept.row_called(held, "16") == kept.row_called(held, "reduction=16")
    assert [kept.opened(held, "reduction=2", seed)[0] for seed in (None, 2)] == [0, 2]
    for row, said in (("reduction=1", "did you mean 'reduction=16'"), ("no_se", "its network has no SE; allowed")):
        with pytest.raises(UserError, match=said):
            kept.row_called(held, row)
    with pytest.raises(UserError, match=r"--seed 7: reduction=2 has no gates of it; allowed: 0, 1, 2"):
        kept.opened(held, "reduction=2", 7)


def test_trials_without_gates_are_counted_and_told_how_to_get_them(make, tmp_path):
    question = make.question(seeds=2, grid={"model.se.reduction": (2, 16)})
    store = place(tmp_path, question)
    some = fill(make, question, store, without=["reduction=16"])
    assert kept.default_row(some) == "reduction=2"
    assert kept.without_gates(some).startswith("2 of 4 trials with SE have no gates")
    assert "--rerun does not take them; move their run folders away" in kept.without_gates(some)
    with pytest.raises(UserError, match=r"--row '16': none of its trials kept gates; .*allowed: reduction=2"):
        kept.row_called(some, "16")
    none = fill(make, question, store, without=["reduction=2", "reduction=16"])
    with pytest.raises(UserError, match="4 of 4 trials with SE have no gates"):
        kept.row_called(none, None)


def test_a_sweep_without_se_and_one_without_trials_say_so(make, tmp_path):
    plain = apply(recipes.DIGITS, {"model.se": None})
    question = make.question(base=plain, grid={"train.learning_rate": (0.1, 0.2)}, controls=(), seeds=1,
                             baseline={"train.learning_rate": 0.1})  # fmt: skip
    with pytest.raises(UserError, match="none of its networks has SE"):
        kept.row_called(fill(make, question, place(tmp_path, question)), None)
    with pytest.raises(UserError, match=r"no trial of a row with SE is done; .* senet-lab sweep reduction_ratio"):
        kept.row_called(fill(make, make.question(seeds=1), place(tmp_path, make.question()), seeds=0), None)


def test_a_damaged_file_counts_as_none(held, tmp_path):
    file = next((tmp_path / "runs").rglob("reduction-2_seed-1*/gates.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    assert held.gates("reduction=2", 1) is None
    assert "seed=1: its gates.parquet is gone or damaged" in str(kept.gone("reduction=2", 1))


def test_the_lowest_seed_whose_file_is_whole_is_looked_at(held, tmp_path):
    files = [next((tmp_path / "runs").rglob(f"reduction-2_seed-{n}*/gates.parquet")) for n in range(3)]
    files[0].write_bytes(b"")
    assert kept.opened(held, "reduction=2", None)[0] == 1
    with pytest.raises(UserError, match=r"reduction=2 seed=0: its gates\.parquet is gone or damaged"):
        kept.opened(held, "reduction=2", 0)
    for file in files[1:]:
        file.unlink()
    with pytest.raises(UserError, match=r"reduction=2: no gates\.parquet of its 3 trials can be read; .* --row"):
        kept.opened(held, "reduction=2", None)


def test_a_file_of_another_version_counts_as_damaged_and_is_told_with_its_folder(held, tmp_path, monkeypatch):
    """Whole by its digest, so that a record vouches for it."""
    assert excitation.measure(held, (0, 1)).damaged == 0
    monkeypatch.setattr(gates, "VERSION", b"2")
    assert held.whole("reduction=2", 1) is None and excitation.measure(held, (0, 1)).damaged == 6
    folder = next((tmp_path / "runs").rglob("reduction-2_seed-1*"))
    with pytest.raises(StoreError, match=f"{folder}/gates.parquet: found version 1, this senet-lab reads 2"):
        held.gates("reduction=2", 1)


def test_a_store_is_not_needed_to_say_that_there_are_none(make, tmp_path, held):
    assert kept.kept(held.question, held.trials.drop(columns="kept"), (), None).rows() == ()


def imagenet(words=False):
    """A thousand classes, the paper's four among them, by WNID or in ImageNet's words."""
    plane = {"plane": "plane, carpenter's plane, woodworking plane"}
    four = [plane.get(word, word + ", and so on") for word in CLASSES] if words else list(CLASSES.values())
    names = [f"n{n:08d}" for n in range(1000)]
    for position, name in zip((1, 254, 726, 972), four, strict=True):
        names[position] = name
    return read(names)


@pytest.mark.parametrize("words", [False, True])
def test_imagenet_gets_the_paper_s_classes_by_the_paper_s_names(words):
    own = imagenet(words)
    assert kept.classes_called(own, None) == (1, 254, 726, 972)
    assert [own.called(label) for label in (1, 254, 726, 972)] == ["goldfish", "pug", "plane", "cliff"]
    assert kept.classes_called(own, ("plane", "pug", "0")) == (726, 254, 0)


def test_the_plane_is_the_tool():
    assert CLASSES["plane"] == "n03954731"  # the airliner is n02690373


@pytest.mark.parametrize(("count", "shown"), [(10, (0, 3, 6, 9)), (100, (0, 33, 66, 99)), (3, (0, 1, 2)), (2, (0, 1))])
def test_other_data_get_four_evenly_spaced_classes(count, shown):
    assert kept.classes_called(read([f"c{n}" for n in range(count)]), None) == shown


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("cat", "bog"), "found 'bog'; did you mean 'dog'? allowed: cat, dog, frog"),
        (("cat",), "name 2 to 8 classes, each once"),
        (("cat", "cat"), "name 2 to 8 classes, each once"),
        (("cat", "3"), "found '3'"),
        (("cat", ""), "found ''"),
    ],
)
def test_classes_that_cannot_be_shown_are_refused(asked, said):
    with pytest.raises(UserError) as refused:
        kept.classes_called(read(["cat", "dog", "frog"]), asked)
    assert said in str(refused.value)


def test_a_thousand_names_are_not_listed():
    with pytest.raises(UserError, match=r"did you mean 'goldfish'\? allowed: .*\(1,000 in all\)") as refused:
        kept.classes_called(imagenet(), ("goldfisch", "pug"))
    assert len(str(refused.value)) < 300


def test_gates_without_names_go_by_number():
    assert read(["a", "b"]).called(7) == "7"


def test_the_usual_block_is_the_paper_s():
    assert (SE().reduction, SE().gate, SE().squeeze, SE().placement, SE().stages) == (
        16, "sigmoid", "avg", "standard", "all",
    )  # fmt: skip
