"""How answers are scored, one file a metric, by name."""

from collections.abc import Mapping
from typing import Final

from engagements.evals.metrics import exact_match, json_fields, label, token_f1
from engagements.evals.metrics.metric import Metric
from estimator.errors import UnknownName

METRICS: Final[Mapping[str, Metric]] = {
    each.name: each for each in (exact_match.METRIC, label.METRIC, token_f1.METRIC, json_fields.METRIC)
}


def metric_named(name: str) -> Metric:
    """Raises `UnknownName`."""
    if name not in METRICS:
        raise UnknownName("metric", name, known=METRICS, add=f"use one of {', '.join(METRICS)}")
    return METRICS[name]
