"""Where a provider tells that something happened to a job: a hint to look now. What happened, only its API says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlalchemy import update
from sqlmodel import Session, col, select

from backends.openai_api.webhooks import SignatureInvalid, Webhook, verify
from engagements.core.errors import Unauthenticated
from engagements.phases.training.experiment_api import parts_of
from engagements.phases.training.models import ENDED, TrainingProgress, TrainingRun
from engagements.web.call import Call, CallOfRequest
from engagements.web.routes import PUBLIC, post


class BadSignature(Unauthenticated):
    """It is not from the provider, or is too old."""

    code = "bad_signature"


class ProviderWebhooks(Controller):
    path = "/api/v1/training-webhooks/{name:str}"
    tags = ("Training",)

    @post(permission=PUBLIC, status_code=200, summary="A provider tells of a job", include_in_schema=False)
    def hear(self, name: FromPath[str], call: Call) -> Response[None]:
        """Signed as Standard Webhooks has it. 401 for anything else; 200 for repeats and unknown jobs, to no effect."""
        told = verified(call, name)
        call.write(lambda s: look_now(s, name, told.data.id, at=call.now))
        return Response(None)


def verified(call: CallOfRequest, name: str) -> Webhook:
    """Raises `BadSignature`, for a backend that takes no webhooks as for a signature that does not hold."""
    secret = parts_of(call).trainers.webhook_secret(name)
    body: bytes = call.request.scope["state"].get("body", b"")
    if not secret:
        raise BadSignature("this signature does not hold", remedy="sign with the secret of this endpoint")
    try:
        return verify(secret=secret, headers=dict(call.request.headers), body=body, now=call.now)
    except (SignatureInvalid, ValueError) as error:
        raise BadSignature("this signature does not hold", remedy="sign with the secret of this endpoint") from error


def look_now(session: Session, backend: str, reference: str, *, at: datetime) -> None:
    """The run of this job is due, where it is known and has not ended."""
    known = select(TrainingRun.id).where(
        col(TrainingRun.backend) == backend, col(TrainingRun.reference) == reference,
        col(TrainingRun.state).not_in(ENDED),
    )  # fmt: skip
    session.execute(
        update(TrainingProgress)
        .where(col(TrainingProgress.run_id).in_(known), col(TrainingProgress.next_due_at) > at)
        .values(next_due_at=at)
    )


ROUTES: Final[Sequence[ControllerRouterHandler]] = (ProviderWebhooks,)
