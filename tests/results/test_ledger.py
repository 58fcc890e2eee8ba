"""What trials took and what for, counted by hand; each second has one purpose."""

from dataclasses import replace

import pytest

from senet_lab.records import Environment, Foreseen, Sitting
from senet_lab.results import ledger, provenance
from senet_lab.results.ledger import ALL, PRELIMINARY, TABLE, Prices
from senet_lab.results.provenance import FAILED, INTERRUPTED, SELECTION
from senet_lab.spec import SELECTION_SEED
from senet_lab.store import Store

MACHINE = Environment(
    command="senet-lab sweep x", python="3.12", platform="Linux", cpu="Some", cores=2, gpus=("A", "A"), packages={},
    git_commit=None, git_diff=None,
)  # fmt: skip


@pytest.fixture
def asked(make):
    """Two rows, r = 2 and no SE, three seeds."""
    return make.question(seeds=3, grid={"model.se.reduction": (2,)})


@pytest.fixture
def found(make, asked):
    """Of six trials two done, one failed in its third attempt, one interrupted, two missing; beside them two candidates
    of a tuning, one of which failed, one trial of older code, and one of another setting."""
    plan = make.plan(asked)
    other = make.plan(make.question(seeds=1, grid={"model.se.reduction": (64,)}))[0]
    chosen = plan[0].trial.model_copy(update={"seed": SELECTION_SEED})
    records = [
        make.record(plan[0], seconds=3600.0, cpus=2),
        make.record(plan[1], seconds=1800.0, gpus=0.25, device="cuda"),
        make.record(
            plan[2],
            status="failed",
            test=None,
            seconds=100.0,
            attempts=3,
            started_at=0.0,
            ended_at=460.0,
            traceback="no",
        ),
        make.record(plan[3], id="old", code="code-0", seconds=720.0),
        make.record(other, seconds=360.0),
        make.record(plan[0], id="c1", fingerprint="c1", trial=chosen, seconds=900.0),
        make.record(plan[0], id="c2", fingerprint="c2", trial=chosen, status="failed", test=None, seconds=60.0),
    ]
    traced = provenance.trace(plan, records, [plan[0].id, plan[1].id])
    runs = traced.runs
    runs.loc[runs["id"] == plan[4].id, "use"] = INTERRUPTED
    return traced.with_spent({plan[4].id: 180.0})


def test_every_hour_has_one_purpose(found):
    frame = ledger.purposes(found).set_index("purpose")
    assert frame.index.tolist() == [TABLE, SELECTION, FAILED, INTERRUPTED, PRELIMINARY, ALL]
    assert frame["trials"].tolist() == [2, 1, 2, 1, 2, 8]
    # Failed: 100 s of the last attempt, 360 s of the two before it, 60 s of a candidate. Interrupted: on two cores.
    assert (3600 * frame["cpu_hours"]).round(6).tolist() == [9000, 900, 520, 180, 1080, 11680]
    assert frame["gpu_hours"].tolist() == [pytest.approx(0.125)] + [0.0] * 4 + [pytest.approx(0.125)]
    assert frame["share"].tolist() == pytest.approx([s / 8080 for s in (5400, 900, 520, 180, 1080, 8080)])
    assert frame["cpu_hours"].iloc[:-1].sum() == pytest.approx(frame["cpu_hours"].iloc[-1])


def test_purposes_without_trials_are_left_out(make, asked):
    plan = make.plan(asked)
    nothing = ledger.purposes(provenance.trace(plan, [], []))
    assert nothing["purpose"].tolist() == [ALL] and nothing["trials"].tolist() == [0]
    assert nothing["share"].isna().all() and nothing["cpu_hours"].tolist() == [0]


def test_attempts_that_succeeded_at_last_count_in_both_lines(make, asked):
    plan = make.plan(asked)
    again = make.record(plan[0], seconds=10.0, attempts=2, started_at=0.0, ended_at=40.0)
    shared = make.record(plan[1], seconds=10.0, together=4, started_at=0.0, ended_at=40.0)
    frame = ledger.purposes(provenance.trace(plan, [again, shared], [plan[0].id, plan[1].id])).set_index("purpose")
    assert frame["trials"].to_dict() == {TABLE: 2, FAILED: 0, ALL: 2}
    assert (3600 * frame["cpu_hours"]).round(6).to_dict() == {TABLE: 20, FAILED: 30, ALL: 50}


def test_an_old_record_on_a_gpu_counts_as_a_whole_one_and_it_is_said(make, asked):
    plan = make.plan(asked)
    old = provenance.trace(plan, [make.record(plan[0], device="cuda", seconds=3600.0)], [plan[0].id])
    assert ledger.purposes(old)["gpu_hours"].tolist() == [1.0, 1.0]
    assert any("what part of a GPU" in said for said in ledger.not_known(old))


def test_money_is_hours_and_energy_at_their_prices(found):
    prices = Prices(cpu_hour=0.1, gpu_hour=2.0, kwh=0.5, currency="EUR")
    frame = ledger.purposes(found, prices).set_index("purpose")
    assert frame.loc[TABLE, "money"] == pytest.approx(2.5 * 0.1 + 0.125 * 2)
    assert frame["money"].iloc[:-1].sum() == pytest.approx(frame.loc[ALL, "money"])
    assert prices.of(1, 1, 4) == pytest.approx(0.1 + 2 + 2)
    assert Prices(gpu_hour=2.0).of(100, 1, 100) == 2.0 and not Prices(currency="EUR").given


def sitting(number, **changes):
    known = {"number": number, "began_at": 1e9, "seconds": 130.0, "running_seconds": 120.0, "over": True}
    known |= {"trials": 4, "ended": 4, "slots": 2}
    return Sitting.model_validate(known | changes)


def test_a_forecast_is_compared_to_what_it_was_of_where_all_of_it_happened(found):
    said = Foreseen(seconds=100.0, low=90.0, high=115.0, source="probe")
    frame = ledger.sittings(
        replace(
            found,
            sittings=(
                sitting(1, forecast=said),
                sitting(2, forecast=said, ended=3),
                sitting(3, forecast=said, over=False),
                sitting(4, slots=None, joules={"RAPL": 3.6e6, "NVML": 1.8e6}),
            ),
        )
    )
    assert frame["off"].round(6).tolist()[:1] == [0.2] and frame["off"].isna().tolist() == [False, True, True, True]
    assert frame["kwh"].tolist()[3] == 1.5 and frame["kwh"].isna().tolist() == [True, True, True, False]
    assert frame["source"].tolist() == ["probe"] * 3 + [""] and frame["low_seconds"].tolist()[0] == 90
    assert len(ledger.sittings(found)) == 0


def test_energy_is_said_to_be_the_whole_machines(found):
    assert ledger.energy(found) == "" and ledger.kwh(found) == {}
    one = sitting(1, joules={"RAPL": 3.6e6, "NVML": 7.2e6})
    both = replace(found, sittings=(one, one))
    assert ledger.energy(both) == (
        "While trials ran, the whole machine, with whatever else ran on it, used 4 kWh in its GPUs (NVML) and "
        "2 kWh in its processors (RAPL)."
    )
    assert "While trials ran in 1 of 2 sittings, the whole" in ledger.energy(replace(found, sittings=(one, sitting(2))))


def test_the_statement_says_all_that_a_checklist_asks_for(found):
    answer, text = ledger.statement(replace(found, environments={"e": MACHINE}, sittings=(sitting(1),)))
    assert answer == "Yes"
    for said in (
        "One run takes 2700.0 s on average, on Some, 2 cores; 2 x A.",
        "2 h of trial time for the 2 trials in the table (2.5 CPU-hours and 0.12 GPU-hours)",
        "1 that settings were chosen by, 2 failed, 1 interrupted and not done yet, 2 not run yet",
        "with them 3.2 CPU-hours and 0.12 GPU-hours in all",
    ):
        assert said in text, said
    assert "kWh" not in text
    assert "kWh in its processors" in ledger.statement(replace(found, sittings=(sitting(1, joules={"RAPL": 1e6}),)))[1]
    assert ledger.statement(None) == ("NA", ledger.NOTHING)


def test_how_what_has_no_record_is_counted_is_said(found, make, asked):
    assert [said.split(" ")[0] for said in ledger.not_known(found)] == ["2", "Of"]
    plan = make.plan(asked)
    assert ledger.not_known(provenance.trace(plan, [make.record(plan[0])], [plan[0].id])) == []


def test_the_store_tells_sittings_and_what_began_and_is_not_asked_for(make, asked, tmp_path):
    plan = tuple(replace(t, id=f"{i:012x}") for i, t in enumerate(make.plan(asked)))
    store = Store(tmp_path, "reduction_ratio")
    for planned in plan:
        store.open(planned)
    store.save_sitting(sitting(7))
    fewer = provenance.trace(plan[:2], [make.record(plan[0])], [plan[0].id], store)
    assert [s.number for s in fewer.sittings] == [7]
    assert set(provenance.unfinished(fewer)) == {t.id for t in plan} - {plan[0].id}
    frame = ledger.purposes(fewer.with_spent(dict.fromkeys(provenance.unfinished(fewer), 36.0))).set_index("purpose")
    assert frame["trials"].to_dict() == {TABLE: 1, INTERRUPTED: 1, PRELIMINARY: 4, ALL: 6}
    assert frame.loc[PRELIMINARY, "cpu_hours"] == pytest.approx(0.04)
