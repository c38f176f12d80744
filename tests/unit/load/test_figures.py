from __future__ import annotations

from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.figures import Phase, Ratio, System, percentile, ratios
from tests.load.report import as_json, plain, tables, verdict

FINITE = st.floats(min_value=0, max_value=1e6, allow_nan=False)


def phase(name: str = "every text new", *, turns: int = 100, seconds: float = 10.0, p95: float = 200.0) -> Phase:
    return Phase(
        name=name,
        turns=turns,
        seconds=seconds,
        p50_ms=100,
        p95_ms=p95,
        p99_ms=300,
        mean_chars=14.0,
        errors={"silent": 5},
    )


def system(name: str, *, training_s: float | None = 60.0, memory: float = 1000.0, p95: float = 200.0) -> System:
    return System(
        name=name,
        training_s=training_s,
        training_note="",
        start_s=12.0,
        memory_mib=memory,
        phases=(phase(p95=p95), phase("popular repeat", seconds=5.0, p95=p95)),
        accuracy={"n": 10, "top1": 0.5, "top3": 0.8},
    )


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, 0), ([7], 99, 7), ([1, 2, 3], 50, 2), ([4, 1, 3, 2], 50, 2.5), ([0, 10], 95, 9.5), ([1, 2], 100, 2)],
)
def test_percentile_is_interpolated_between_neighbours(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == pytest.approx(expected)


@given(st.lists(FINITE, min_size=2, max_size=60))
def test_percentile_agrees_with_the_standard_librarys_inclusive_quantiles(values: list[float]) -> None:
    cuts = quantiles(values, n=20, method="inclusive")
    assert percentile(values, 50) == pytest.approx(cuts[9])
    assert percentile(values, 95) == pytest.approx(cuts[18])


@given(st.lists(FINITE, min_size=1), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_percentile_is_never_smaller(values: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert percentile(values, low) <= percentile(values, high) * (1 + 1e-9) + 1e-9


def test_turns_that_ended_in_an_error_do_not_count_as_throughput() -> None:
    assert phase(turns=100, seconds=10).turns_per_s == pytest.approx(9.5)


def test_ratio_lines_divide_ours_by_the_baselines() -> None:
    found = {line.name: line for line in ratios(system("ours", memory=500, p95=50), system("baseline"))}
    assert found["memory MiB"].value == 0.5
    assert found["p95 ms, every text new"].value == 0.25
    assert found["turns/s, popular repeat"].value == 1
    assert found["topic top3"].value == 1
    assert set(found) >= {"training s", "restart to first answer s"}


def test_what_was_not_measured_on_both_sides_has_no_ratio_line() -> None:
    names = {line.name for line in ratios(system("ours", training_s=None), system("baseline"))}
    assert "training s" not in names
    assert "memory MiB" in names


@pytest.mark.parametrize(
    ("ours", "baseline", "better", "said"),
    [
        (2, 1, "higher", "better"),
        (2, 1, "lower", "worse"),
        (1, 2, "lower", "better"),
        (1, 2, "higher", "worse"),
        (1.01, 1, "higher", "equal"),
        (1, 0, "higher", "–"),
    ],
)
def test_verdict_knows_which_side_is_better(ours: float, baseline: float, better: str, said: str) -> None:
    assert verdict(Ratio(name="x", ours=ours, baseline=baseline, better=better)) == said


def test_tables_name_both_systems_and_every_ratio() -> None:
    systems = [system("ours"), system("baseline", training_s=900)]
    lines = ratios(*systems)
    shown = plain(160, tables(systems, lines, {"load": "8 citizens"}))
    for line in lines:
        assert line.name in shown
    assert "900" in shown
    assert "8 citizens" in shown
    assert "errors: silent 5" in shown


def test_a_run_without_baseline_is_shown_without_ratios() -> None:
    shown = plain(160, tables([system("ours", training_s=None)], [], {}))
    assert "ours / baseline" not in shown
    assert "–" in shown


def test_json_holds_the_derived_figures_too() -> None:
    systems = [system("ours"), system("baseline")]
    written = as_json(systems, ratios(*systems), {"machine": "2 cores"})
    assert written["systems"]["ours"]["phases"][0]["turns_per_s"] == 9.5
    assert written["ratios"][0]["value"] == 1.0
    assert written["facts"] == {"machine": "2 cores"}
