"""What each gate asks for, decided on facts alone: no database, no clock."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engagements.delivery.evidence import read_content
from engagements.delivery.gate_models import EvidenceKind
from engagements.evals.verdicts import Operator, Terms
from engagements.phases.checklists import checklists
from engagements.phases.facts import Agreed, AgreedCriterion, Facts, OpenCondition, Recorded
from engagements.phases.gates import requirements_of
from engagements.phases.months import months_over
from engagements.phases.requirements import Status, blockers_of
from estimator.money import Money
from estimator.phases import Phase

FIELDS: Mapping[EvidenceKind, str] = {
    EvidenceKind.DATASET_VERSION: "datasets", EvidenceKind.EVALUATION_RUN: "evaluations",
    EvidenceKind.COMPARISON: "comparisons", EvidenceKind.TRAINING_RUN: "runs",
    EvidenceKind.DEPLOYMENT: "deployments", EvidenceKind.DRIFT_CHECK: "drift_checks",
}  # fmt: skip


def criterion(code, metric, threshold, sealed, *, tier="must", items=540):
    terms = Terms(
        operator=Operator.AT_LEAST, threshold=threshold, items=items, set_sha256=sealed, paired=code == "C1"
    )  # fmt: skip
    return AgreedCriterion(code=code, tier=tier, metric=metric, set_name="test@v1", terms=terms, baseline=None)


@pytest.fixture(scope="session")
def facts_with(samples):
    """Facts with this evidence, the last recorded first; with `until`, all that is good up to and with that phase."""
    agreed = Agreed(
        criteria=(
            criterion("C1", samples.METRIC, 0.82, samples.SEALED),
            criterion("C2", "replies that follow the required structure", 0.98, samples.SEALED),
            criterion("C3", "tone rated as ours by two agents, blind", 0.85, samples.SEALED, tier="should", items=300),
        ),
        stop_at=0.80, compute_cap=Money.of(Decimal(40), "EUR"), included_rounds=2,
    )  # fmt: skip

    def made(*contents, until=None, **changes):
        good = [
            (phase, content)
            for phase in Phase
            for content in (samples.GOOD[phase] if until and phase.number <= until.number else ())
        ]
        last = until or Phase.DATA_PREPARATION
        found = {name: [] for name in FIELDS.values()}
        for number, (phase, content) in enumerate([*good, *((last, each) for each in contents)]):
            read = read_content(content)
            found[FIELDS[read.kind]].insert(
                0,
                Recorded(
                    id=f"evi_{number}", phase=phase, round=1, measured_at=datetime(2026, 11, 20, tzinfo=UTC),
                    content=read,
                ),
            )  # fmt: skip
        rounds = dict.fromkeys(Phase, 1) | changes.pop("rounds", {})
        return Facts(rounds=rounds, agreed=replace(agreed, **changes.pop("agreed", {})), **found, **changes)

    return made


def blocking(phase, facts):
    return {each.code for each in blockers_of(requirements_of(phase, facts))}


def one(phase, facts, code):
    return next(each for each in requirements_of(phase, facts) if each.code == code)


@pytest.mark.parametrize("phase", Phase)
def test_a_gate_is_content_with_good_evidence_and_names_all_that_is_missing_without(phase, facts_with):
    assert blocking(phase, facts_with(until=phase)) == set()
    nothing = requirements_of(phase, facts_with())
    must = [each for each in nothing if each.must and each.code not in {"rounds", "criteria_bound"}]
    assert must
    assert {each.status for each in must} == {Status.MISSING}
    assert all(each.remedy for each in nothing if each.blocks)
    assert len({each.code for each in nothing}) == len(nothing)


def test_a_test_split_that_is_too_small_says_by_how_much(samples, facts_with):
    few = [{**split, "examples": 98} if split["name"] == "test" else split for split in samples.dataset()["splits"]]
    found = one(Phase.DATA_PREPARATION, facts_with(samples.dataset(splits=few), agreed={"criteria": ()}), "test_split")
    assert found.said == "98 test examples; at least 100 needed to see a 10-point gain"
    assert found.remedy == "hold out 2 more, or agree a smaller promise as a change"
    promised = one(Phase.DATA_PREPARATION, facts_with(samples.dataset(splits=few)), "test_split")
    assert promised.said == "98 test examples; at least 540 needed for what the criteria promise"


@pytest.mark.parametrize(
    ("changes", "blocker"),
    [
        ({"sealed_at": None}, "sealed.missing"),
        ({"leakage": {"exact": 0, "normalised": 0, "near": 3, "near_rule": "Jaccard 0.8"}}, "leakage.failed"),
        ({"agreement": {"measure": "kappa", "value": 0.79, "target": 0.8, "items": 200}}, "label_agreement.failed"),
        ({"licence": {"passed": False, "by": "Ines", "on": "2026-11-19"}}, "licence.failed"),
        ({"personal_data": None}, "personal_data.missing"),
        ({"card_sha256": None}, "data_card.missing"),
    ],
)
def test_each_flaw_of_a_dataset_blocks_by_itself(changes, blocker, samples, facts_with):
    assert blocking(Phase.DATA_PREPARATION, facts_with(samples.dataset(**changes))) == {blocker}


def test_shares_of_the_splits_are_advice(samples, facts_with):
    splits = [{**split, "examples": 540} for split in samples.dataset()["splits"]]
    found = requirements_of(Phase.DATA_PREPARATION, facts_with(samples.dataset(splits=splits)))
    assert [each.code for each in found if not each.must] == ["share_train", "share_validation", "share_test"]
    assert blockers_of(found) == ()


def test_a_baseline_on_other_items_is_no_baseline(samples, facts_with):
    stray = [samples.evaluation(each, set_sha256="9" * 64) for each in ("base_model", "best_prompt")]
    found = facts_with(samples.dataset(), *stray)
    assert {"baseline_base_model.missing", "baseline_best_prompt.missing", "stop_condition.missing"} <= blocking(
        Phase.BASELINE_EVALUATION, found
    )
    assert one(Phase.BASELINE_EVALUATION, found, "baseline_best_prompt").said.startswith("measured on set 999999999999")


@pytest.mark.parametrize(("hits", "status"), [(367, Status.MET), (430, Status.INCONCLUSIVE), (470, Status.FAILED)])
def test_the_stop_condition_is_read_by_the_interval(hits, status, samples, facts_with):
    found = one(
        Phase.BASELINE_EVALUATION, facts_with(samples.dataset(), samples.evaluation("best_prompt", hits)),
        "stop_condition",
    )  # fmt: skip
    assert found.status is status
    assert (found.remedy == "the prompt is enough: stop is the agreed answer") == (status is Status.FAILED)


def test_a_gain_that_the_items_cannot_show_blocks_and_says_how_many_would(samples, facts_with):
    near = samples.evaluation("best_prompt", 430)
    found = one(Phase.BASELINE_EVALUATION, facts_with(samples.dataset(), near), "detectable_gain")
    assert found.status is Status.FAILED
    # ((1.96 x .40275 + .8416 x .38419) / .023704)^2, by hand.
    assert found.remedy == "2204 items show it: hold out more, or agree another promise"


@pytest.mark.parametrize(
    ("changes", "blocker"),
    [
        ({"cost": None}, "compute_cost.unknown"),
        ({"cost": {"amount": "30.00", "currency": "USD"}}, "compute_cost.unknown"),
        ({"cost": {"amount": "40.01", "currency": "EUR"}}, "compute_cost.failed"),
        ({"record_sha256": None}, "reproducible.missing"),
        ({"dataset_sha256": "9" * 64}, "trained_on.failed"),
        ({"checkpoint": None}, None),
    ],
)
def test_each_flaw_of_a_training_blocks(changes, blocker, samples, facts_with):
    found = blocking(Phase.TRAINING, facts_with(samples.dataset(), samples.training(**changes)))
    expected = {blocker} if blocker else {"reproducible.missing", "trained_on.missing", "checkpoint.missing"}
    assert found == expected


def test_a_checkpoint_chosen_on_the_test_set_blocks(samples, facts_with):
    chosen = samples.training()["checkpoint"] | {"chosen_by": "test"}
    assert blocking(Phase.TRAINING, facts_with(samples.dataset(), samples.training(checkpoint=chosen))) == {
        "checkpoint.failed"
    }


def test_the_cost_of_every_run_counts_and_a_client_reads_no_sum(samples, facts_with):
    runs = [samples.training(run="run-6", checkpoint=None), samples.training()]
    found = one(Phase.TRAINING, facts_with(samples.dataset(), *runs), "compute_cost")
    assert (found.status, found.inside) == (Status.FAILED, "42.80 of 40.00 EUR")
    assert "42.80" not in found.said


def test_rounds_that_evaluation_sends_back_count(facts_with):
    rounds = {Phase.TRAINING: 2, Phase.EVALUATION: 2}
    found = one(Phase.EVALUATION, facts_with(until=Phase.EVALUATION, rounds=rounds), "rounds")
    assert (found.status, found.said) == (Status.FAILED, "round 3 of 2 included")


def test_a_criterion_of_the_second_tier_blocks_nothing(samples, facts_with):
    without = samples.candidate(results=samples.candidate()["results"][:2])
    facts = facts_with(until=Phase.EVALUATION)
    only = replace(facts, evaluations=facts_with(until=Phase.TRAINING).evaluations)
    found = facts_with(
        samples.dataset(), samples.training(), without, samples.comparison(), samples.regression(),
        samples.candidate(purpose="robustness", set_sha256="8" * 64),
    )  # fmt: skip
    assert one(Phase.EVALUATION, found, "criterion_c3").status is Status.MISSING
    assert blocking(Phase.EVALUATION, found) == set()
    assert "criterion_c1.missing" in blocking(Phase.EVALUATION, only)


@pytest.mark.parametrize(
    ("added", "blocker"),
    [
        (("candidate", {"model_sha256": "9" * 64}), "candidate.failed"),
        (("comparison", {"won": 20, "lost": 19}), "criterion_c1.inconclusive"),
        (("comparison", {"candidate_sha256": "9" * 64}), None),
        (("regression", {"won": 0, "lost": 60}), "regression.failed"),
        (("regression", {"won": 10, "lost": 22}), "regression.inconclusive"),
        (("regression", {"loss_max": None}), "regression.unknown"),
        (("candidate", {"failures": None}), "failure_modes.missing"),
        (("candidate", {"client_review": None}), "client_review.missing"),
    ],
)
def test_the_newest_evidence_about_the_candidate_decides(added, blocker, samples, facts_with):
    kind, changes = added
    content = getattr(samples, kind)(**changes)
    found = blocking(Phase.EVALUATION, facts_with(content, until=Phase.EVALUATION))
    assert found == ({blocker} if blocker else set())


def test_zero_failures_are_said_with_what_they_leave_open(samples, facts_with):
    held = samples.candidate(purpose="robustness", set_sha256="8" * 64, results=[samples.rate("refused", 30, 30)])
    found = one(Phase.EVALUATION, facts_with(held, until=Phase.EVALUATION), "robustness")
    assert found.said == "refused: 100.0% of 30 items; no failure seen, up to 9.5% may fail"


@pytest.mark.parametrize(
    ("changes", "blocker"),
    [
        ({"model_sha256": "9" * 64}, "model.failed"),
        ({"rollback": None}, "rollback.missing"),
        ({"guardrails": []}, "guardrails.missing"),
        ({"monitoring_since": None}, "monitoring.missing"),
        ({"card_sha256": None}, "model_card.missing"),
        ({"access": None}, "access.missing"),
    ],
)
def test_each_flaw_of_a_deployment_blocks_by_itself(changes, blocker, samples, facts_with):
    found = facts_with(samples.deployment(**changes), until=Phase.DEPLOYMENT)
    assert blocking(Phase.DEPLOYMENT, found) == {blocker}


def test_drift_is_answered_by_retraining_and_not_by_waiting(samples, facts_with):
    over = [{"name": "topics", "value": 0.4, "threshold": 0.2}]
    for decision, blockers in (("wait", {"drift.failed"}), ("retrain", set())):
        decided = {"decision": decision, "reason": "New tariff in January.", "by": "Ines Roth"}
        found = facts_with(samples.drift(signals=over, retraining=decided), until=Phase.MANAGEMENT)
        assert blocking(Phase.MANAGEMENT, found) == blockers


def test_last_months_drift_check_says_nothing_of_this_month(facts_with):
    found = facts_with(until=Phase.MANAGEMENT, rounds={Phase.MANAGEMENT: 2})
    assert len(blocking(Phase.MANAGEMENT, found)) == 4


def test_an_open_condition_blocks_the_next_gate(facts_with):
    condition = OpenCondition(
        id="cnd_1", phase=Phase.DATA_PREPARATION, text="Close the checklist", due=date(2026, 12, 1), overdue=True
    )
    found = facts_with(until=Phase.BASELINE_EVALUATION, open_conditions=[condition])
    assert blocking(Phase.BASELINE_EVALUATION, found) == {"condition_cnd_1.missing"}
    said = one(Phase.BASELINE_EVALUATION, found, "condition_cnd_1").said
    assert said == "Close the checklist (was due 2026-12-01)"


def test_every_phase_has_a_checklist_whose_keys_differ():
    for phase in Phase:
        keys = [item.key for item in checklists()[phase]]
        assert len(set(keys)) == len(keys) >= 5


@pytest.mark.parametrize(
    ("began", "today", "months"),
    [
        (date(2027, 1, 31), date(2027, 2, 27), 0),
        (date(2027, 1, 31), date(2027, 2, 28), 1),
        (date(2027, 4, 14), date(2028, 4, 13), 11),
        (date(2027, 4, 14), date(2028, 4, 14), 12),
        (date(2027, 4, 14), date(2027, 1, 1), 0),
    ],
)
def test_a_month_is_over_on_its_day_or_on_the_last_of_a_shorter_one(began, today, months):
    assert months_over(began, today) == months
