"""Where a change moves days and payments, by hand."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from engagements.changes.dates import moved_phases
from engagements.changes.payments import money_of, payments_after
from estimator.calendar import WorkCalendar
from estimator.money import Money, sum_of

GERMANY = WorkCalendar(country="DE")
TODAY = date(2027, 1, 4)
PLAN = [
    {"number": 1, "begin": "2027-01-11", "work_end": "2027-01-20", "gate_date": "2027-01-22",
     "gate_late": "2027-01-26", "working_days": 10},
    {"number": 2, "begin": "2027-01-25", "work_end": "2027-01-27", "gate_date": "2027-01-29",
     "gate_late": "2027-02-02", "working_days": 5},
    {"number": 6, "begin": None, "work_end": None, "gate_date": None, "gate_late": None, "working_days": None},
]  # fmt: skip


def gates(added: dict[int, int], *, ended: frozenset[int] = frozenset(), today: date = TODAY) -> list[str | None]:
    moved = moved_phases(PLAN, added, ended=ended, today=today, calendar=GERMANY)
    return [each["gate_date"] for each in moved.phases]


def test_three_days_more_in_the_first_phase_move_both_gates_and_leave_management_without_an_end():
    moved = moved_phases(PLAN, {1: 3}, ended=frozenset(), today=TODAY, calendar=GERMANY)
    assert gates({1: 3}) == ["2027-01-27", "2027-02-03", None]
    assert (moved.days, moved.phases[0]["begin"], moved.phases[1]["begin"]) == (3, "2027-01-11", "2027-01-28")


def test_a_phase_that_is_done_keeps_its_days_and_what_it_would_take_more_falls_to_the_next():
    assert gates({1: 3}, ended=frozenset({1})) == ["2027-01-22", "2027-02-03", None]


def test_a_gate_to_come_is_not_moved_before_today():
    assert gates({1: -9}, today=date(2027, 1, 20))[0] == "2027-01-20"


@given(st.integers(-12, 30), st.integers(-12, 30))
def test_the_order_of_the_days_is_kept_and_nothing_moves_where_nothing_is_added(first, second):
    moved = moved_phases(PLAN, {1: first, 2: second}, ended=frozenset(), today=TODAY, calendar=GERMANY).phases[:2]
    for each in moved:
        assert each["begin"] <= each["work_end"] <= each["gate_date"] <= each["gate_late"]
    assert moved[0]["gate_date"] < moved[1]["begin"]
    assert gates({1: 0, 2: 0}) == [each["gate_date"] for each in PLAN]


def euros(minor: int) -> dict[str, str]:
    return {"amount": f"{Money(minor, 'EUR').amount:f}", "currency": "EUR"}


def payment(minor: int, *, gate: int | None = None, month: int | None = None) -> dict[str, object]:
    return {"name": "P", "gate": gate, "month": month, "net": euros(minor), "gross": euros(minor), "expected": None}


AGREED = [payment(100_00, gate=0), payment(200_00, gate=5), *(payment(10_00, month=month) for month in (1, 2, 3))]


def after(delta: int, months: int, *, reached: frozenset[str] = frozenset()) -> list[dict[str, object]]:
    quote = [AGREED[0], *(payment(11_00, month=month) for month in range(1, months + 1))]
    change = {"code": "K1", **payment(delta, gate=5)}
    return payments_after(AGREED, before=AGREED, after=quote, reached=reached, change=change)


def total(payments: list[dict[str, object]]) -> int:
    return sum_of((money_of(each["net"]) for each in payments), "EUR").minor


def test_a_month_less_is_dropped_and_the_rest_of_the_delta_is_one_payment():
    found = after(-12_00, 2)
    assert [each["code"] for each in found] == ["P1", "P2", "P3", "P4", "K1"]
    assert money_of(found[-1]["net"]) == Money(-2_00, "EUR")


def test_a_month_that_was_paid_stays():
    assert [each["code"] for each in after(-12_00, 2, reached=frozenset({"P5"}))][4] == "P5"


def test_a_change_that_is_all_months_needs_no_payment_of_its_own():
    assert [each["code"] for each in after(11_00, 4)] == ["P1", "P2", "P3", "P4", "P5", "K1M4"]


@given(st.integers(-100_000, 100_000), st.integers(0, 8), st.frozensets(st.sampled_from(["P1", "P4", "P5"])))
def test_payments_grow_by_the_delta_to_the_cent(delta, months, reached):
    assert total(after(delta, months, reached=reached)) == total(AGREED) + delta
