"""Every table, imported, so that the metadata is whole: for migrations, for the audit trail, for tests."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import MetaData
from sqlmodel import SQLModel

import engagements.actuals.models as actuals
import engagements.changes.models as changes
import engagements.core.models as core
import engagements.delivery.gate_models as gates
import engagements.delivery.models as delivery
import engagements.notices.models as notices
import engagements.people.models as people
import engagements.phases.data_preparation.models as data
import engagements.phases.data_preparation.review.models as review
import engagements.phases.data_preparation.synthesis.models as synthesis
import engagements.phases.data_preparation.versions.models as versions
import engagements.phases.training.models as training
import engagements.proposals.models as proposals
import engagements.reports.models as reports
import engagements.web.models as web
import engagements.webhooks.models as webhooks
from engagements.db.columns import Record

METADATA: Final[MetaData] = SQLModel.metadata
RECORDS: Final[Mapping[str, type[Record]]] = {
    table.__name__: table
    for table in (
        core.Organisation, core.Client, core.Contact, core.Engagement, people.User, people.ApiKey, people.Invitation,
        proposals.BriefVersion, proposals.EstimateVersion, proposals.Proposal, proposals.ProposalLink,
        proposals.Decision, webhooks.WebhookEndpoint, delivery.Baseline, delivery.PhaseRecord, delivery.PlanChange,
        delivery.Milestone, delivery.DeliverableRecord, delivery.Criterion, delivery.RaidItem, gates.EvidenceRecord,
        gates.GateDecision, gates.GateCondition, gates.ChecklistMark, actuals.RateSnapshot, actuals.TimeEntry,
        actuals.CostEntry, actuals.TimeLock, actuals.Alert, actuals.Invoice, changes.ChangeRequest, notices.Feed,
        reports.StatusReport, data.DataSource, data.DataJob, data.Acknowledgement, review.ReviewRound,
        review.ExampleReview, review.Adjudication, synthesis.SynthesisRun, versions.DatasetVersion, versions.SealedRead,
        versions.Erasure, training.Experiment, training.TrainingRun, training.ModelVersion,
    )
}  # fmt: skip
"""By class name, as audit events name them."""

OTHERS: Final = (
    core.AuditHead, core.AuditEvent, core.EngagementActivity, core.OutboxEvent,
    people.UserSession, people.OneTimeLink, people.FailedAttempt,
    web.IdempotencyKey, proposals.FrozenDocument, proposals.NumberSeries, webhooks.WebhookDelivery,
    delivery.Standing, notices.Notice, notices.NoticeChoice, notices.Letter, data.Upload, data.UploadPart,
    data.DataJobProgress, data.Example, data.ExampleFinding, data.ExampleEdit, review.QueueItem, review.ReviewHold,
    synthesis.SynthesisCall, versions.VersionMember, training.TrainingProgress, training.RunMemory, training.RunEvent,
    training.RunCheckpoint, training.BaseScore, training.TrainingLane,
)  # fmt: skip
