"""A made-up proposal that uses every piece of the document machinery."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from engagements.documents.charts.cash import CashCase, cash_lines
from engagements.documents.charts.drawing import Drawing, Point
from engagements.documents.charts.gantt import Day, Waiting, Work, gantt
from engagements.documents.charts.lines import CostLine, Crossing, Volume, cost_lines
from engagements.documents.charts.plane import AxisText
from engagements.documents.charts.ranges import Range, Spread, range_bars
from engagements.documents.charts.stacks import Stack, stacked_bars
from engagements.documents.charts.tornado import Swing, tornado
from engagements.documents.palette import Palette
from engagements.documents.style import Paper, Stage, root_rule
from engagements.rendering import Formats, environment
from estimator.money import Money, sum_of

FORMATS = Formats("en_GB")
SAMPLE = environment("en_GB").from_string(Path(__file__).with_name("sample.html").read_text("utf-8"))


def euros(value: float) -> str:
    return FORMATS.whole_money(Money(round(value * 100), "EUR"))


def whole(value: float) -> str:
    return FORMATS.number(value)


def cost_range(palette: Palette) -> Drawing:
    return range_bars(
        [
            Range(name="Good: billing questions", spread=Spread(p10=24_800, p50=29_900, p80=34_100, p90=37_600)),
            Range(name="Better: three ticket classes", spread=Spread(p10=38_200, p50=45_700, p80=52_400, p90=58_900)),
            Range(
                name="Best: all classes, four languages, quarterly retraining",
                spread=Spread(p10=61_000, p50=74_300, p80=88_200, p90=97_500),
            ),
            Range(name="Serving on your own cluster", spread=None),
        ],
        text=euros,
        palette=palette,
        title="Cost range by option",
    )


def effort(palette: Palette) -> Drawing:
    return stacked_bars(
        [
            Stack(name="1 Data preparation", parts=(2, 8, 4, 14, 2)),
            Stack(name="2 Baseline evaluation", parts=(1, 7, 2, 1, 0)),
            Stack(name="3 Training and experiments", parts=(1, 12, 3, 0, 0)),
            Stack(name="4 Evaluation", parts=(2, 6, 1, 4, 1)),
            Stack(name="5 Deployment", parts=(2, 2, 6, 0, 1)),
            Stack(name="6 Management, first quarter", parts=(1, 1, 1, 1, 0)),
        ],
        parts=["Lead", "ML engineer", "Software engineer", "Annotators", "Legal"],
        text=whole,
        palette=palette,
        title="Effort by phase in working days",
    )


def break_even(palette: Palette) -> Drawing:
    return cost_lines(
        [
            CostLine(name="Self-hosted, tuned 8B", points=(Point(0, 1_150), Point(600_000, 1_390))),
            CostLine(name="Provider, tuned, short prompt", points=(Point(0, 0), Point(600_000, 2_450))),
            CostLine(name="Provider, base model, long prompt", points=(Point(0, 0), Point(600_000, 3_980))),
        ],
        crossings=[Crossing(at=Point(310_345, 1_274), text="equal at 310,000 requests")],
        today=Volume(value=120_000, text="today: 120,000 a month"),
        volume=AxisText(title="Requests a month", number=whole),
        cost=AxisText(title="Cost a month", number=euros),
        palette=palette,
        title="Monthly cost of serving by volume",
    )


def timeline(palette: Palette) -> Drawing:
    return gantt(
        [
            Waiting(name="Archive access, data agreement", start=date(2026, 11, 30), end=date(2026, 12, 4)),
            Work(
                name="1 Data preparation",
                start=date(2026, 12, 1),
                end=date(2027, 1, 8),
                late_end=date(2027, 1, 15),
                gate="G1 data frozen",
            ),
            Waiting(name="Two experts label 300 tickets", start=date(2026, 12, 14), end=date(2027, 1, 8)),
            Work(
                name="2 Baseline evaluation",
                start=date(2027, 1, 11),
                end=date(2027, 1, 22),
                late_end=date(2027, 1, 29),
                gate="G2 go or stop",
            ),
            Work(
                name="3 Training and experiments",
                start=date(2027, 1, 25),
                end=date(2027, 2, 12),
                late_end=date(2027, 2, 23),
                gate="G3 candidate",
            ),
            Work(
                name="4 Evaluation",
                start=date(2027, 2, 15),
                end=date(2027, 2, 26),
                late_end=date(2027, 3, 9),
                gate="G4 proven gain",
            ),
            Waiting(name="Security review", start=date(2027, 2, 22), end=date(2027, 3, 2)),
            Work(
                name="5 Deployment",
                start=date(2027, 3, 1),
                end=date(2027, 3, 12),
                late_end=date(2027, 3, 24),
                gate="G5 live",
            ),
            Work(
                name="6 Management begins",
                start=date(2027, 3, 15),
                end=date(2027, 3, 19),
                late_end=date(2027, 3, 31),
                gate="G6 handed over",
            ),
        ],
        holidays=[date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2027, 3, 25), date(2027, 3, 26)],
        marks=[Day(on=date(2026, 11, 22), text="issued"), Day(on=date(2026, 12, 22), text="valid until 22 Dec")],
        month=FORMATS.month,
        day=FORMATS.short_date,
        palette=palette,
        title="Timeline of the six phases",
    )


def cash(palette: Palette) -> Drawing:
    def case(name: str, monthly: float, payback: float) -> CashCase:
        return CashCase(
            name=name,
            sums=tuple(-52_400 + monthly * month for month in range(25)),
            payback_months=payback,
            payback_text=f"paid back in month {payback:.0f}",
        )

    return cash_lines(
        low=case("Low case", 3_275, 16),
        expected=case("Expected", 5_822, 9),
        high=CashCase(name="High case", sums=tuple(-52_400 + 8_100 * month for month in range(25))),
        month=AxisText(title="Months after the start", number=whole, steps=(1, 3, 6, 12, 24)),
        money=AxisText(title="Cumulative saving less cost", number=euros),
        palette=palette,
        title="Cumulative cash over two years",
    )


def swings(palette: Palette) -> Drawing:
    return tornado(
        [
            Swing(name="Minutes to label one ticket", low=39_800, high=54_900, low_text="4 min", high_text="11 min"),
            Swing(name="Share of labels redone", low=42_100, high=51_700, low_text="5 %", high_text="25 %"),
            Swing(name="Languages", low=43_000, high=49_900, low_text="2", high_text="4"),
            Swing(name="Experiments until the gate", low=44_100, high=48_800, low_text="5", high_text="10"),
            Swing(name="Examples already usable", low=47_900, high=44_600, low_text="2,000", high_text="9,000"),
            Swing(name="GPU price per hour", low=45_500, high=46_000, low_text="€0.60", high_text="€1.20"),
        ],
        expected=45_700,
        text=euros,
        palette=palette,
        title="What moves the cost of the option Better",
    )


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    deliverable: str
    gate: str
    days: int


PHASES = (
    Phase("1 Data preparation", "Data set with card, sealed test set", "2,400 examples pass review; experts agree", 30),
    Phase("2 Baseline evaluation", "Baselines with intervals", "Three baselines measured; go or stop decided", 11),
    Phase("3 Training and experiments", "Model version, all runs", "One candidate beats the baseline", 16),
    Phase("4 Evaluation", "Results report", "The paired difference is above 3 points at its lower bound", 14),
    Phase("5 Deployment", "Endpoint, guardrails, rollback", "A day of canary traffic inside its limits", 11),
    Phase("6 Management", "Monitors, runbook, training plan", "Handed over and accepted", 4),
)


@dataclass(frozen=True, slots=True)
class OptionLine:
    name: str
    amounts: tuple[Money | None, ...]
    kind: str = ""


def option(name: str, *euros: int | None, kind: str = "") -> OptionLine:
    return OptionLine(name, tuple(None if each is None else Money(each * 100, "EUR") for each in euros), kind)


OPTIONS = (
    option("Data preparation", 9_800, 17_200, 26_100),
    option("Baseline evaluation", 5_200, 6_400, 9_100),
    option("Training and experiments", 6_100, 9_800, 14_900),
    option("Evaluation", 4_800, 8_600, 14_200),
    option("Deployment", 4_600, 7_200, 12_400),
    option("Compute, capped", 600, 1_200, 2_500),
    option("Total", 31_100, 50_400, 79_200, kind="total"),
    option("Optional: quarterly retraining, first year", 9_000, 9_000, None),
)
PRICES = (Money(3_110_000, "EUR"), Money(5_040_000, "EUR"), Money(7_920_000, "EUR"))


@dataclass(frozen=True, slots=True)
class HourLine:
    name: str
    role: str
    hours: int
    rate: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class HourGroup:
    name: str
    lines: tuple[HourLine, ...]
    amount: Money


RATES = {"Lead": 165, "ML engineer": 140, "Software engineer": 125, "Annotator": 62}


def hours_of(phase: str, hours: dict[str, int]) -> HourGroup:
    lines = tuple(
        HourLine(
            f"{phase}, work package {number}", role, worked, Money(RATES[role] * 100, "EUR"),
            Money(RATES[role] * worked * 100, "EUR"),
        )
        for number, (role, worked) in enumerate(hours.items(), start=1)
    )  # fmt: skip
    return HourGroup(phase, lines, sum_of((line.amount for line in lines), "EUR"))


SCHEDULE = tuple(
    hours_of(f"{name}, {part}", dict.fromkeys(RATES, 8 + 3 * index))
    for index, name in enumerate(("Data preparation", "Baseline", "Training", "Evaluation", "Deployment"))
    for part in ("first part", "second part")
)

SECTIONS = {
    "summary": "Summary",
    "situation": "Your situation",
    "approach": "Approach and timeline",
    "investment": "Investment",
    "return": "Return",
    "acceptance": "Acceptance",
}


def sample_html(
    *,
    palette: Palette = Palette(),  # noqa: B008  # frozen
    paper: Paper = Paper.A4,
    stage: Stage = Stage.FINAL,
    client: str = "Nordvind Energi AS",
) -> str:
    stamp = "2026-11-22T10:00:00Z"
    numbered = [{"id": id_, "title": title, "kind": ""} for id_, title in SECTIONS.items()]
    return SAMPLE.render(
        document={
            "title": f"Proposal for {client}",
            "author": "Fjord & Partners",
            "description": "P-2026-0007 v2",
            "created": stamp,
            "modified": stamp,
        },
        style=root_rule(palette, paper=paper, stage=stage),
        sections=[*numbered, {"id": "annex", "title": "Annex: price schedule", "kind": "unnumbered"}],
        client=client,
        issued=date(2026, 11, 22),
        first_issued=date(2026, 11, 2),
        valid_until=date(2026, 12, 22),
        done=date(2027, 3, 19),
        done_late=date(2027, 3, 31),
        problem=Money(18_200_000, "EUR"),
        prices=PRICES,
        vat=PRICES[1].times(Decimal("0.25")),
        gross=PRICES[1].times(Decimal("1.25")),
        phases=PHASES,
        options=OPTIONS,
        schedule=SCHEDULE,
        schedule_total=sum_of((group.amount for group in SCHEDULE), "EUR"),
        cost_range=cost_range(palette),
        effort=effort(palette),
        break_even=break_even(palette),
        timeline=timeline(palette),
        cash=cash(palette),
        swings=swings(palette),
    )
