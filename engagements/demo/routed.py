"""The client's second engagement from end to end: agreed, prepared, trained by the server, held against before."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from engagements.client import Sixfold
from engagements.client.models import Engagement
from engagements.demo import agreeing, held_out, routing_data, training
from engagements.demo.house import DELIVERY, LEAD, House
from engagements.demo.model.weights import NAME
from engagements.demo.rehearsing import rehearse
from engagements.demo.server import Running
from engagements.demo.story import Story


def route(running: Running, house: House, story: Story, first: Engagement, brief: Mapping[str, Any]) -> None:
    """`brief`: of the first engagement. The small model lies on this machine, and the server's local backend has it."""
    client_name = brief["client"]["contact_name"]
    engagement = agreeing.agree(running.url, house, story, first, brief)
    with (
        Sixfold(running.url, house.keys[DELIVERY]) as delivery, Sixfold(running.url, house.keys[LEAD]) as lead,
        Sixfold(running.url, house.keys[client_name]) as client,
    ):  # fmt: skip
        agreeing.begin(delivery, house, engagement.id, client_name)
        version = routing_data.prepare(running.url, delivery, house, engagement.id)
        for phase, following in (("data_preparation", "baseline_evaluation"), ("baseline_evaluation", "training")):
            agreeing.overrule(lead, client, delivery, engagement.id, phase, next_one=following)
        rehearse(delivery, version)
        story.live()
        trainers = running.wiring.trainers
        trainer = trainers.named(training.BACKEND)
        # Held open, so that each checkpoint that is measured finds the base model loaded.
        with closing(trainer.predictor(NAME)):
            chosen = training.train(delivery, engagement.id, version, runs=trainers.folder / training.BACKEND)
            training.say_the_gate(delivery, engagement.id)
            held_out.compare(trainer, chosen)
