import math
from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engagements.documents.charts.axis import across, round_ticks
from engagements.documents.charts.cash import CashCase, cash_lines
from engagements.documents.charts.drawing import WIDTH, Bar, Box, Dot, Drawing, Line, Path, Point
from engagements.documents.charts.gantt import Day, Stretch, Waiting, Work, gantt
from engagements.documents.charts.lettering import Weight, broken, plain, width_of
from engagements.documents.charts.lines import CostLine, Crossing, Volume, cost_lines
from engagements.documents.charts.plane import AxisText, apart, crosses
from engagements.documents.charts.ranges import Range, Spread, range_bars
from engagements.documents.charts.stacks import Stack, stacked_bars
from engagements.documents.charts.tornado import Swing, tornado
from engagements.documents.palette import WHITE, Palette, contrast, readable_on
from engagements.rendering import Formats
from estimator.money import Money

PALETTE = Palette()
FORMATS = Formats("en_US")
LONG = "Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung and what follows from it"
NAMES = st.text(st.characters(categories=["L", "Nd", "Zs", "P"]), max_size=80) | st.just(LONG) | st.just("W" * 60)
AMOUNTS = st.floats(0, 1e12, allow_subnormal=False)
# The first example of a process reads the fonts.
READABLE = settings(deadline=None, max_examples=60)
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def dollars(value: float) -> str:
    return FORMATS.whole_money(Money(round(value * 100), "USD"))


def whole(value: float) -> str:
    return FORMATS.number(value)


def assert_every_label_is_readable(drawing: Drawing) -> None:
    canvas = Box(left=-0.01, top=-0.01, right=drawing.width + 0.01, bottom=drawing.height + 0.01)
    boxes = [(label.text, label.box) for label in drawing.labels]
    outside = [text for text, box in boxes if not box.within(canvas)]
    assert not outside
    covered = [(one, other) for (one, box), (other, its) in combinations(boxes, 2) if box.grown(-0.01).overlaps(its)]
    assert not covered
    assert all(contrast(label.colour, WHITE) >= 4.5 or label.colour == WHITE for label in drawing.labels)


def assert_every_shape_is_on_the_canvas(drawing: Drawing) -> None:
    for shape in drawing.shapes:
        for point in corners(shape):
            assert math.isfinite(point.x)
            assert -1 <= point.x <= drawing.width + 1
            assert math.isfinite(point.y)
            assert -1 <= point.y <= drawing.height + 1


def corners(shape: Bar | Line | Path | Dot) -> list[Point]:
    match shape:
        case Bar():
            stretched = Point(shape.x + shape.width, shape.y + shape.height)
            return [Point(shape.x, shape.y), stretched, *(p for line in shape.hatching for p in corners(line))]
        case Line():
            return [Point(shape.x1, shape.y1), Point(shape.x2, shape.y2)]
        case Path():
            return list(shape.points)
        case Dot():
            return [Point(shape.x - shape.radius, shape.y), Point(shape.x + shape.radius, shape.y)]


def assert_sound(drawing: Drawing) -> None:
    assert drawing.width == WIDTH
    assert_every_label_is_readable(drawing)
    assert_every_shape_is_on_the_canvas(drawing)


@st.composite
def spreads(draw: st.DrawFn) -> Spread | None:
    low, even, likely, high = sorted(draw(st.lists(AMOUNTS, min_size=4, max_size=4)))
    return draw(st.sampled_from([Spread(p10=low, p50=even, p80=likely, p90=high), None]))


RANGES = st.lists(st.builds(Range, name=NAMES, spread=spreads()), min_size=1, max_size=8)


@READABLE
@given(RANGES)
def test_a_range_chart_stays_readable_whatever_its_names_and_amounts(ranges: list[Range]) -> None:
    assert_sound(range_bars(ranges, text=dollars, palette=PALETTE, title="Cost range"))


def test_a_range_is_drawn_from_p10_to_p90_with_marks_at_p50_and_p80() -> None:
    spread = Spread(p10=20_000, p50=40_000, p80=60_000, p90=80_000)
    drawing = range_bars([Range(name="Good", spread=spread)], text=dollars, palette=PALETTE, title="Cost")
    bar = next(shape for shape in drawing.shapes if isinstance(shape, Bar))
    dot = next(shape for shape in drawing.shapes if isinstance(shape, Dot))
    diamond = next(shape for shape in drawing.shapes if isinstance(shape, Path))
    assert dot.x == pytest.approx(bar.x + bar.width / 3)
    assert diamond.points[0].x == pytest.approx(bar.x + bar.width * 2 / 3)
    assert {"$40,000", "$60,000"} <= {label.text for label in drawing.labels}


def test_an_unknown_range_says_unknown_and_draws_no_bar() -> None:
    drawing = range_bars([Range(name="Own cluster", spread=None)], text=dollars, palette=PALETTE, title="Cost")
    assert [label.text for label in drawing.labels].count("unknown") == 2
    row = next(label for label in drawing.labels if label.text == "Own cluster")
    assert not [shape for shape in drawing.shapes if isinstance(shape, Bar) and abs(shape.y - row.y) < 12]
    assert "Own cluster: unknown." in drawing.title


@READABLE
@given(
    st.integers(1, 8).flatmap(
        lambda parts: st.tuples(
            st.lists(NAMES, min_size=parts, max_size=parts),
            st.lists(
                st.builds(Stack, name=NAMES, parts=st.tuples(*[st.floats(0, 1e6, allow_subnormal=False)] * parts)),
                min_size=1,
                max_size=8,
            ),
        )
    )
)
def test_a_stacked_chart_stays_readable_whatever_its_names_and_parts(case: tuple[list[str], list[Stack]]) -> None:
    parts, stacks = case
    assert_sound(stacked_bars(stacks, parts=parts, text=whole, palette=PALETTE, title="Effort"))


def test_the_parts_of_a_bar_join_up_to_its_sum() -> None:
    stacks = [Stack(name="Data", parts=(10.0, 20.0, 30.0)), Stack(name="Training", parts=(0.0, 60.0, 0.0))]
    drawing = stacked_bars(stacks, parts=["Lead", "Engineer", "Annotator"], text=whole, palette=PALETTE, title="Effort")
    first, second, third, whole_bar, *_ = [shape for shape in drawing.shapes if isinstance(shape, Bar)]
    assert second.x == pytest.approx(first.x + first.width + 0.6)
    assert third.width == pytest.approx(3 * first.width + 1.2)
    assert third.x + third.width == pytest.approx(whole_bar.x + whole_bar.width)
    assert [label.text for label in drawing.labels].count("60") == 4  # both sums, the whole bar and the axis


@st.composite
def cost_line_charts(draw: st.DrawFn) -> Drawing:
    far = draw(st.floats(1, 1e9))
    lines = draw(
        st.lists(
            st.builds(
                CostLine,
                name=NAMES,
                points=st.tuples(AMOUNTS, AMOUNTS).map(lambda costs: (Point(0, costs[0]), Point(far, costs[1]))),
            ),
            min_size=1,
            max_size=4,
        )
    )
    crossing = st.builds(Crossing, at=st.builds(Point, st.floats(0, far), AMOUNTS), text=NAMES)
    today = draw(st.none() | st.builds(Volume, value=st.floats(0, 2 * far), text=NAMES))
    return cost_lines(
        lines,
        crossings=draw(st.lists(crossing, max_size=3)),
        today=today,
        volume=AxisText(title="Requests a month", number=whole),
        cost=AxisText(title="Cost a month", number=dollars),
        palette=PALETTE,
        title="Break-even",
    )


@READABLE
@given(cost_line_charts())
def test_a_break_even_chart_stays_readable_whatever_it_shows(drawing: Drawing) -> None:
    assert_sound(drawing)


def test_the_crossing_is_marked_where_the_lines_meet_and_its_words_keep_clear_of_them() -> None:
    hosted = CostLine(name="Own", points=(Point(0, 1_000), Point(100, 1_000)))
    provider = CostLine(name="Provider", points=(Point(0, 0), Point(100, 2_000)))
    drawing = cost_lines(
        [hosted, provider],
        crossings=[Crossing(at=Point(50, 1_000), text="equal at 50")],
        today=Volume(value=25, text="today: 25"),
        volume=AxisText(title="Requests", number=whole),
        cost=AxisText(title="Cost", number=dollars),
        palette=PALETTE,
        title="Break-even",
    )
    dot = next(shape for shape in drawing.shapes if isinstance(shape, Dot))
    lines = [shape for shape in drawing.shapes if isinstance(shape, Path)]
    for line in lines:
        assert dot.x == pytest.approx((line.points[0].x + line.points[1].x) / 2)
        assert dot.y == pytest.approx((line.points[0].y + line.points[1].y) / 2)
    words = next(label for label in drawing.labels if label.text == "equal at 50")
    assert not any(crosses(line, words.box) for line in lines)
    assert "equal at 50. today: 25." in drawing.title


@st.composite
def timelines(draw: st.DrawFn) -> Drawing:
    def span() -> tuple[date, date, date]:
        first, second, third = sorted(draw(st.lists(DAYS, min_size=3, max_size=3)))
        return first, second, third

    rows: list[Work | Waiting] = []
    for _ in range(draw(st.integers(1, 9))):
        start, end, late_end = span()
        agreed = draw(st.sampled_from([None, Stretch(first=start, last=late_end)]))
        done = draw(st.sampled_from([None, Stretch(first=end, last=late_end)])) if agreed else None
        work = Work(
            name=draw(NAMES), start=start, end=end, late_end=late_end, gate=draw(NAMES), agreed=agreed, done=done
        )
        rows.append(draw(st.sampled_from([work, Waiting(name=draw(NAMES), start=start, end=end)])))
    return gantt(
        rows,
        holidays=draw(st.lists(DAYS, max_size=20)),
        marks=draw(st.lists(st.builds(Day, on=DAYS, text=NAMES), max_size=4)),
        month=FORMATS.month,
        day=FORMATS.short_date,
        palette=PALETTE,
        title="Timeline",
    )


@READABLE
@given(timelines())
def test_a_timeline_stays_readable_whatever_it_shows(drawing: Drawing) -> None:
    assert_sound(drawing)


def timeline_of(*rows: Work | Waiting, holidays: tuple[date, ...] = (), marks: tuple[Day, ...] = ()) -> Drawing:
    return gantt(
        rows, holidays=holidays, marks=marks, month=FORMATS.month, day=FORMATS.short_date, palette=PALETTE, title="Plan"
    )


def test_a_phase_lies_on_its_days() -> None:
    # Monday to Friday of the first of two weeks: from the left edge, five fourteenths of the width.
    drawing = timeline_of(
        Work(name="Data", start=date(2027, 1, 4), end=date(2027, 1, 8), late_end=date(2027, 1, 17), gate="G1")
    )
    tail, bar = [shape for shape in drawing.shapes if isinstance(shape, Bar)][:2]
    assert tail.x + tail.width - bar.x == pytest.approx(bar.width * 14 / 5)
    gate = next(shape for shape in drawing.shapes if isinstance(shape, Path))
    assert gate.points[0].x == pytest.approx(bar.x + bar.width)
    assert {"1", "2", "G1"} <= {label.text for label in drawing.labels}


def test_a_plan_shows_what_was_agreed_below_and_what_is_done_inside() -> None:
    # Planned a week later than agreed, and worked on for two of its five days.
    agreed, done = (
        Stretch(first=date(2027, 1, 4), last=date(2027, 1, 8)),
        Stretch(first=date(2027, 1, 11), last=date(2027, 1, 12)),
    )
    planned = Work(
        name="Data",
        start=date(2027, 1, 11),
        end=date(2027, 1, 15),
        late_end=date(2027, 1, 15),
        agreed=agreed,
        done=done,
    )
    drawing = timeline_of(planned, marks=(Day(on=date(2027, 1, 13), text="today"),))
    bar, inside, ghost = [shape for shape in drawing.shapes if isinstance(shape, Bar)][:3]
    assert bar.x - ghost.x == pytest.approx(bar.width * 7 / 5)
    assert ghost.y >= bar.y + bar.height
    assert (inside.x, inside.width) == (bar.x, pytest.approx(bar.width * 2 / 5))
    assert bar.y < inside.y < inside.y + inside.height < bar.y + bar.height
    assert {"planned", "agreed", "worked so far", "today"} <= {label.text for label in drawing.labels}
    assert "planned Jan 11, 2027 to Jan 15, 2027, worked on from Jan 11, 2027 to Jan 12, 2027, agreed" in drawing.title


def test_the_legend_of_a_timeline_names_only_what_is_in_it() -> None:
    plain_plan = timeline_of(Work(name="Data", start=date(2027, 1, 4), end=date(2027, 1, 8), late_end=date(2027, 1, 8)))
    texts = {label.text for label in plain_plan.labels}
    assert "even odds (P50)" in texts
    assert texts.isdisjoint({"gate", "needed from you", "public holiday", "4 times in 5 done by its end (P80)"})


@READABLE
@given(
    st.integers(2, 61).flatmap(
        lambda months: st.lists(
            st.lists(st.floats(-1e11, 1e11), min_size=months, max_size=months).map(tuple), min_size=3, max_size=3
        )
    ),
    NAMES,
)
def test_a_cash_chart_stays_readable_whatever_it_shows(sums: list[tuple[float, ...]], name: str) -> None:
    low, expected, high = (CashCase(name=name, sums=case) for case in sums)
    low = replace(low, payback_months=1.0, payback_text=name)
    drawing = cash_lines(
        low=low,
        expected=expected,
        high=high,
        month=AxisText(title="Months", number=whole, steps=(1, 3, 6, 12, 24)),
        money=AxisText(title="Cash", number=dollars),
        palette=PALETTE,
        title="Return",
    )
    assert_sound(drawing)


def test_months_are_counted_in_quarters_and_years() -> None:
    assert round_ticks(0, 24, 6, (1, 3, 6, 12, 24)) == [0, 6, 12, 18, 24]


@READABLE
@given(
    st.lists(st.builds(Swing, name=NAMES, low=AMOUNTS, high=AMOUNTS, low_text=NAMES, high_text=NAMES), max_size=8),
    AMOUNTS,
)
def test_a_tornado_stays_readable_whatever_it_shows(swings: list[Swing], expected: float) -> None:
    assert_sound(tornado(swings, expected=expected, text=dollars, palette=PALETTE, title="What moves it"))


def test_a_value_that_lowers_the_result_stands_at_the_left() -> None:
    swing = Swing(name="Examples", low=60, high=40, low_text="few", high_text="many")
    drawing = tornado([swing], expected=50, text=whole, palette=PALETTE, title="Cost")
    few, many = (next(label for label in drawing.labels if label.text == text) for text in ("few", "many"))
    assert many.box.right < few.box.left


@READABLE
@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.integers(2, 8))
@example(0.0, 0.0, 2)
@example(5.0, 5.0, 2)
@example(-0.3, 0.1, 6)
@example(-1e12, -999_999_999_999.9999, 2)
def test_ticks_are_even_round_and_hold_the_range(one: float, other: float, most: int) -> None:
    low, high = sorted((one, other))
    ticks = round_ticks(low, high, most)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * step
    assert ticks[-1] >= high - 1e-6 * step
    assert 2 <= len(ticks) <= most + 1
    assert all(later > earlier for earlier, later in pairwise(ticks))


@READABLE
@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.floats(5, 400))
def test_numbers_on_an_axis_never_meet(values: list[float], room: float) -> None:
    axis = across(values, 40, 40 + room, dollars)
    said = [tick for tick in axis.ticks if tick.text]
    for earlier, later in pairwise(said):
        assert later.at - earlier.at >= (width_of(earlier.text, 7) + width_of(later.text, 7)) / 2
    assert len({tick.text for tick in said}) == len(said)


@READABLE
@given(st.lists(st.tuples(st.floats(0, 170), st.floats(5, 42)), min_size=1, max_size=4))
def test_blocks_moved_apart_neither_meet_nor_leave_the_plot(blocks: list[tuple[float, float]]) -> None:
    middles, heights = [middle for middle, _ in blocks], [height for _, height in blocks]
    placed = apart(middles, heights, 0, 170)
    spans = sorted((middle - height / 2, middle + height / 2) for middle, height in zip(placed, heights, strict=True))
    assert spans[0][0] >= -1e-9
    assert spans[-1][1] <= 170 + 1e-9
    assert all(below - above >= -1e-9 for (_, above), (below, _) in pairwise(spans))


@READABLE
@given(st.text(max_size=120), st.floats(20, 200), st.integers(1, 3))
def test_broken_text_fits_and_loses_nothing_silently(text: str, width: float, lines: int) -> None:
    rows = broken(text, 8, width, lines=lines)
    assert len(rows) <= lines
    assert all(width_of(row, 8) <= width for row in rows)
    assert " ".join(rows) == plain(text) or any(row.endswith("…") for row in rows)


def test_widths_are_those_of_the_font() -> None:
    # Source Sans Pro: digits 497/1000 em in Regular and 513/1000 in Semibold, as its hmtx table has them.
    assert width_of("2027", 10) == pytest.approx(4 * 4.97)
    assert width_of("2027", 10, Weight.SEMIBOLD) == pytest.approx(4 * 5.13)
    assert width_of("語", 10) == pytest.approx(11)


ACCENTS = st.from_regex("#[0-9a-f]{6}", fullmatch=True)


@READABLE
@given(ACCENTS)
@example("#ffffff")
@example("#ffff00")
@example("#000000")
@example("#ff0000")
def test_text_in_any_accent_can_be_read(accent: str) -> None:
    palette = Palette(accent=accent)
    for ground in (WHITE, palette.tint):
        assert contrast(palette.strong, ground) >= 4.5
        assert contrast(palette.ink, ground) >= 4.5
        assert contrast(palette.muted, ground) >= 4.5


@READABLE
@given(ACCENTS)
def test_the_shades_of_any_accent_can_be_told_apart_in_greyscale(accent: str) -> None:
    palette = Palette(accent=accent)
    assert all(contrast(dark, light) >= 1.4 for dark, light in pairwise(palette.series))
    assert all(contrast(readable_on(shade), shade) >= 4.5 for shade in palette.series)
    assert contrast(palette.series[-1], WHITE) >= 1.35


@pytest.mark.parametrize("accent", ["red", "#0F5C63", "#0f5c6", "#0f5c63;}", "url(x)", "#0f5c63\n"])
def test_what_is_not_a_colour_never_reaches_the_style_sheet(accent: str) -> None:
    with pytest.raises(ValueError, match="six lower-case hexadecimal digits"):
        Palette(accent=accent)


def test_ink_too_light_to_read_is_refused() -> None:
    with pytest.raises(ValueError, match="too light to be read"):
        Palette(muted="#b0b8bf")
