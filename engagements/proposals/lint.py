"""Refuses a proposal with a hole in it. One rule a function; each says what is missing, where, and how to mend it.

The rules are those of the agency reference, sections 3 and 4 of it: every section has what a client needs to decide,
every total recomputes, nothing internal shows, nothing is promised that will not exist.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from engagements.proposals.letters import WORD_MAX, longest_word, missing_letters
from engagements.proposals.view import ProposalView, Stage
from estimator.errors import Problem
from estimator.money import Money, sum_of

# Capitals alone: "todo" is Spanish, TBC Bank a bank, and names are masked "with a placeholder".
_PLACEHOLDER: Final = re.compile(
    r"\b(?:TODO|TBD|FIXME|XXX+)\b|\bTBC\b(?! [A-Z])|(?i:\blorem ipsum\b)|\?\?\?|<[A-Za-z][A-Za-z_ ]*>"
    r"|(?i:\[(?:insert|fill in|name|placeholder)\b[^\]]*\])|^(?i:todo|tbd|tbc|placeholder)\W*$",
)
_INTERNAL: Final = re.compile(
    r"\bour mean cost|\bour cost, P\d|\b(?:our|a) (?:margin|mark-?up)\b|\b(?:margin|mark-?up) of \d", re.IGNORECASE
)
_TIERS: Final = {"must", "should", "stretch"}
_LETTERS_NAMED: Final = 5


def lint(view: ProposalView) -> list[Problem]:
    """Everything that stands against sending this proposal."""
    return [problem for rule in _RULES for problem in rule(view)]


def _cover(view: ProposalView) -> Iterator[Problem]:
    control = view.control
    if control.valid_until <= control.issued:
        message = f"valid until {control.valid_until}, issued {control.issued}"
        yield _hole("date.order", "control.valid_until", message, "choose a route that lives longer")
    if (control.stage is Stage.FINAL) != (control.number != "Draft"):
        yield _hole("number.missing", "control.number", "a final proposal carries a number", "pass a number")


def _dates(view: ProposalView) -> Iterator[Problem]:
    issued, begin, decision = view.control.issued, view.phases[0].begin, view.headline.decision_by
    if begin is not None and begin < issued:
        message = f"work begins on {begin}, the proposal is issued on {issued}"
        yield _hole("date.in_past", "project.start", message, "move project.start")
    if decision < issued:
        message = f"the decision is due on {decision}, the proposal is issued on {issued}"
        yield _hole("date.in_past", "project.decision_by", message, "move project.decision_by")
    elif decision > view.control.valid_until:
        message = f"the decision is due on {decision}, the offer ends on {view.control.valid_until}"
        yield _hole("date.order", "project.decision_by", message, "decide earlier, or raise commercial.valid_days")


def _three_numbers(view: ProposalView) -> Iterator[Problem]:
    headline = view.headline
    if headline.cost_of_waiting is None:
        remedy = "give value.minutes_saved with value.labour_cost_per_hour, or value.cost_per_error; 0 where it is none"
        yield _hole("headline.missing", "value", "what waiting costs the client is unknown", remedy)
    elif headline.cost_of_waiting.minor <= 0:
        message = f"in the expected case the client saves {headline.cost_of_waiting} a month: waiting costs nothing"
        yield _hole("headline.no_gain", "value", message, "choose a route that costs less to serve, or do not propose")
    if headline.baseline is None:
        remedy = "give task.baseline_percent, measured or estimated"
        yield _hole("headline.missing", "task.baseline_percent", "where the client stands today is unknown", remedy)


def _situation(view: ProposalView) -> Iterator[Problem]:
    said = view.situation
    for field, value in (("affected", said.affected), ("magnitude", said.magnitude), ("why_now", said.why_now)):
        if not value:
            yield _hole("situation.missing", f"project.{field}", "the client's situation is not told", "write it")
    if not said.tried_before:
        message, remedy = "what was tried before is not told", "name it, or say that nothing was"
        yield _hole("situation.missing", "project.tried_before", message, remedy)


def _criteria(view: ProposalView) -> Iterator[Problem]:
    test_items = view.headline.test_items
    for criterion in view.criteria:
        where = f"criteria.{criterion.id}"
        if not (criterion.dataset and "@" in criterion.dataset and criterion.operator and criterion.rule):
            message = "a criterion names dataset@version, operator and rule"
            yield _hole("criterion.incomplete", where, message, "add them")
        if criterion.tier not in _TIERS:
            yield _hole("criterion.tier", where, f"{criterion.tier!r} is no tier", "use must, should or stretch")
        if not 1 <= criterion.items <= test_items:
            message = f"{criterion.items} items are promised, the test set holds {test_items}"
            yield _hole("criterion.items", where, message, "promise fewer, or hold out more (data.test_percent)")


def _stop(view: ProposalView) -> Iterator[Problem]:
    if not 0 < view.fit.stop_at <= 1:
        yield _hole("stop.missing", "task.stop_at_percent", "no stop condition", "say when phase 2 is the end")
    if view.fit.stop_price.minor <= 0:
        yield _hole("stop.unpriced", "fit.stop_price", "what stopping costs is not priced", "price phases 1 and 2")


def _phases(view: ProposalView) -> Iterator[Problem]:
    for phase in view.phases:
        where = f"phases.{phase.number}"
        if not any(each.phase == phase.number for each in view.deliverables):
            yield _hole("phase.no_deliverable", where, f"{phase.name} delivers nothing", "add a deliverable")
        if not phase.gate or not phase.criteria:
            yield _hole("phase.no_gate", where, f"{phase.name} ends without a gate", "add a gate with its criteria")
    for before, after in pairwise(phase for phase in view.phases if phase.begin):
        if before.gate_date and after.begin and after.begin <= before.gate_date:
            message = f"{after.name} begins on {after.begin}, before gate {before.number} on {before.gate_date}"
            yield _hole("phase.overlap", f"phases.{after.number}", message, "a phase begins after the gate before it")


def _deliverables(view: ProposalView) -> Iterator[Problem]:
    numbers = {phase.number for phase in view.phases}
    for each in view.deliverables:
        if each.phase not in numbers:
            message = f"{each.id} belongs to no phase of this proposal"
            yield _hole("deliverable.orphan", f"deliverables.{each.id}", message, "drop it, or add its phase")
        if not (each.acceptance and each.reviewer and (each.due or each.due_text)):
            message = f"{each.id} lacks acceptance, reviewer or date"
            yield _hole("deliverable.incomplete", f"deliverables.{each.id}", message, "complete it")


def _responsibilities(view: ProposalView) -> Iterator[Problem]:
    for row in view.raci:
        accountable = sum(value == "A" for value in row.values)
        if accountable != 1 or len(row.values) != len(view.raci_roles):
            message = f"{row.activity!r} has {accountable} accountable roles"
            yield _hole("raci.accountable", "raci", message, "exactly one role is accountable")


def _price(view: ProposalView) -> Iterator[Problem]:
    price = view.price
    for index, option in enumerate(price.options):
        lines = [line.amounts[index] for line in price.lines]
        summed = sum_of((amount for amount in lines if amount is not None), price.currency)
        net = summed - price.discounts[index]
        gross = sum_of((net, *(tax.amounts[index] for tax in price.taxes)), price.currency)
        if net != price.nets[index] or gross != price.grosses[index]:
            message = f"the lines of {option.name} sum to {net}, {price.nets[index]} is printed"
            yield _hole("money.total_mismatch", f"price.{option.id}", message, "compute the quote again")
    if view.headline.investment != price.nets[price.recommended]:
        message = f"the summary says {view.headline.investment}, the option costs {price.nets[price.recommended]}"
        yield _hole("money.total_mismatch", "headline.investment", message, "compute the quote again")
    if any(discount.minor for discount in price.discounts) and not price.discount_reason:
        yield _hole("discount.reason_missing", "price", "a discount without a reason", "add commercial.discount_reason")
    currencies = {amount.currency for amount in _all(view, Money)}
    if len(currencies) > 1:
        message = f"money of {', '.join(sorted(currencies))} in one proposal"
        yield _hole("money.mixed_currency", "price", message, "convert to one currency")
    if price.model == "time_and_materials" and any(cap is None for cap in price.caps):
        yield _hole("cap.missing", "price.caps", "time and materials without a cap", "set the cap")
    if price.model == "time_and_materials" and not price.rates:
        yield _hole("rates.missing", "price.rates", "time and materials without a rate by role", "give the rates")


def _payments(view: ProposalView) -> Iterator[Problem]:
    option = view.price.recommended
    for name, parts, whole in (
        ("net", [payment.net for payment in view.instalments], view.price.nets[option]),
        ("gross", [payment.gross for payment in view.instalments], view.price.grosses[option]),
    ):
        if sum_of(parts, view.price.currency) != whole:
            message = f"the {name} instalments do not sum to {whole}"
            yield _hole("money.total_mismatch", "instalments", message, "compute the schedule again")
    if sum(payment.share for payment in view.instalments) != 1:
        yield _hole("instalment.share", "instalments", "the shares of the payments do not sum to 100 %", "compute them")
    if any(not payment.trigger for payment in view.instalments):
        yield _hole("instalment.trigger", "instalments", "a payment that nothing makes due", "name its gate")


def _compute(view: ProposalView) -> Iterator[Problem]:
    compute = view.compute
    if not compute.unit_prices:
        yield _hole("compute.no_prices", "compute", "no dated unit price", "choose a route with known prices")
    for unit_price in compute.unit_prices:
        if unit_price.price is None or not unit_price.as_of or not unit_price.source:
            message = f"{unit_price.name} has no price, date or source"
            yield _hole("compute.undated", "compute", message, "add it to a price file")
    if compute.cap.minor <= 0:
        yield _hole("cap.missing", "compute.cap", "third-party cost without a cap", "set the cap")
    if not compute.licence:
        message = f"the licence of {compute.route} is unknown"
        yield _hole("licence.missing", "compute.licence", message, "name the licence of the base model")


def _commitments(view: ProposalView) -> Iterator[Problem]:
    for assumption in view.assumptions:
        if not (assumption.threshold and assumption.if_false and assumption.owner):
            message = f"{assumption.id} has no threshold, owner or consequence"
            yield _hole("assumption.incomplete", f"assumptions.{assumption.id}", message, "say: if this is false, then")
    scopes = {exclusion.scope for exclusion in view.exclusions}
    for phase in view.phases:
        if phase.name not in scopes:
            yield _hole("exclusion.missing", f"phases.{phase.number}", f"{phase.name} excludes nothing", "name a limit")
    if view.price.included_rounds < 1:
        yield _hole("rounds.missing", "price.included_rounds", "how many rounds are included is open", "set a number")


def _owners(view: ProposalView) -> Iterator[Problem]:
    for risk in view.risks:
        if not (risk.owner and risk.mitigation):
            yield _hole("risk.incomplete", "risks", f"{risk.what!r} has no owner or mitigation", "add them")
    for asset in view.assets:
        if not asset.owner:
            yield _hole("asset.owner", "assets", f"{asset.name} has no owner", "say whose it is")
    if not view.privacy.risk_class:
        yield _hole("regulatory.class", "privacy", "no risk class is recorded", "record it")


def _value(view: ProposalView) -> Iterator[Problem]:
    low = next((case for case in view.value.cases if case.name == "Low"), None)
    if low is None or low.npv is None:
        yield _hole("roi.low_case", "value", "the low case is not computed", "give value.minutes_saved and its cost")
    elif low.npv.minor < 0 and not any("low case" in flag for flag in view.flags):
        yield _hole("roi.negative_hidden", "value", "the low case loses and nothing says so", "say it")


def _terms(view: ProposalView) -> Iterator[Problem]:
    terms = view.terms
    if not terms.sections or not re.fullmatch(r"[0-9a-f]{64}", terms.sha256):
        yield _hole("terms.missing", "agency.terms", "the terms are empty", "name a text file with headings")
    if terms.warranty_days < 1:
        yield _hole("warranty.missing", "commercial.warranty_days", "no warranty period", "set the days")
    if not (terms.authority and terms.consent):
        yield _hole("acceptance.authority", "terms", "no statement of authority and consent", "add it")


def _words(view: ProposalView) -> Iterator[Problem]:
    """No placeholder is left, every letter can be printed, and nothing of our cost is named outside the terms."""
    for path, text in _texts(view, ""):
        if found := _PLACEHOLDER.search(text):
            yield _hole("text.placeholder", path, f"{found[0]!r} is a placeholder", "write what is meant")
        if not path.startswith(("terms", "situation")) and (found := _INTERNAL.search(text)):
            yield _hole("text.internal", path, f"{found[0]!r} is not the client's to read", "reword it")
        if (letters := longest_word(text)) > WORD_MAX:
            message = f"a word of {letters:,} letters fits no column"
            yield _hole("text.long_word", path, message, f"stay within {WORD_MAX} letters without a space")
        if missing := missing_letters(text):
            named = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in missing[:_LETTERS_NAMED])
            message = f"the fonts of the proposal lack {named}{' ...' if len(missing) > _LETTERS_NAMED else ''}"
            yield _hole("text.no_glyph", path, message, "write it in Latin, Greek or Cyrillic letters")


_RULES: Final[tuple[Callable[[ProposalView], Iterator[Problem]], ...]] = (
    _cover, _dates, _three_numbers, _situation, _criteria, _stop, _phases, _deliverables, _responsibilities, _price,
    _payments, _compute, _commitments, _owners, _value, _terms, _words,
)  # fmt: skip


def _hole(code: str, where: str, message: str, remedy: str) -> Problem:
    return Problem(code=code, where=where, message=message, remedy=remedy)


def _all(value: object, kind: type[Money]) -> Iterator[Money]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _all(item, kind)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _all(getattr(value, field.name), kind)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a view with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple):
        for number, item in enumerate(value, start=1):
            yield from _texts(item, f"{path}[{number}]")
    elif is_dataclass(value) and not isinstance(value, Money | Decimal | type):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)
