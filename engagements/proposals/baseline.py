"""What delivery will measure itself against: the plan of each option, frozen when a proposal is sent.

A plan is plain data without any cost of ours: money as {"amount", "currency"}, days as ISO dates, hours by role.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engagements.proposals.method import method
from engagements.proposals.writing.plan import deliverables_of, phases_of
from engagements.proposals.writing.price import expected_day, instalments_of
from estimator.estimating import Estimate
from estimator.plain import Plain, plain
from estimator.quote import Instalment, PricedOption


def plans_of(estimate: Estimate) -> dict[str, Plain]:
    """By option: its phases with dates and hours, price lines by phase, deliverables and instalments."""
    assert estimate.quote is not None, "an estimate without a quote has nothing to plan"
    return {option.id: _plan(estimate, option) for option in estimate.quote.options}


def agreed_plan(snapshot: Mapping[str, Any], option: str, extras: Sequence[str]) -> dict[str, Any]:
    """The plan of the option that was accepted, with what holds for every option beside it."""
    view = snapshot["view"]
    chosen = {line["name"]: line["amount"] for line in view["price"]["optional"] if line["name"] in extras}
    return {
        "schema": 1,
        "number": view["control"]["number"],
        "edition": view["control"]["version"],
        "pdf_sha256": snapshot["sha256"],
        "terms_sha256": view["terms"]["sha256"],
        "pricing": view["price"]["model"],
        "currency": view["price"]["currency"],
        **snapshot["plans"][option],
        "extras": [{"name": name, "net": chosen[name]} for name in extras],
        "criteria": view["criteria"],
        "stop_at": view["fit"]["stop_at"],
        "stop_price": view["fit"]["stop_price"],
        "compute_cap": view["compute"]["cap"],
        "included_rounds": view["price"]["included_rounds"],
        "round_price": view["price"]["round_price"],
        "assumptions": view["assumptions"],
        "risks": view["risks"],
    }


def _plan(estimate: Estimate, option: PricedOption) -> dict[str, Plain]:
    words = method()
    return {
        "option": {
            "id": option.id,
            "name": option.name,
            "management_months": option.scope.management_months,
            "retrainings": option.scope.retrainings,
        },
        "start": plain(estimate.schedule.phases[0].begin),
        "go_live": plain(estimate.schedule.go_live),
        "go_live_late": plain(estimate.schedule.go_live_p80),
        "phases": [
            {
                name: plain(getattr(phase, name))
                for name in (
                    "number", "name", "begin", "work_end", "gate_date", "gate_late", "working_days", "gate", "criteria",
                    "client_input", "hours",
                )
            }
            | {"cosigned": words.phase[phase.number - 1].cosigned}
            for phase in phases_of(estimate, option, words)
        ],
        "lines": [
            {"label": line.label, "phase": line.phase.number if line.phase else None, "net": plain(line.amount)}
            for line in option.lines
        ],
        "discount": plain(option.discount),
        "net": plain(option.net),
        "gross": plain(option.gross),
        "cap": plain(option.cap),
        "deliverables": plain(deliverables_of(estimate, option, words)),
        "instalments": plain(instalments_of(estimate, option)),
        "payments": [_payment(estimate, payment) for payment in option.instalments],
        "calendar": {"country": estimate.brief.client.country, "region": estimate.brief.client.region},
    }  # fmt: skip


def _payment(estimate: Estimate, payment: Instalment) -> dict[str, Plain]:
    """One payment and what makes it due: a gate (0 is the acceptance), or a month of management done."""
    return {
        "name": payment.due.name,
        "gate": payment.due.gate,
        "month": payment.due.month,
        "net": plain(payment.net),
        "gross": plain(payment.gross),
        "expected": plain(expected_day(estimate, payment.due)),
    }
