"""The plan of the baseline that a change would make, of the same shape as the plan it starts from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from engagements.changes.payments import expected_again, money_of, payments_after
from engagements.changes.quoted import AgreedPlan, Quoted
from engagements.changes.schemas import ExtraLine, PriceLineOut
from engagements.proposals.method import method
from estimator.money import Money
from estimator.plain import Plain, plain


def plan_after(
    agreed: AgreedPlan, before: Quoted, after: Quoted, *, number: int, title: str, lines: Sequence[PriceLineOut],
    net: Money, gross: Money, phases: list[dict[str, Any]], criteria: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """`phases` with their days moved; `lines` sum to `net`, which moves the price as `gross` does with its taxes."""
    plan = agreed.plan
    gates = {each["number"]: each["gate_date"] for each in phases if each["gate_date"]}
    last = max(gates, default=0)
    go_live = date.fromisoformat(gates.get(last) or plan["go_live"])
    payment = _payment(agreed, lines, number=number, title=title, net=net, gross=gross)
    payments = payments_after(
        plan["payments"], before=before.plan["payments"], after=after.plan["payments"], reached=agreed.reached,
        change=payment,
    )  # fmt: skip
    return {
        **plan,
        "option": {**plan["option"], **_months(before, after)},
        "phases": phases,
        "go_live": go_live.isoformat(),
        "go_live_late": next((each["gate_late"] for each in phases if each["number"] == last), plan["go_live_late"]),
        "lines": [*plan["lines"], *(_plan_line(line, number, net.currency) for line in lines)],
        "net": plain(money_of(plan["net"]) + net),
        "gross": plain(money_of(plan["gross"]) + gross),
        "cap": _moved_money(plan["cap"], before.plan["cap"], after.plan["cap"]),
        "deliverables": [{**each, "due": gates.get(each["phase"], each["due"])} for each in plan["deliverables"]],
        "payments": [expected_again(each, gates, go_live) for each in payments],
        "criteria": criteria,
        "compute_cap": _moved_money(plan["compute_cap"], plain(before.compute_cap), plain(after.compute_cap)),
        "included_rounds": plan["included_rounds"] + _rounds(after) - _rounds(before),
        "agreed": {
            "net": f"{(agreed.net + net).amount:f}",
            "gross": f"{(agreed.gross + gross).amount:f}",
            "currency": net.currency,
        },
    }


def _months(before: Quoted, after: Quoted) -> dict[str, int]:
    """What of the option the change alters."""
    old, new = before.plan["option"], after.plan["option"]
    return {name: new[name] for name in ("management_months", "retrainings") if new[name] != old[name]}


def _plan_line(line: PriceLineOut, number: int, currency: str) -> dict[str, Any]:
    phase = line.phase.number if line.phase else None
    return {"label": f"Change {number}: {line.label}", "phase": phase, "net": plain(Money(line.net_minor, currency))}


def _payment(
    agreed: AgreedPlan, lines: Sequence[PriceLineOut], *, number: int, title: str, net: Money, gross: Money
) -> dict[str, Any]:
    """The delta as one payment: due with the gate of the last phase it changes, or with the next month."""
    open_gates = [
        each["number"] for each in agreed.plan["phases"] if each["gate_date"] and each["number"] >= agreed.now.number
    ]
    touched = [line.phase.number for line in lines if line.phase and line.phase.number in open_gates]
    gate = max(touched, default=open_gates[0] if open_gates else None)
    months = [each["month"] for place, each in enumerate(agreed.plan["payments"], start=1)
              if each["month"] and (each.get("code") or f"P{place}") not in agreed.reached]  # fmt: skip
    return {
        "code": f"K{number}",
        "name": f"Change {number}: {title}"[:400],
        "gate": gate,
        "month": None if gate else min(months, default=None),
        "net": plain(net),
        "gross": plain(gross),
        "expected": agreed.today.isoformat(),
    }


def _moved_money(agreed: Plain, before: Plain, after: Plain) -> Plain:
    if not isinstance(agreed, dict) or not isinstance(before, dict) or not isinstance(after, dict):
        return agreed
    return plain(money_of(agreed) + money_of(after) - money_of(before))


def _rounds(quoted: Quoted) -> int:
    return quoted.brief.commercial.included_rounds


def with_hours(
    phases: Sequence[Mapping[str, Any]], before: Quoted, after: Quoted, extras: Sequence[ExtraLine], agreed: AgreedPlan
) -> list[dict[str, Any]]:
    """Each phase with its hours by role's name; what is added to a phase that is done falls to the one under way."""
    ended = {phase.number for phase in agreed.ended}
    hours = {each["number"]: dict(each["hours"]) for each in phases}
    for number, role, worked in _hours_added(before, after, extras):
        place = agreed.now.number if number in ended else number
        if place in hours:
            hours[place][role] = round(hours[place].get(role, 0.0) + worked, 1)
    return [
        {**each, "hours": {role: worked for role, worked in hours[each["number"]].items() if worked > 0}}
        for each in phases
    ]


def _hours_added(before: Quoted, after: Quoted, extras: Sequence[ExtraLine]) -> Iterator[tuple[int, str, float]]:
    old, new = ({each["number"]: each["hours"] for each in side.plan["phases"]} for side in (before, after))
    for number in {*old, *new}:
        for role in {*old.get(number, {}), *new.get(number, {})}:
            yield number, role, new.get(number, {}).get(role, 0.0) - old.get(number, {}).get(role, 0.0)
    for extra in extras:
        for role, worked in extra.hours.items():
            yield extra.phase.number, method().role(role), worked


def criteria_after(
    agreed: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Those the brief still asks for as they were agreed, and as they are now what it asks for otherwise or anew."""
    old, new = ({each["id"]: each for each in side} for side in (before, after))
    kept = [
        dict(each if old.get(each["id"]) == new.get(each["id"]) else new[each["id"]])
        for each in agreed
        if each["id"] in new or each["id"] not in old
    ]
    known = {each["id"] for each in kept}
    return kept + [dict(each) for code, each in new.items() if code not in known and code not in old]
