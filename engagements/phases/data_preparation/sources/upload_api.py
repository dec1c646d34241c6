"""Uploads over /api/v1: declared, sent in pieces, asked about, completed or given up."""

from typing import Any

from litestar import Controller, Request, Response
from litestar.params import FromPath, JSONBody

from engagements.core.errors import EngagementError
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.phases.data_preparation.models import Upload
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.sources import uploads
from engagements.phases.data_preparation.sources.receiving import Receiver, give_up, put_together
from engagements.phases.data_preparation.sources.schemas import UploadIn, UploadOut
from engagements.web.call import Call, CallOfRequest
from engagements.web.routes import get, post, put_stream
from engagements.web.streams import BodyTooLong, pieces_of

_BYTES = "application/octet-stream"


class NotBytes(EngagementError):
    code, status = "unsupported_media_type", 415


class EngagementUploads(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data/uploads"
    tags = ("Data",)

    @get(permission=Permission.PREPARE_DATA, summary="Its uploads under way")
    def list_uploads(self, engagement_id: FromPath[str], call: Call) -> Page[UploadOut]:
        return call.read(
            lambda s: Page(items=[UploadOut.of(row) for row in uploads.uploads_of(s, call.actor, engagement_id)])
        )

    @post(permission=Permission.PREPARE_DATA, summary="Declare a file that will be sent")
    def declare(self, engagement_id: FromPath[str], data: JSONBody[UploadIn], call: Call) -> Response[UploadOut]:
        """A file of the same size and sha256 that you began to send is the same upload: go on where it stopped."""
        return call.create(lambda s: UploadOut.of(uploads.declare(s, call.actor, engagement_id, data, at=call.now)))


class Uploads(Controller):
    path = "/api/v1/uploads/{upload_id:str}"
    tags = ("Data",)

    @get(permission=Permission.PREPARE_DATA, summary="How much of it is there")
    def show_upload(self, upload_id: FromPath[str], call: Call) -> Response[UploadOut]:
        return call.show(lambda s: UploadOut.of(find_row(s, call.actor, Upload, upload_id)))

    @put_stream("/content", permission=Permission.PREPARE_DATA, summary="Send bytes of it")
    async def send(self, upload_id: FromPath[str], request: Request[Any, Any, Any], call: Call) -> UploadOut:
        """The body is `application/octet-stream`; `Content-Range: bytes 0-1048575/4194304` says which bytes it is.

        Bytes that are there already may be sent again. After a cut, go on from `received`.
        """
        receiver = _receiver(call, upload_id)
        span = receiver.span(request.headers.get("content-range"))
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != _BYTES:
            raise NotBytes("pieces of a file are application/octet-stream", remedy="set Content-Type")
        if int(request.headers.get("content-length", 0)) > span.size_bytes:
            raise BodyTooLong(f"the body holds more than the {span.size_bytes:,} bytes that are expected")
        return await receiver.receive(span, pieces_of(request.receive, bytes_max=span.size_bytes))

    @post("/complete", permission=Permission.PREPARE_DATA, summary="All of it was sent", status_code=200)
    def complete(self, upload_id: FromPath[str], call: Call) -> Response[UploadOut]:
        """422 `digest_mismatch` where it is not what was declared; then nothing of it is kept."""
        store, storage = call.store, _storage(call)
        places = uploads.places_of(store, upload_id)
        answer = call.act(
            lambda s: UploadOut.of(uploads.finish(s, call.actor, upload_id, at=call.now)),
            prepare=lambda: put_together(store, storage, call.actor, upload_id, at=call.now),
        )
        for place in places:
            storage.drop_part(place)
        return answer

    @post("/abandon", permission=Permission.PREPARE_DATA, summary="Throw away what was sent", status_code=200)
    def abandon(self, upload_id: FromPath[str], call: Call) -> Response[UploadOut]:
        return call.act(
            lambda s: UploadOut.of(find_row(s, call.actor, Upload, upload_id)),
            prepare=lambda: give_up(call.store, _storage(call), call.actor, upload_id, at=call.now),
        )


def _storage(call: CallOfRequest) -> Any:
    return call.request.app.state.wiring.storage


def _receiver(call: CallOfRequest, upload_id: str) -> Receiver:
    return Receiver(store=call.store, storage=_storage(call), now=call.clock.now, actor=call.actor, upload_id=upload_id)
