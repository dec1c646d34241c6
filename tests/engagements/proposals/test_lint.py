"""Every hole a proposal may not be sent with, made one at a time in a sound one."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engagements.proposals import lint as rules
from engagements.proposals.lint import lint
from engagements.proposals.view import ProposalView, Stage
from estimator.money import Money

ViewOf = Callable[..., ProposalView]
NOTHING = Money(0, "EUR")


def changed(value: object, path: str, new: object) -> object:
    """A frozen structure with one place changed: `phases.0.gate`; `new` may be a function of what stands there."""
    head, _, rest = path.partition(".")
    inside = value[int(head)] if isinstance(value, tuple) else getattr(value, head)
    made = changed(inside, rest, new) if rest else new(inside) if callable(new) else new
    if isinstance(value, tuple):
        return (*value[: int(head)], made, *value[int(head) + 1 :])
    return replace(value, **{head: made})  # type: ignore[type-var]


def with_hole(view: ProposalView, **places: object) -> ProposalView:
    """Places are paths with two underscores for a dot."""
    for path, new in places.items():
        made = changed(view, path.replace("__", "."), new)
        assert isinstance(made, ProposalView)
        view = made
    return view


def codes(view: ProposalView) -> set[str]:
    return {problem.code for problem in lint(view)}


def a_cent_more(money: Money) -> Money:
    return Money(money.minor + 1, money.currency)


HOLES: dict[str, list[dict[str, object]]] = {
    "date.order": [
        {"control__valid_until": date(2026, 11, 22), "headline__decision_by": date(2026, 11, 22)},
        {"headline__decision_by": date(2027, 3, 1)},
    ],
    "number.missing": [{"control__number": "Draft"}, {"control__stage": Stage.DRAFT}],
    "date.in_past": [{"phases__0__begin": date(2026, 11, 21)}, {"headline__decision_by": date(2026, 11, 21)}],
    "headline.missing": [{"headline__cost_of_waiting": None}, {"headline__baseline": None}],
    "headline.no_gain": [{"headline__cost_of_waiting": NOTHING}, {"headline__cost_of_waiting": Money(-1, "EUR")}],
    "situation.missing": [
        {"situation__affected": None}, {"situation__magnitude": None}, {"situation__why_now": None},
        {"situation__tried_before": ()},
    ],
    "criterion.incomplete": [
        {"criteria__0__dataset": "acceptance-test"}, {"criteria__1__operator": ""}, {"criteria__2__rule": ""},
    ],
    "criterion.tier": [{"criteria__0__tier": "nice"}],
    "criterion.items": [{"criteria__0__items": 0}, {"criteria__1__items": 541}],
    "stop.missing": [{"fit__stop_at": 0}, {"fit__stop_at": 2}],
    "stop.unpriced": [{"fit__stop_price": NOTHING}],
    "phase.no_deliverable": [{"deliverables": lambda all_: tuple(each for each in all_ if each.phase != 3)}],
    "phase.no_gate": [{"phases__2__gate": ""}, {"phases__3__criteria": ()}],
    "phase.overlap": [{"phases__1__begin": lambda begin: begin - timedelta(days=1)}],
    "deliverable.orphan": [{"deliverables__0__phase": 7}],
    "deliverable.incomplete": [
        {"deliverables__0__acceptance": ""}, {"deliverables__1__reviewer": ""}, {"deliverables__2__due": None},
    ],
    "raci.accountable": [
        {"raci__0__values": ("C",) * 6}, {"raci__0__values": ("A", "A", "C", "C", "C", "C")}, {"raci_roles": ("One",)},
    ],
    "money.total_mismatch": [
        {"price__nets__1": a_cent_more}, {"price__grosses__0": a_cent_more}, {"headline__investment": a_cent_more},
        {"price__taxes__0__amounts__2": a_cent_more}, {"price__lines__0__amounts__1": a_cent_more},
        {"instalments__0__net": a_cent_more}, {"instalments__5__gross": a_cent_more},
    ],
    "money.mixed_currency": [{"compute__cap": Money(4_000, "USD")}],
    "instalment.share": [{"instalments__0__share": Decimal("0.5")}],
    "instalment.trigger": [{"instalments__0__trigger": ""}],
    "compute.no_prices": [{"compute__unit_prices": ()}],
    "compute.undated": [
        {"compute__unit_prices__0__price": None}, {"compute__unit_prices__0__as_of": ""},
        {"compute__unit_prices__0__source": ""},
    ],
    "cap.missing": [{"compute__cap": NOTHING}],
    "licence.missing": [{"compute__licence": ""}],
    "assumption.incomplete": [
        {"assumptions__0__threshold": ""}, {"assumptions__0__if_false": ""}, {"assumptions__0__owner": ""},
    ],
    "exclusion.missing": [{"exclusions": lambda all_: all_[1:]}],
    "rounds.missing": [{"price__included_rounds": 0}],
    "risk.incomplete": [{"risks__0__owner": ""}, {"risks__0__mitigation": ""}],
    "asset.owner": [{"assets__0__owner": ""}],
    "regulatory.class": [{"privacy__risk_class": ""}],
    "roi.low_case": [{"value__cases__0__npv": None}, {"value__cases": ()}],
    "roi.negative_hidden": [{"value__cases__0__npv": Money(-1, "EUR")}],
    "terms.missing": [{"terms__sections": ()}, {"terms__sha256": "0" * 63}],
    "warranty.missing": [{"terms__warranty_days": 0}],
    "acceptance.authority": [{"terms__authority": ""}, {"terms__consent": ""}],
    "text.placeholder": [
        {"title": "TODO"}, {"client__contact": "tbd"}, {"situation__problem": "Drafts are <insert number> too many"},
        {"situation__problem": "[fill in]"}, {"risks__0__what": "What about ???"}, {"agency__address": "Lorem ipsum"},
        {"client__registration": "TBC"}, {"assumptions__0__statement": "XXX examples"},
    ],
    "text.internal": [
        {"price__optional__0__why": "Sold with a margin of 40 %"}, {"assumptions__0__if_false": "our mean cost rises"},
        {"compute__route": "Together, markup of 20 %"}, {"flags": ("our cost, P80",)},
    ],
    "text.long_word": [{"situation__problem": "see " + "x" * 201}],
    "text.no_glyph": [{"client__name": "客户"}, {"situation__problem": "Support 🚀"}, {"agency__name": "مرحبا"}],
}  # fmt: skip

BILLED_BY_THE_HOUR: dict[str, list[dict[str, object]]] = {
    "cap.missing": [{"price__caps": (None, None, None)}],
    "rates.missing": [{"price__rates": ()}],
}


def cases(holes: dict[str, list[dict[str, object]]]) -> list[object]:
    return [
        pytest.param(code, hole, id=f"{code}-{number}")
        for code, made in holes.items()
        for number, hole in enumerate(made, start=1)
    ]


def test_the_example_has_no_hole(example: ProposalView) -> None:
    assert lint(example) == []


@pytest.mark.parametrize(("code", "hole"), cases(HOLES))
def test_a_proposal_with_one_hole_is_refused_with_its_code(
    code: str, hole: dict[str, object], example: ProposalView
) -> None:
    problems = lint(with_hole(example, **hole))
    assert {problem.code for problem in problems} == {code}
    assert all(problem.where and problem.message and problem.remedy for problem in problems)


@pytest.mark.parametrize(("code", "hole"), cases(BILLED_BY_THE_HOUR))
def test_time_and_materials_need_a_cap_and_rates(code: str, hole: dict[str, object], view_of: ViewOf) -> None:
    view = view_of({"commercial.pricing": "time_and_materials"})
    assert lint(view) == []
    assert codes(with_hole(view, **hole)) == {code}


def test_a_discount_needs_its_reason(view_of: ViewOf) -> None:
    view = view_of({"commercial.discount_percent": 5, "commercial.discount_reason": "First engagement"})
    assert lint(view) == []
    assert codes(with_hole(view, price__discount_reason="")) == {"discount.reason_missing"}


def test_every_rule_has_a_hole_here() -> None:
    written = set(re.findall(r'_hole\(\s*"([a-z_.]+)"', Path(str(rules.__file__)).read_text("utf-8")))
    assert written == {*HOLES, *BILLED_BY_THE_HOUR, "discount.reason_missing"}


def test_all_holes_are_named_at_once_each_with_its_place(example: ProposalView) -> None:
    view = with_hole(example, phases__2__gate="", risks__0__owner="", compute__licence="")
    assert [(problem.code, problem.where) for problem in lint(view)] == [
        ("phase.no_gate", "phases.3"),
        ("licence.missing", "compute.licence"),
        ("risk.incomplete", "risks"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Todo el equipo de soporte",
        "TBC Bank",
        "Names are replaced by a placeholder",
        "The HTML markup of a ticket is kept",
        "Only where score < 5 and cost > 3",
        "Kunden in [Namibia]",
        "Łódź, Ελλάς, Энергия, naïve – 50 % ≥ ½ → “fine”",
        "a\N{ZERO WIDTH SPACE}b\N{SOFT HYPHEN}c\nd",
    ],
)
def test_what_only_looks_like_a_hole_passes(text: str, example: ProposalView) -> None:
    assert lint(with_hole(example, client__contact=text, risks__0__what=text, assumptions__0__statement=text)) == []


def test_a_letter_that_cannot_be_printed_is_named_with_its_place(example: ProposalView) -> None:
    (problem,) = lint(with_hole(example, client__name="Büro 客户支持团队"))
    assert (problem.where, problem.message) == (
        "client.name",
        "the fonts of the proposal lack 客 (U+5BA2), 户 (U+6237), 支 (U+652F), 持 (U+6301), 团 (U+56E2) ...",
    )


def test_agency_terms_may_speak_of_a_margin(example: ProposalView) -> None:
    section = replace(example.terms.sections[0], paragraphs=("Third parties are billed with a margin of 5 %.",))
    assert lint(with_hole(example, terms__sections=(section,))) == []


def test_no_view_is_too_odd_to_be_read(example: ProposalView) -> None:
    """Every text of the view is looked at, wherever it stands."""
    texts = [field.name for field in fields(example.client)]
    for name in texts:
        assert codes(with_hole(example, **{f"client__{name}": "TODO"})) == {"text.placeholder"}
