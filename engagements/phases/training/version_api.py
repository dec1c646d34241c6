"""Model versions over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlmodel import Session, col

from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.phases.training import reading
from engagements.phases.training.models import ModelVersion
from engagements.phases.training.schemas import ModelVersionOut
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit, page_of
from engagements.web.routes import get


class EngagementModels(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/model-versions"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="Its model versions, newest first")
    def list_versions(
        self, engagement_id: FromPath[str], call: Call, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ModelVersionOut]:
        def found(session: Session) -> Page[ModelVersionOut]:
            find(session, call.actor, Engagement, engagement_id)
            chosen = scoped(ModelVersion, call.actor).where(col(ModelVersion.engagement_id) == engagement_id)
            return page_of(session, chosen, ModelVersion, reading.model_version_out, limit=limit, cursor=cursor)

        return call.read(found)


class ModelVersions(Controller):
    path = "/api/v1/model-versions/{model_version_id:str}"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="One model version")
    def show(self, model_version_id: FromPath[str], call: Call) -> ModelVersionOut:
        return call.read(lambda s: reading.model_version_out(find(s, call.actor, ModelVersion, model_version_id)))

    @get("/record", permission=Permission.VIEW_TRAINING, summary="The record that repeats it")
    def download(self, model_version_id: FromPath[str], call: Call) -> Response[str]:
        """Canonical JSON; its ETag is its sha256."""
        record, sha256 = call.read(lambda s: reading.record_of_version(s, call.actor, model_version_id))
        return Response(record, media_type="application/json", headers={"ETag": f'"{sha256}"'})


ROUTES: Final[Sequence[ControllerRouterHandler]] = (EngagementModels, ModelVersions)
