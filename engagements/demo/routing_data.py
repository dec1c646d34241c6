"""Phase 1 of the second engagement: a hundred short tickets, imported, checked, reviewed in bulk and sealed."""

from typing import Final

from engagements.client import Sixfold
from engagements.client.datasets import DatasetVersion
from engagements.client.review import ItemAnswer, ReviewItem
from engagements.demo.data import LICENCE, RAW, wait
from engagements.demo.house import DELIVERY, LABELLERS, House
from engagements.demo.routing import CSV_NAME, instruction, queues
from engagements.demo.words import note

_AT_ONCE: Final = 50
_SHARES: Final = {"train": 0.6, "validation": 0.2, "test": 0.2}
_SEED: Final = 3


def prepare(url: str, delivery: Sixfold, house: House, engagement_id: str) -> DatasetVersion:
    _collect(delivery, engagement_id)
    _review(url, delivery, house, engagement_id)
    wait(delivery, delivery.datasets.seal(engagement_id, name="routing@v1", seed=_SEED, shares=_SHARES))
    version = next(delivery.datasets.list(engagement_id))
    sizes = ", ".join(f"{split.examples} {split.name}" for split in version.splits)
    note(DELIVERY, f"seals {version.name}: {sizes}; sha256 {version.sha256[:12]}, which every run will name")
    return version


def _collect(delivery: Sixfold, engagement_id: str) -> None:
    upload = delivery.uploads.send(engagement_id, RAW / CSV_NAME)
    columns = {"input": ["message"], "target": "queue", "id": "ticket"}
    source = delivery.sources.add(
        engagement_id, "historical", upload_id=upload.id, licence=LICENCE,
        mapping={**columns, "task": "classification", "system_prompt": instruction()},
    )  # fmt: skip
    wait(delivery, delivery.sources.start_import(source.id))
    told = delivery.sources.get(source.id)
    wait(delivery, delivery.examples.check(
        engagement_id, task="classification", languages=["en"], labels=list(queues())
    ))  # fmt: skip
    delivery.examples.exclude_duplicates(engagement_id)
    seen = delivery.examples.standing(engagement_id)
    found = f"{seen.duplicates or 0} copies, personal data in {seen.personal_data or 0}"
    note(DELIVERY, f"imports {CSV_NAME}: {told.kept} of {told.rows_in} rows, {len(queues())} queues; {found}")


def _review(url: str, delivery: Sixfold, house: House, engagement_id: str) -> None:
    """By two people, blind; fifty answers a call."""
    names = LABELLERS[:2]
    opened = delivery.reviews.open(
        engagement_id, "All, by two, blind", [house.people[name] for name in names], overlap=2, seed=7,
        guideline="Accept where the queue is the one that would answer the ticket.",
        selection={"order": "chance", "size": 1_000},
    )  # fmt: skip
    for name in names:
        with Sixfold(url, house.keys[name]) as reviewer:
            while handed := reviewer.reviews.next(opened.id, _AT_ONCE).items:
                reviewer.reviews.answer_all(opened.id, [_accepted(item) for item in handed])
    delivery.reviews.close(opened.id)
    accepted = delivery.examples.standing(engagement_id).states.get("accepted", 0)
    note("Two reviewers", f"see them all, blind to each other, fifty answers a call: {accepted} accepted")


def _accepted(item: ReviewItem) -> ItemAnswer:
    return {
        "item_id": item.id, "content_sha256": item.content_sha256, "decision": "accept", "accuracy": 5,
        "consistency": 5, "completeness": 5, "format": 5, "edge_case": 3, "seconds": 6.0,
    }  # fmt: skip
