"""What a client has to know before deciding stands in the summary; what we have to settle does not."""

from collections.abc import Callable
from datetime import date

import pytest

from engagements.proposals.view import ProposalView
from engagements.proposals.writing import Issue, write_proposal
from engagements.settings import Agency
from estimator import Estimate
from estimator.prices import PriceBook

ENDS = date(2028, 1, 1)
BOOK = f"""
[[training]]
provider = "openai"
model = "gpt-house"
objectives = ["sft"]
tuning = "lora"
usd = "3"
serving = "per-token"
new_jobs_until = 2027-09-01
shutdown = {ENDS}
as_of = 2026-11-20
checked = 2026-11-20
source = "openai.example"

[[inference]]
provider = "openai"
model = "gpt-house"
variant = "tuned"
input = "0.3"
output = "1.2"
as_of = 2026-11-20
checked = 2026-11-20
source = "openai.example"
"""


@pytest.fixture(scope="module")
def ending(estimate_of: Callable[..., Estimate], tmp_path_factory: pytest.TempPathFactory) -> ProposalView:
    """A proposal whose model stops taking jobs, then shuts down, while the client is being served."""
    file = tmp_path_factory.mktemp("prices") / "ending.toml"
    file.write_text(BOOK, "utf-8")
    routes = [{"provider": "openai", "model": "gpt-house"}]
    found = estimate_of({"training.routes": routes}, prices=PriceBook.load(file))
    return write_proposal(found, Agency(), Issue(number="P-2026-0007"))


def test_a_model_that_ends_during_service_is_named_with_its_days(ending: ProposalView) -> None:
    closing, shutdown = ending.flags[:2]
    assert "takes no new jobs from 2027-09-01" in closing
    assert f"shuts down on {ENDS}; service is planned until" in shutdown


def test_no_remedy_that_is_ours_reaches_the_client(view_of: Callable[..., ProposalView]) -> None:
    """The brief plans to review more examples than are at hand: to be settled before sending, not by the client."""
    assert view_of({"data.examples": 2_500}).flags == ()


def test_open_questions_are_named_up_to_four(view_of: Callable[..., ProposalView]) -> None:
    asked = ["fit.instructions", "fit.few_shot", "fit.prompt_optimised", "fit.retrieval_tried", "fit.needs_facts"]
    (open_questions,) = view_of(dict.fromkeys(asked)).flags
    assert open_questions.startswith("Still to find out: ")
    assert open_questions.count(";") == 4
    assert open_questions.endswith("; and 1 more.")
