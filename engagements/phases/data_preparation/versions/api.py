"""Sealed datasets over /api/v1: sealed, read, compared, traced, opened for evaluations; persons erased from them."""

from collections.abc import Sequence
from typing import Annotated, Final

import orjson
from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.phases.data_preparation.versions import (
    document,
    erasure,
    exporting,
    lineage,
    proving,
    reading,
    sealed,
    sealing,
)
from engagements.phases.data_preparation.versions.exporting import CANONICAL, Download
from engagements.phases.data_preparation.versions.models import DatasetVersion, Erasure
from engagements.phases.data_preparation.versions.schemas import (
    CardOut,
    DiffOut,
    ErasureIn,
    ErasureOut,
    ExampleLineageOut,
    FoundOut,
    OpenedSplitOut,
    OpenIn,
    SealedReadOut,
    SealIn,
    SearchIn,
    SettleIn,
    VersionLineageOut,
    VersionOut,
)
from engagements.phases.data_preparation.versions.searching import Found, search
from engagements.proposals.proposal_api import pdf_response
from engagements.web.call import Call, CallOfRequest
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get, post

_PDF: Final = "application/pdf"
_LINES: Final = "application/jsonl"
FormatName = Annotated[str, QueryParameter(name="format", max_length=40, description="canonical, or a provider's.")]
Against = Annotated[
    str, QueryParameter(max_length=40, description="The version to compare with; the one before if left out.")
]


class EngagementDatasets(Controller):
    path = "/api/v1/engagements/{engagement_id:str}"
    tags = ("Datasets",)

    @get("/dataset-versions", permission=Permission.VIEW_DELIVERY, summary="Its sealed datasets")
    def list_versions(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[VersionOut]:
        def found(session: Session) -> Page[VersionOut]:
            chosen = reading.versions_of(session, call.actor, engagement_id)
            return page_of(
                session, chosen, DatasetVersion, lambda row: reading.version_out(row, call.actor), limit=limit,
                cursor=cursor,
            )  # fmt: skip

        return call.read(found)

    @post("/dataset-versions", permission=Permission.SEAL_DATA, summary="Seal a dataset of what is accepted")
    def seal(self, engagement_id: FromPath[str], data: JSONBody[SealIn], call: Call) -> Response[JobOut]:
        """The job that does it; its result names the version. 409 while another one runs, or personal data is open."""
        return call.create(lambda s: job_out(s, sealing.ask_to_seal(s, call.actor, engagement_id, data, at=call.now)))

    @get("/erasures", permission=Permission.VIEW_DATA, summary="Persons who were erased")
    def list_erasures(self, engagement_id: FromPath[str], call: Call) -> Page[ErasureOut]:
        return Page(items=call.read(lambda s: erasure.erasures_of(s, call.actor, engagement_id)))

    @post("/erasures/preview", permission=Permission.ERASE_DATA, summary="Where a person is", status_code=200)
    def preview(self, engagement_id: FromPath[str], data: JSONBody[SearchIn], call: Call) -> FoundOut:
        """Nothing is changed, and what is looked for is kept nowhere."""
        found = found_in(call, engagement_id, data)
        return call.read(lambda s: erasure.found_out(s, call.actor, engagement_id, found.as_json()))

    @post("/erasures", permission=Permission.ERASE_DATA, summary="Erase a person")
    def open_erasure(self, engagement_id: FromPath[str], data: JSONBody[ErasureIn], call: Call) -> Response[ErasureOut]:
        """Everywhere at once, by a job; the erasure stays open while a release serves that has learned from it."""
        found: list[Found] = []

        def opened(session: Session) -> ErasureOut:
            row = erasure.open_erasure(session, call.actor, engagement_id, data, found[-1], at=call.now)
            return erasure.erasure_out(session, call.actor, row)

        return call.create(opened, prepare=lambda: found.append(found_in(call, engagement_id, data)))


class Datasets(Controller):
    path = "/api/v1/dataset-versions/{version_id:str}"
    tags = ("Datasets",)

    @get(permission=Permission.VIEW_DELIVERY, summary="One sealed dataset")
    def show(self, version_id: FromPath[str], call: Call) -> Response[VersionOut]:
        return call.show(lambda s: reading.version_out(find(s, call.actor, DatasetVersion, version_id), call.actor))

    @get("/card", permission=Permission.VIEW_DELIVERY, summary="Its datasheet")
    def card(self, version_id: FromPath[str], call: Call) -> CardOut:
        return call.read(lambda s: reading.card_of(s, call.actor, version_id))

    @get("/card.pdf", permission=Permission.VIEW_DELIVERY, summary="Its datasheet on paper", media_type=_PDF)
    def card_on_paper(self, version_id: FromPath[str], call: Call) -> Response[bytes]:
        agency = call.request.app.state.wiring.settings.agency
        view, look = call.read(lambda s: document.composed(s, call.actor, version_id, agency))
        return pdf_response(document.datasheet_paper(view, look))

    @get("/diff", permission=Permission.VIEW_DATA, summary="What is different from another version")
    def diff(self, version_id: FromPath[str], call: Call, against: Against = "") -> DiffOut:
        return call.read(lambda s: reading.diff_out(reading.diff_of(s, call.actor, version_id, against)))

    @get("/lineage", permission=Permission.VIEW_DATA, summary="What it was made of, and all made of it")
    def lineage(self, version_id: FromPath[str], call: Call) -> VersionLineageOut:
        return call.read(lambda s: lineage.version_lineage(s, call.actor, version_id))

    @get("/manifest", permission=Permission.VIEW_DATA, summary="Its examples by id and digest", media_type=_LINES)
    def manifest(self, version_id: FromPath[str], call: Call) -> Stream:
        storage = call.request.app.state.wiring.storage
        return streamed(call.read(lambda s: exporting.manifest_of(s, storage, call.actor, version_id)))

    @get("/export", permission=Permission.PREPARE_DATA, summary="A split as a file", media_type=_LINES)
    def export(
        self, version_id: FromPath[str], call: Call, split: FromQuery[SplitName] = SplitName.TRAIN,
        form: FormatName = CANONICAL,
    ) -> Stream:  # fmt: skip
        """409 for the test split, which is opened for an evaluation and no download."""
        storage = call.request.app.state.wiring.storage
        return streamed(call.read(lambda s: exporting.download_of(s, storage, call.actor, version_id, split, form)))

    @post("/test-split", permission=Permission.SEAL_DATA, summary="Open the sealed test split")
    def open_test_split(self, version_id: FromPath[str], data: JSONBody[OpenIn], call: Call) -> OpenedSplitOut:
        """For an evaluation. Every call is written down, and no answer is kept: an Idempotency-Key is not honoured."""
        storage = call.request.app.state.wiring.storage

        def opened(session: Session) -> OpenedSplitOut:
            found = sealed.open_test_split(session, storage, call.actor, version_id, purpose=data.purpose, at=call.now)
            return OpenedSplitOut(
                read=SealedReadOut.of(found.read), sha256=found.split.sha256, erased=found.split.erased,
                examples=[orjson.loads(line) for line in found.lines()],
            )  # fmt: skip

        return call.write(opened)

    @get("/accesses", permission=Permission.VIEW_DATA, summary="Who opened its test split, and what for")
    def accesses(self, version_id: FromPath[str], call: Call) -> Page[SealedReadOut]:
        return Page(
            items=call.read(lambda s: [SealedReadOut.of(row) for row in sealed.reads_of(s, call.actor, version_id)])
        )

    @post("/evidence", permission=Permission.SEAL_DATA, summary="Record it at gate 1", status_code=200)
    def record_evidence(self, version_id: FromPath[str], call: Call) -> Response[VersionOut]:
        """Where that failed when it was sealed. Done already, it changes nothing."""
        return call.act(
            lambda s: reading.version_out(proving.record(s, call.actor, version_id, at=call.now), call.actor)
        )


class ExampleLineage(Controller):
    path = "/api/v1/examples/{example_id:str}/lineage"
    tags = ("Datasets",)

    @get(permission=Permission.VIEW_DATA, summary="Where an example came from, and all made of it")
    def show(self, example_id: FromPath[str], call: Call) -> ExampleLineageOut:
        return call.read(lambda s: lineage.example_lineage(s, call.actor, example_id))


class Erasures(Controller):
    path = "/api/v1/erasures/{erasure_id:str}"
    tags = ("Datasets",)

    @get(permission=Permission.VIEW_DATA, summary="One erasure")
    def show(self, erasure_id: FromPath[str], call: Call) -> Response[ErasureOut]:
        return call.show(lambda s: erasure.erasure_out(s, call.actor, find(s, call.actor, Erasure, erasure_id)))

    @post("/settle", permission=Permission.ERASE_DATA, summary="Nothing serves any more that knew it", status_code=200)
    def settle(self, erasure_id: FromPath[str], data: JSONBody[SettleIn], call: Call) -> Response[ErasureOut]:
        """409 while a release still serves a model that has learned from what was erased."""
        return call.act(
            lambda s: erasure.erasure_out(s, call.actor, erasure.settle(s, call.actor, erasure_id, data, at=call.now))
        )


def found_in(call: CallOfRequest, engagement_id: str, data: SearchIn) -> Found:
    """A search reads much, so it is done before the transaction that writes."""
    storage = call.request.app.state.wiring.storage
    return call.read(lambda s: search(s, storage, call.actor, engagement_id, data))


def streamed(download: Download) -> Stream:
    headers = {"Content-Disposition": f'attachment; filename="{download.name}"'}
    if download.sha256:
        headers["ETag"] = f'"{download.sha256}"'
    return Stream(download.content, media_type=_LINES, headers=headers)


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementDatasets, Datasets, ExampleLineage, Erasures)
