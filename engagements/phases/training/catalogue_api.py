"""The catalogue of models over /api/v1."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller
from litestar.types import ControllerRouterHandler

from engagements.core.roles import Permission
from engagements.phases.training.catalogue import catalogue_of
from engagements.phases.training.catalogue_schemas import CatalogueOut
from engagements.phases.training.experiment_api import parts_of
from engagements.web.call import Call
from engagements.web.routes import get


class Catalogue(Controller):
    path = "/api/v1/training/catalogue"
    tags = ("Training",)

    @get(permission=Permission.VIEW_TRAINING, summary="What can be trained, where, for how much, until when")
    def show(self, call: Call) -> CatalogueOut:
        parts = parts_of(call)
        return catalogue_of(parts.trainers, parts.book, today=call.now.date())


ROUTES: Final[Sequence[ControllerRouterHandler]] = (Catalogue,)
