"""The client has a method for every operation of the server, and its models the fields of the server's answers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import engagements.actuals.budget_schemas as budgets
import engagements.actuals.schemas as actuals
import engagements.changes.register_schemas as register
import engagements.changes.schemas as changes
import engagements.client.actuals_models as our_actuals
import engagements.client.changes as our_changes
import engagements.client.data as our_data
import engagements.client.datasets as our_datasets
import engagements.client.delivery as our_plan
import engagements.client.gates as our_gates
import engagements.client.models as ours
import engagements.client.notices as our_notices
import engagements.client.reports as our_reports
import engagements.client.review as our_review
import engagements.client.synthesis as our_synthesis
import engagements.client.training_models as our_training
import engagements.client.work as our_work
import engagements.core.schemas as core
import engagements.dashboard.schemas as dashboard
import engagements.delivery.schemas as plan
import engagements.notices.schemas as notices
import engagements.people.schemas as people
import engagements.phases.data_preparation.jobs.schemas as jobs
import engagements.phases.data_preparation.pool.schemas as pool
import engagements.phases.data_preparation.review.schemas as review
import engagements.phases.data_preparation.sources.schemas as sources
import engagements.phases.data_preparation.synthesis.schemas as synthesis
import engagements.phases.data_preparation.versions.schemas as versions
import engagements.phases.schemas as gates
import engagements.phases.training.catalogue_schemas as catalogue
import engagements.phases.training.schemas as training
import engagements.proposals.schemas as proposals
import engagements.reports.calibration_api as calibration
import engagements.reports.schemas as reports
import engagements.webhooks.schemas as webhooks
from engagements.client import Sixfold

CLIENT = Path(__file__).resolve().parents[3] / "engagements" / "client"
VERBS = {
    "get": "GET", "get_text": "GET", "get_bytes": "GET", "pages": "GET", "pages_before": "GET", "post": "POST",
    "post_once": "POST", "post_unanswered": "POST",
    "patch": "PATCH", "put": "PUT", "put_bytes": "PUT", "follow": "GET", "delete": "DELETE",
}  # fmt: skip

PAIRS: dict[type[BaseModel], type[BaseModel]] = {
    core.ClientOut: ours.Client,
    core.ContactOut: ours.Contact,
    core.EngagementOut: ours.Engagement,
    core.AuditEventOut: ours.AuditEvent,
    proposals.BriefOut: ours.Brief,
    proposals.BriefWhole: ours.WholeBrief,
    proposals.EstimateOut: ours.Estimate,
    proposals.EstimateWhole: ours.WholeEstimate,
    proposals.ProposalOut: ours.Proposal,
    proposals.ProblemOut: ours.ProposalProblem,
    proposals.ProblemsOut: ours.ProposalProblems,
    proposals.LinkOut: ours.Link,
    proposals.NewLinkOut: ours.NewLink,
    proposals.SentOut: ours.Sent,
    proposals.DecisionOut: ours.Decision,
    proposals.DifferenceOut: ours.Difference,
    proposals.DifferencesOut: ours.Differences,
    proposals.SnapshotOut: ours.Snapshot,
    proposals.BaselineOut: ours.Baseline,
    proposals.AgencyOut: ours.Agency,
    proposals.PortalOut: ours.PortalView,
    proposals.VerificationOut: ours.Verification,
    people.MeOut: ours.Me,
    people.UserOut: ours.User,
    people.LinkOut: ours.SignInLink,
    people.SessionOut: ours.Session,
    people.KeyOut: ours.ApiKey,
    people.KeyMade: ours.NewApiKey,
    people.InvitationOut: ours.Invitation,
    people.InvitationMade: ours.NewInvitation,
    dashboard.PortfolioLineOut: our_work.PortfolioLine,
    dashboard.WorkItemOut: our_work.WorkItem,
    dashboard.SaidOut: our_work.Said,
    dashboard.StepOut: our_work.Step,
    dashboard.StandingOut: our_work.Standing,
    notices.NoticeOut: our_notices.Notice,
    notices.NoticesReadOut: our_notices.NoticesRead,
    notices.EmailOut: our_notices.EmailChoice,
    notices.FeedOut: our_notices.Feed,
    notices.FeedMade: our_notices.NewFeed,
    webhooks.WebhookOut: ours.Webhook,
    webhooks.WebhookSecretOut: ours.NewWebhook,
    webhooks.DeliveryOut: ours.Delivery,
    webhooks.EventKindOut: ours.EventKind,
    plan.PhaseOut: our_plan.Phase,
    plan.PhaseMoveOut: our_plan.PhaseMove,
    plan.AlongOut: our_plan.MovedAlong,
    plan.RescheduleOut: our_plan.Rescheduled,
    plan.PlanChangeOut: our_plan.PlanChange,
    plan.MilestoneOut: our_plan.Milestone,
    plan.DeliverableOut: our_plan.Deliverable,
    plan.DependencyOut: our_plan.Dependency,
    plan.PlanOut: our_plan.Plan,
    gates.EvidenceOut: our_gates.Evidence,
    gates.RequirementOut: our_gates.Requirement,
    gates.BlockerOut: our_gates.Blocker,
    gates.ConditionOut: our_gates.Condition,
    gates.SittingOut: our_gates.Sitting,
    gates.ChecklistItemOut: our_gates.ChecklistItem,
    gates.GateOut: our_gates.Gate,
    gates.GatesOut: our_gates.GateList,
    gates.CriterionOut: our_gates.Criterion,
    gates.CriteriaOut: our_gates.CriterionList,
    gates.SampleSizeOut: our_gates.SampleSize,
    reports.ReportOut: our_reports.Report,
    actuals.TimeOut: our_actuals.TimeEntry,
    actuals.WarningOut: our_actuals.BudgetWarning,
    actuals.TimeLogged: our_actuals.LoggedTime,
    actuals.TimeList: our_actuals.TimeEntries,
    actuals.CostOut: our_actuals.Cost,
    actuals.CostLogged: our_actuals.LoggedCost,
    actuals.CostList: our_actuals.CostEntries,
    actuals.RateOut: our_actuals.Rate,
    actuals.RateList: our_actuals.RateList,
    actuals.TimeLockOut: our_actuals.TimeLock,
    actuals.ImportOut: our_actuals.Imported,
    actuals.WeekEngagementOut: our_actuals.WeekEngagement,
    actuals.WeekOut: our_actuals.Week,
    budgets.BurnLineOut: our_actuals.BurnLine,
    budgets.QuotedLineOut: our_actuals.QuotedLine,
    budgets.PaceOut: our_actuals.Pace,
    budgets.BudgetOut: our_actuals.Budget,
    budgets.EarnedPointOut: our_actuals.EarnedPoint,
    budgets.GateLatenessOut: our_actuals.GateLateness,
    budgets.EarnedValueOut: our_actuals.EarnedValue,
    budgets.CostRangeOut: our_actuals.CostRange,
    budgets.DayRangeOut: our_actuals.DayRange,
    budgets.PhaseForecastOut: our_actuals.PhaseForecast,
    budgets.ForecastOut: our_actuals.Forecast,
    budgets.AlertOut: our_actuals.Alert,
    budgets.AlertList: our_actuals.AlertList,
    budgets.InvoiceLineOut: our_actuals.InvoiceLine,
    budgets.InvoiceOut: our_actuals.Invoice,
    budgets.InvoicesOut: our_actuals.InvoiceList,
    changes.PriceLineOut: our_changes.PriceLine,
    changes.AskedOut: our_changes.Asked,
    changes.HoursOut: our_changes.HoursChange,
    changes.CostOut: our_changes.CostChange,
    changes.DatesOut: our_changes.DatesChange,
    changes.CriterionChangeOut: our_changes.CriterionChange,
    changes.ImpactOut: our_changes.Impact,
    changes.ChangeOut: our_changes.Change,
    changes.ValueOut: our_changes.Value,
    changes.BaselineVersionOut: our_changes.BaselineVersion,
    changes.BaselinesOut: our_changes.BaselineVersions,
    changes.BaselineWhole: our_changes.WholeBaseline,
    register.ItemOut: our_changes.Item,
    register.RegisterOut: our_changes.RegisterItems,
    calibration.RatioOut: our_changes.Ratio,
    calibration.CoverageOut: our_changes.Coverage,
    calibration.MeasureOut: our_changes.Measure,
    calibration.DriverAdviceOut: our_changes.DriverAdvice,
    calibration.CalibrationOut: our_changes.Calibration,
    versions.SplitOut: our_datasets.Split,
    versions.VersionOut: our_datasets.DatasetVersion,
    versions.CardOut: our_datasets.Card,
    versions.IdsOut: our_datasets.Ids,
    versions.MovedOut: our_datasets.Moved,
    versions.LabelShiftOut: our_datasets.LabelShift,
    versions.DiffOut: our_datasets.DatasetDifference,
    versions.SealedReadOut: our_datasets.SealedRead,
    versions.OpenedSplitOut: our_datasets.OpenedSplit,
    versions.UseOut: our_datasets.Use,
    versions.VersionUseOut: our_datasets.VersionUse,
    versions.LineageEditOut: our_datasets.LineageEdit,
    versions.LineageReviewOut: our_datasets.LineageReview,
    versions.ExampleLineageOut: our_datasets.ExampleLineage,
    versions.SourceShareOut: our_datasets.SourceShare,
    versions.VersionLineageOut: our_datasets.VersionLineage,
    versions.FoundVersionOut: our_datasets.FoundVersion,
    versions.FoundSourceOut: our_datasets.FoundSource,
    versions.FoundOut: our_datasets.Found,
    versions.ErasureOut: our_datasets.Erasure,
    sources.UploadOut: our_data.Upload,
    sources.SourceOut: our_data.Source,
    sources.SourcePreviewOut: our_data.SourcePreview,
    jobs.JobOut: our_data.Job,
    pool.FindingOut: our_data.FoundInExample,
    pool.ExampleOut: our_data.Example,
    pool.EditOut: our_data.ExampleEdit,
    pool.ExcludedOut: our_data.Excluded,
    pool.StandingOut: our_data.PoolStanding,
    pool.ReportOut: our_data.PoolReport,
    pool.AcknowledgementOut: our_data.Acknowledgement,
    review.ReviewerOut: our_review.Reviewer,
    review.RoundOut: our_review.ReviewRound,
    synthesis.GapOut: our_synthesis.Gap,
    synthesis.GapsOut: our_synthesis.Gaps,
    synthesis.RightOut: our_synthesis.Right,
    synthesis.JudgeCheckOut: our_synthesis.JudgeCheck,
    synthesis.SynthesisOut: our_synthesis.SynthesisRun,
    synthesis.PreviewOut: our_synthesis.Preview,
    synthesis.CurvePointOut: our_synthesis.CurvePoint,
    synthesis.CurveOut: our_synthesis.LearningCurve,
    review.FindingSeenOut: our_review.SeenFinding,
    review.ItemOut: our_review.ReviewItem,
    review.HandedOut: our_review.HandedOut,
    review.ReviewOut: our_review.Review,
    review.AdjudicationOut: our_review.Adjudication,
    review.ReviewedItemOut: our_review.ReviewedItem,
    review.MeasureOut: our_review.AgreementMeasure,
    review.PairOut: our_review.PairAgreement,
    review.RoundAgreementOut: our_review.RoundAgreement,
    review.ReviewerThroughputOut: our_review.ReviewerThroughput,
    review.ThroughputOut: our_review.Throughput,
    review.TimeTakenOut: our_review.TimeTaken,
    review.TimesTakenOut: our_review.TimesTaken,
    review.RoundList: our_review.ReviewRounds,
    review.ReviewedItemList: our_review.ReviewedItems,
    review.ReviewList: our_review.GivenReviews,
    training.RangeOut: our_training.Range,
    training.PredictionOut: our_training.RunPrediction,
    training.RunProblemOut: our_training.RunProblem,
    training.PlannedRunOut: our_training.PlannedRun,
    training.PlanOut: our_training.ExperimentPlan,
    training.FailureOut: our_training.RunFailure,
    training.IncidentOut: our_training.Incident,
    training.VerdictOut: our_training.Verdict,
    training.ScoreOut: our_training.Score,
    training.CheckpointOut: our_training.Checkpoint,
    training.BaseOut: our_training.BaseScore,
    training.PairedOut: our_training.PairedDifference,
    training.ChoiceOut: our_training.Choice,
    training.UsageOut: our_training.Usage,
    training.NowOut: our_training.Now,
    training.RunOut: our_training.TrainingRun,
    training.ExperimentOut: our_training.Experiment,
    training.RunLineOut: our_training.RunLine,
    training.CompareOut: our_training.Comparison,
    training.EventOut: our_training.RunEvent,
    training.EventsOut: our_training.RunEvents,
    training.PointOut: our_training.CurvePoint,
    training.CurveOut: our_training.RunCurve,
    training.ModelVersionOut: our_training.ModelVersion,
    catalogue.CatalogueModelOut: our_training.CatalogueModel,
    catalogue.CatalogueBackendOut: our_training.CatalogueBackend,
    catalogue.CatalogueOut: our_training.Catalogue,
}


def operations_of_the_client() -> Iterator[tuple[str, str]]:
    """Method and path of every call that the client's modules make, names of parameters taken out."""
    for path in CLIENT.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            node.targets[0].id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }  # fmt: skip
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS):
                continue
            for argument in node.args:
                value = named.get(argument.id) if isinstance(argument, ast.Name) else getattr(argument, "value", None)
                if isinstance(value, str) and value.startswith("/"):
                    yield VERBS[node.func.attr], value


def operations_of_the_server(house) -> set[tuple[str, str]]:
    paths = house.client.app.openapi_schema.to_schema()["paths"]
    return {
        (method.upper(), re.sub(r"{[^}]*}", "{}", path))
        for path, item in paths.items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_operation_of_the_server_has_a_method(house):
    assert set(operations_of_the_client()) == operations_of_the_server(house)


@pytest.mark.parametrize("answer", PAIRS, ids=lambda answer: f"{answer.__module__.split('.')[1]}.{answer.__name__}")
def test_a_model_has_the_fields_of_the_answer(answer):
    assert set(PAIRS[answer].model_fields) == set(answer.model_fields)


def test_no_answer_of_the_server_is_left_out():
    def below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    assert {answer.__qualname__ for answer in below(core.Out)} == {answer.__qualname__ for answer in PAIRS}


def test_the_client_knows_nothing_of_the_server():
    imported = {
        name
        for path in CLIENT.glob("*.py")
        for name in re.findall(r"^from (engagements\.[\w.]+|[\w]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {name for name in imported if name.startswith("engagements.") and ".client" not in name} == set()
    assert Sixfold.__doc__
