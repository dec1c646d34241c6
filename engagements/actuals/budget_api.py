"""Budget, earned value, forecast, alerts, rates and invoices over /api/v1."""

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody

from engagements.actuals import alerts, invoices, rates, reading, showing
from engagements.actuals.budget_schemas import (
    AlertList,
    AlertOut,
    BudgetOut,
    EarnedValueOut,
    ForecastOut,
    InvoiceOut,
    InvoicesOut,
)
from engagements.actuals.models import Invoice
from engagements.actuals.schemas import RateIn, RateList, RateOut
from engagements.actuals.time_api import csv_answer
from engagements.actuals.when import when_of
from engagements.core.roles import Permission
from engagements.core.service import find
from engagements.web.call import Call
from engagements.web.routes import get, post


class BudgetOfEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Budget",)

    @get("/budget", permission=Permission.VIEW_ACTUALS, summary="How the budget burns, by phase")
    def show_budget(self, engagement_id: FromPath[str], call: Call) -> BudgetOut:
        """Hours for all staff; money is null for who may not see cost."""
        return call.read(lambda s: showing.budget_shown(s, call.actor, engagement_id, today=when_of(s, call).today))

    @get("/earned-value", permission=Permission.VIEW_COST, summary="Earned value of the phases that end")
    def show_earned_value(self, engagement_id: FromPath[str], call: Call) -> EarnedValueOut:
        return call.read(lambda s: showing.earned_shown(s, call.actor, engagement_id, today=when_of(s, call).today))

    @get("/forecast", permission=Permission.VIEW_ACTUALS, summary="Where it will end")
    def show_forecast(self, engagement_id: FromPath[str], call: Call) -> ForecastOut:
        """The agreed budget conditioned on what phases have cost and how long they took."""
        return call.read(lambda s: showing.forecast_shown(s, call.actor, engagement_id, today=when_of(s, call).today))

    @get("/alerts", permission=Permission.VIEW_ACTUALS, summary="Thresholds that were passed")
    def list_alerts(self, engagement_id: FromPath[str], call: Call) -> AlertList:
        """The newest first; those about money only for who may see cost."""
        return call.read(
            lambda s: AlertList(items=[AlertOut.of(row) for row in alerts.alerts_seen_by(s, call.actor, engagement_id)])
        )


class Alerts(Controller):
    path = "/api/v1/alerts"
    tags = ("Budget",)

    @post(
        "/{alert_id:str}/acknowledge",
        permission=Permission.VIEW_ACTUALS,
        summary="Acknowledge an alert",
        status_code=200,
    )
    def acknowledge(self, alert_id: FromPath[str], call: Call) -> Response[AlertOut]:
        """It is told no more."""
        return call.act(lambda s: AlertOut.of(alerts.acknowledge(s, call.actor, alert_id, at=call.now)))


class RatesOfEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/rates"
    tags = ("Budget",)

    @get(permission=Permission.VIEW_COST, summary="What an hour costs and is sold for")
    def list_rates(self, engagement_id: FromPath[str], call: Call) -> RateList:
        """Those of the budget are there as soon as time is logged."""
        return call.read(
            lambda s: RateList(items=[RateOut.of(row) for row in rates.rates_seen(s, call.actor, engagement_id)])
        )

    @post(permission=Permission.EXPORT_INVOICES, summary="A rate from a day on")
    def add_rate(self, engagement_id: FromPath[str], data: JSONBody[RateIn], call: Call) -> Response[RateOut]:
        """Time that has a rate keeps it; time that had none gets this one, from its day on."""
        return call.create(
            lambda s: RateOut.of(rates.add_rate(s, call.actor, engagement_id, data, when=when_of(s, call)))
        )


class Invoices(Controller):
    path = "/api/v1"
    tags = ("Invoices",)

    @get(
        "/engagements/{engagement_id:str}/invoices",
        permission=Permission.VIEW_COST,
        summary="Invoices and what is next",
    )
    def list_invoices(self, engagement_id: FromPath[str], call: Call) -> InvoicesOut:
        return call.read(lambda s: showing.invoices_shown(s, call.actor, engagement_id))

    @post(
        "/engagements/{engagement_id:str}/invoices",
        permission=Permission.EXPORT_INVOICES,
        summary="Hand over what is due",
    )
    def make_invoice(self, engagement_id: FromPath[str], call: Call) -> Response[InvoiceOut]:
        """Freezes approved time, approved costs and reached payments as numbered lines, and locks them."""
        return call.create(
            lambda s: InvoiceOut.of(invoices.make_invoice(s, call.actor, engagement_id, when=when_of(s, call)))
        )

    @get("/invoices/{invoice_id:str}", permission=Permission.VIEW_COST, summary="One invoice")
    def show_invoice(self, invoice_id: FromPath[str], call: Call) -> Response[InvoiceOut]:
        return call.show(lambda s: InvoiceOut.of(find(s, call.actor, Invoice, invoice_id)))

    @get(
        "/invoices/{invoice_id:str}/lines.csv", permission=Permission.VIEW_COST, summary="Its lines as CSV",
        media_type="text/csv",
    )  # fmt: skip
    def export_lines(self, invoice_id: FromPath[str], call: Call) -> Response[str]:
        return csv_answer(call.read(lambda s: reading.line_file(find(s, call.actor, Invoice, invoice_id))), "invoice")
