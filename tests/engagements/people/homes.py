"""Records of one client of one tenant, one of each kind that a route can name, made when they are first asked for."""

import io
import itertools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pypdf

from engagements.actuals.models import Alert, AlertKind, CostEntry, CostKind, Invoice, TimeEntry
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core import audit
from engagements.core.roles import Origin, Role, system_actor
from engagements.db.columns import Record, new_id
from engagements.delivery.gate_models import (
    EvidenceKind,
    EvidenceRecord,
    GateCondition,
    GateDecision,
    GateState,
)
from engagements.delivery.gate_models import Verdict as GateVerdict
from engagements.delivery.health import Health
from engagements.delivery.models import (
    Baseline,
    DeliverableRecord,
    Milestone,
    MilestoneKind,
    PhaseRecord,
    RaidItem,
    RaidKind,
)
from engagements.notices.models import Notice
from engagements.people import sign_in
from engagements.people.models import User
from engagements.people.users import add_user
from engagements.phases.data_preparation.models import (
    DataJob,
    DataJobProgress,
    DataSource,
    Example,
    JobKind,
    Upload,
)
from engagements.phases.data_preparation.preparing.datasheet import datasheet_of
from engagements.phases.data_preparation.preparing.facts import DatasheetFacts
from engagements.phases.data_preparation.records import Provenance
from engagements.phases.data_preparation.review.models import QueueItem, ReviewRound
from engagements.phases.data_preparation.synthesis.models import SynthesisRun
from engagements.phases.data_preparation.versions.models import DatasetVersion, Erasure
from engagements.phases.training.models import Experiment, ModelVersion, TrainingProgress, TrainingRun
from engagements.proposals.frozen import PDF, freeze
from engagements.proposals.models import Decision, ProposalLink, Verdict
from engagements.reports.models import StatusReport
from estimator.brief.example import example_brief
from estimator.phases import Phase

PHASE = Phase.DATA_PREPARATION
PHASES = itertools.cycle(Phase)
"""So that each that is made of one engagement is another phase of it."""
NUMBERS = itertools.count(1)

PLAN = {
    "task": "chat", "gaps": [], "asks": [], "guidance": "", "temperature": None, "chance": 7, "output_tokens_max": 99,
    "concurrency": 1, "judge_model": "", "score_min": 0, "licence": "ours", "template": "synthesis-1", "controls": [],
}  # fmt: skip

RECORDS_OF_DATA: Mapping[str, Callable[["Home"], str]] = {
    "upload_id": lambda home: home.unaudited(
        Upload, name="tickets.csv", size_bytes=4, sha256="0" * 64, created_by="system",
        created_at=home.house.clock.now(), changed_at=home.house.clock.now(),
    ),
    "source_id": lambda home: home.laid(
        DataSource, name="tickets.csv", kind=Provenance.EXISTING_WORK, licence="theirs", sha256="0" * 64, size_bytes=4,
        created_by="system", created_at=home.house.clock.now(), changed_at=home.house.clock.now(),
    ),
    "job_id": lambda home: home.job(),
    "example_id": lambda home: home.unaudited(
        Example, source_id=home["source_id"], row_number=next(NUMBERS), record_id=new_id("row"), sha256="0" * 64,
        payload='{"id":"a","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}',
        created_at=home.house.clock.now(), changed_at=home.house.clock.now(),
    ),
    "round_id": lambda home: home.laid(
        ReviewRound, number=next(NUMBERS), name="First", created_by="system", created_at=home.house.clock.now()
    ),
    "review_item_id": lambda home: home.unaudited(
        QueueItem, round_id=home["round_id"], example_id=RECORDS["example_id"](home)
    ),
    "synthesis_id": lambda home: home.laid(
        SynthesisRun, endpoint="inhouse", model="large", plan=PLAN, prompt="Write.", cap_minor=100,
        currency="EUR", created_by="system", created_at=home.house.clock.now(),
    ),
    "version_id": lambda home: home.laid(
        DatasetVersion, number=next(NUMBERS), name="v", sha256="0" * 64, policy={"seed": 7, "task": None}, splits=[],
        leakage={"exact": 0, "normalised": 0, "minhash": 0, "ngram": 0, "near_rule": "near", "ngram_rule": "13 words"},
        report={
            "labels": {}, "agreement": None, "personal_data": None, "sealed_on": "2026-11-23",
            "licence": {"passed": True, "note": ""},
        },
        card=datasheet_of(DatasheetFacts(name="v", sha256="0" * 64, made_on="2026-11-23", splits=())).as_json(),
        card_sha256="0" * 64, sealed_at=home.house.clock.now(), sealed_by="system", sealed_by_name="Sixfold",
    ),
    "erasure_id": lambda home: home.laid(
        Erasure, request="letter 1", by="system", by_name="Sixfold", at=home.house.clock.now(),
        found={"examples": [], "rows": {}, "versions": {}, "replaced": [], "erased": False, "retired": []},
    ),
}  # fmt: skip

SPEC = {
    "schema": "sixfold.training-spec/1", "run_id": "run", "backend": "fake", "model": "tiny",
    "train": {"path": "train.jsonl", "sha256": "0" * 64, "rows": 1},
}  # fmt: skip

RECORDS_OF_TRAINING: Mapping[str, Callable[["Home"], str]] = {
    "dataset_version_id": lambda home: home["version_id"],
    "experiment_id": lambda home: home.laid(
        Experiment, name="First", dataset_version_id=home["version_id"], dataset_sha256="0" * 64, cap_minor=100,
        matrix={"design": "one"}, metric="exact_match", scored_rows_max=10, currency="EUR", created_by="system",
        created_at=home.house.clock.now(),
    ),
    "run_id": lambda home: home.training_run(),
    "model_version_id": lambda home: home.laid(
        ModelVersion, number=next(NUMBERS), name="v", experiment_id=home["experiment_id"], run_id=home["run_id"],
        backend="fake", base_model="tiny", model="m", checkpoint_id="c", checkpoint_sha256="0" * 64, step=1,
        reason="the only one", dataset_version_id=home["version_id"], dataset_sha256="0" * 64, spec=SPEC,
        config_sha256="0" * 64, seed=7, environment={}, metrics={}, record_sha256="0" * 64,
        created_at=home.house.clock.now(),
    ),
}  # fmt: skip

RECORDS: Mapping[str, Callable[["Home"], str]] = {
    "alert_id": lambda home: home.of_the_plan(
        Alert,
        kind=AlertKind.HOURS,
        threshold=next(NUMBERS),
        text="80 % used",
        first_at=home.house.clock.now(),
        told_at=home.house.clock.now(),
    ),
    "cost_id": lambda home: home.of_the_plan(
        CostEntry,
        phase=PHASE,
        kind=CostKind.COMPUTE,
        day=date(2026, 11, 23),
        currency="EUR",
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "entry_id": lambda home: home.of_the_plan(
        TimeEntry,
        phase=PHASE,
        person_id="usr_nobody",
        role="annotator",
        day=date(2026, 11, 23),
        minutes=60,
        currency="EUR",
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "invoice_id": lambda home: home.of_the_plan(
        Invoice,
        number=next(NUMBERS),
        day=date(2026, 11, 23),
        lines=[],
        net_minor=0,
        currency="EUR",
        sha256="0" * 64,
        created_by="system",
        created_at=home.house.clock.now(),
    ),
    "brief_id": lambda home: home.make(f"/api/v1/engagements/{home['engagement_id']}/briefs", brief()),
    "client_id": lambda home: home.make("/api/v1/clients", {"name": new_id("Client"), "country": "DE"}),
    "deliverable_id": lambda home: home.of_the_plan(DeliverableRecord, code=new_id("D")[:20], name="Card", phase=PHASE),
    "milestone_id": lambda home: home.of_the_plan(
        Milestone, code=new_id("M")[:20], name="Kick-off", kind=MilestoneKind.OTHER
    ),
    "phase_id": lambda home: home.of_the_plan(PhaseRecord, phase=next(PHASES), changed_at=home.house.clock.now()),
    "change_id": lambda home: home.sent_change(),
    "condition_id": lambda home: home.of_the_plan(
        GateCondition, gate_id=home["gate_id"], phase=PHASE, text="Close the checklist", due=date(2026, 12, 1)
    ),
    "evidence_id": lambda home: home.of_the_plan(
        EvidenceRecord,
        phase=PHASE,
        kind=EvidenceKind.DATASET_VERSION,
        external_id="v1",
        content={"kind": "dataset_version", "name": "v1", "sha256": "0" * 64, "splits": []},
        sha256="0" * 64,
        source="dvc",
        measured_at=home.house.clock.now(),
        recorded_by="system",
        created_at=home.house.clock.now(),
    ),
    "gate_id": lambda home: home.gate_to_sign(),
    "item_id": lambda home: home.of_the_plan(
        RaidItem,
        kind=RaidKind.RISK,
        code=f"R{next(NUMBERS)}",
        title="Late",
        client_sees=True,
        created_at=home.house.clock.now(),
        changed_at=home.house.clock.now(),
    ),
    "contact_id": lambda home: home.make(
        f"/api/v1/clients/{home['client_id']}/contacts", {"name": "Ana", "email": "ana@example.com"}
    ),
    "delivery_id": lambda home: home.make(f"/api/v1/webhooks/{home['webhook_id']}/test", {}),
    "engagement_id": lambda home: home.make("/api/v1/engagements", {"client_id": home["client_id"], "name": "Replies"}),
    "estimate_id": lambda home: home.make(
        f"/api/v1/engagements/{home['engagement_id']}/estimates", {"brief_id": home["brief_id"]}
    ),
    "feed_id": lambda home: home.make("/api/v1/feeds", {"name": "My phone"}),
    "invitation_id": lambda home: home.make(
        "/api/v1/invitations",
        {"email": "bo@example.com", "role": "client_viewer", "client_id": home["client_id"]},
    ),
    "key_id": lambda home: home.make(
        "/api/v1/keys", {"name": "CRM", "role": "client_viewer", "client_id": home["client_id"]}
    ),
    "link_id": lambda home: home.link_to_a_proposal(),
    "notice_id": lambda home: home.someone_told(),
    "person_id": lambda home: home.someone(),
    "proposal_id": lambda home: home.make(
        f"/api/v1/engagements/{home['engagement_id']}/proposals", {"estimate_id": home["estimate_id"]}
    ),
    "report_id": lambda home: home.issued_report(),
    "session_id": lambda home: home.someone_signed_in(),
    "user_id": lambda home: home.someone(),
    **RECORDS_OF_DATA,
    **RECORDS_OF_TRAINING,
    "webhook_id": lambda home: home.make("/api/v1/webhooks", {"url": "https://hooks.example.com/x"}),
}
"""By name of a path parameter, and of a field of a body: makes such a record and says its id."""

OF_AN_ENGAGEMENT = {
    "baseline_id", "condition_id", "evidence_id", "gate_id",
    "engagement_id", "brief_id", "estimate_id", "proposal_id", "link_id", "deliverable_id", "milestone_id", "phase_id",
    "change_id",
    "item_id", "alert_id", "cost_id", "report_id",
    "entry_id", "invoice_id", *RECORDS_OF_DATA, *RECORDS_OF_TRAINING,
}  # fmt: skip
"""Records that are of one engagement, so that a new one of it goes with new ones of these."""


@dataclass(kw_only=True)
class Home:
    """Records of one client of one tenant, each made when it is first asked for."""

    house: Any
    organisation_id: str
    made: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        assert name in RECORDS, f"add {name!r} to RECORDS in homes.py, so that its routes can be walked"
        if name not in self.made:
            self.made[name] = RECORDS[name](self)
        return self.made[name]

    def but_new(self, names: set[str]) -> "Home":
        """The same records but for these, which a step may use up."""
        gone = names | (OF_AN_ENGAGEMENT if "engagement_id" in names and len(names) > 1 else set())
        if not gone & {"engagement_id", "proposal_id"}:
            self.lay_a_baseline()
        kept = {name: made for name, made in self.made.items() if name not in gone}
        return Home(house=self.house, organisation_id=self.organisation_id, made=kept)

    def make(self, path: str, body: object) -> str:
        answer = self.house.api(Role.ADMINISTRATOR, organisation_id=self.organisation_id).post(path, body)
        assert answer.status_code in {200, 201}, f"{path}: {answer.text}"
        return str(answer.json()["id"])

    def someone(self) -> str:
        client_id = self["client_id"]
        with self.house.wiring.store.write() as session:
            return add_user(
                session, system_actor(self.organisation_id), name="Cy", email=f"{new_id('cy')}@example.com",
                role=Role.CLIENT_VIEWER, client_id=client_id, at=self.house.clock.now(),
            ).id  # fmt: skip

    def someone_signed_in(self) -> str:
        user_id = self["user_id"]
        with self.house.wiring.store.write() as session:
            user = session.get_one(User, user_id)
            sign_in.open_session(session, user, Origin(), at=self.house.clock.now(), reason="for the walk")
            return str(sign_in.own_sessions(session, sign_in.actor_of(user), at=self.house.clock.now())[0].id)

    def someone_told(self) -> str:
        row = Notice(
            id=new_id(Notice.PREFIX), organisation_id=self.organisation_id, person_id=self["user_id"],
            topic=new_id("t"), kind="gate.decided", text="The gate is passed", at=self.house.clock.now(),
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(row)
            return row.id

    def link_to_a_proposal(self) -> str:
        owner, at = system_actor(self.organisation_id), self.house.clock.now()
        row = ProposalLink(
            id=new_id(ProposalLink.PREFIX), organisation_id=owner.organisation_id, proposal_id=self["proposal_id"],
            engagement_id=self["engagement_id"], client_id=self["client_id"], recipient_name="Ana",
            recipient_email="ana@example.com", digest=new_id("d"), created_by="system", created_at=at, expires_at=at,
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(row)
            audit.record(session, owner, "link.made", row, at=at)
            return str(row.id)

    def of_the_plan(self, table: type[Record], /, **fields: Any) -> str:
        """A row under a baseline that agrees on nothing; the engagement is not active, so that steps are refused."""
        self.lay_a_baseline()
        return self.laid(table, **fields)

    def lay_a_baseline(self) -> None:
        if "baseline_id" not in self.made:
            at = self.house.clock.now()
            decision_id = self.laid(
                Decision, proposal_id=self["proposal_id"], verdict=Verdict.ACCEPTED, signer_name="Ana",
                signer_email="ana@example.com", pdf_sha256="0" * 64, at=at,
            )  # fmt: skip
            plan = {
                "phases": [], "deliverables": [], "calendar": {"country": "DE", "region": None}, "currency": "EUR",
                "pricing": "fixed", "lines": [], "option": {"id": "run"},
                "agreed": {"net": "0.00", "gross": "0.00", "currency": "EUR"},
            }  # fmt: skip
            self.made["baseline_id"] = self.laid(
                Baseline, proposal_id=self["proposal_id"], decision_id=decision_id, plan=plan, created_at=at
            )

    def laid(self, table: type[Record], /, **fields: Any) -> str:
        owner = system_actor(self.organisation_id)
        owners = {name: self[name] for name in ("engagement_id", "client_id")}
        row = table(id=new_id(table.PREFIX), organisation_id=owner.organisation_id, **owners, **fields)
        with self.house.wiring.store.write() as session:
            session.add(row)
            audit.record(session, owner, "plan.laid", row, at=self.house.clock.now())
            return str(row.id)

    def unaudited(self, table: Any, /, **fields: Any) -> str:
        """A row of a kind that leaves no event of its own."""
        owners = {name: self[name] for name in ("engagement_id", "client_id")}
        row = table(id=new_id(table.PREFIX), organisation_id=self.organisation_id, **owners, **fields)
        with self.house.wiring.store.write() as session:
            session.add(row)
            return str(row.id)

    def job(self) -> str:
        at = self.house.clock.now()
        job_id = self.laid(DataJob, kind=JobKind.CHECK, actor={}, created_at=at)
        with self.house.wiring.store.write() as session:
            session.add(DataJobProgress(job_id=job_id))
        return job_id

    def training_run(self) -> str:
        run_id = self.laid(
            TrainingRun, experiment_id=self["experiment_id"], number=next(NUMBERS), name="only", backend="fake",
            model="tiny", spec=SPEC, digest="0" * 64, created_at=self.house.clock.now(),
        )  # fmt: skip
        with self.house.wiring.store.write() as session:
            session.add(TrainingProgress(run_id=run_id))
        return run_id

    def gate_to_sign(self) -> str:
        """Of a phase that is there, waiting for the client."""
        assert self["phase_id"]
        return self.of_the_plan(
            GateDecision, phase=PHASE, round=1, sitting=next(NUMBERS), verdict=GateVerdict.GO,
            state=GateState.AWAITING_CLIENT, decided_by="system", decided_by_name="Sixfold", at=self.house.clock.now(),
        )  # fmt: skip

    def sent_change(self) -> str:
        """With the client, so that people of both sides find it."""
        at = self.house.clock.now()
        return self.of_the_plan(
            ChangeRequest, number=next(NUMBERS), title="More", reason="It is.", on_baseline=1, state=ChangeState.SENT,
            sent_at=at, created_by="system", created_at=at, changed_at=at,
        )  # fmt: skip

    def issued_report(self) -> str:
        """With a page that can be drawn."""
        at, page = self.house.clock.now(), io.BytesIO()
        writer = pypdf.PdfWriter()
        writer.add_blank_page(width=595, height=842)
        writer.write(page)
        with self.house.wiring.store.write() as session:
            kept = freeze(session, self.organisation_id, page.getvalue(), media_type=PDF, name="report.pdf", at=at)
            digest = kept.sha256
        return self.of_the_plan(
            StatusReport, number=1, day=at.date(), health=Health.ON_TRACK, facts={}, pdf_sha256=digest,
            created_by="system", created_at=at,
        )  # fmt: skip

    def api(self, role: Role) -> Any:
        client_id = self["client_id"] if role.is_client else None
        return self.house.api(role, organisation_id=self.organisation_id, client_id=client_id)

    def ids(self, route: Any) -> dict[str, str]:
        return {name: self[name] for name in route.mentions}


def invented(names: set[str], like: Home) -> dict[str, str]:
    """Ids that look like ours and name nothing."""
    return {name: new_id(like[name].partition("_")[0]) if "_" in like[name] else "0" * 64 for name in names}


def brief() -> object:
    return {"content": _plain(tomllib.loads(example_brief(date(2026, 11, 22))))}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case date() | datetime():
            return value.isoformat()
        case _:
            return value
