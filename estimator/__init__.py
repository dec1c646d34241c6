"""The SDK of scoping: from a client's brief to what it costs, what it takes and what it is worth.

    brief = load_brief(Path("brief.toml"))
    estimate = estimator.estimate(brief, PriceBook.load(), on=date(2026, 11, 22), seed=7)
    estimate.quote.recommended.net                  # what the client pays
    estimate.explain("option.deliver.net").formula  # why

The package knows no database, network, clock or environment: prices, the day and the seed are arguments. Every number
it returns is a `Figure` that leads back to the brief, a dated source, a stated assumption or seeded draws.

    brief/       what a client wants; read from TOML or JSON with all problems in one pass
    prices/      dated prices with a source, in data files
    fit/         should they fine-tune at all?
    tokens/      exact token counts, and the check of a dataset file
    hardware/    training memory and speed on GPUs of one's own
    routes/      ways to train and serve, priced as each provider bills
    csv_cells    text that no spreadsheet takes for a formula
    estimating   `estimate`, which puts the rest together: effort, plan, schedule, quote, roi, checks
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from estimator.brief import Brief, load_brief, read_brief
    from estimator.errors import EstimatorError, Problem, Severity
    from estimator.estimating import SEED, Estimate, estimate
    from estimator.figures import Figure
    from estimator.money import Money
    from estimator.prices import PriceBook

__all__ = [
    "SEED",
    "Brief",
    "Estimate",
    "EstimatorError",
    "Figure",
    "Money",
    "PriceBook",
    "Problem",
    "Severity",
    "estimate",
    "load_brief",
    "read_brief",
]

_MODULES: Final = {
    "brief": {"Brief", "load_brief", "read_brief"},
    "errors": {"EstimatorError", "Problem", "Severity"},
    "estimating": {"SEED", "Estimate", "estimate"},
    "figures": {"Figure"},
    "money": {"Money"},
    "prices": {"PriceBook"},
}


def __getattr__(name: str) -> object:
    # On first use: whoever counts tokens or looks up a card does not wait for all that a price is made of.
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
