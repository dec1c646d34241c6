"""The manifest of a version: which example, as it read then, is in which split. Its sha256 names the version.

One JSON object on the first line, then one line for each example by its id: [record id, sha256 of its content, split].
It holds no texts, so it stays as it is when an example is erased. The same examples, splits, policy and parent give
the same bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from engagements.delivery.evidence import SplitName

SCHEMA: Final = 1
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`sha256`: of the example's content (`Record.content_sha256`)."""

    record_id: str
    sha256: str
    split: SplitName


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSplit:
    """`sha256`: of its JSON Lines as they were sealed. `kept`: of those that are kept now, another after an erasure."""

    name: SplitName
    examples: int
    sha256: str
    kept: str
    erased: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name.value, "examples": self.examples, "sha256": self.sha256, "kept": self.kept,
            "erased": self.erased,
        }  # fmt: skip

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "SealedSplit":
        return cls(**{**content, "name": SplitName(content["name"])})


def manifest_lines(
    members: Iterable[Member], splits: Sequence[SealedSplit], policy: Mapping[str, Any], parent: str | None
) -> Iterator[bytes]:
    """`members` in the order of their ids. `parent`: the sha256 of the version before."""
    head = {
        "schema": SCHEMA, "parent": parent, "policy": dict(policy),
        "splits": [{"name": each.name, "examples": each.examples, "sha256": each.sha256} for each in splits],
    }  # fmt: skip
    yield orjson.dumps(head, option=_OPTIONS)
    for member in members:
        yield orjson.dumps([member.record_id, member.sha256, member.split], option=orjson.OPT_APPEND_NEWLINE)


def content_sha256(splits: Sequence[SealedSplit], policy: Mapping[str, Any]) -> str:
    """The same for the same examples in the same splits by the same policy, whatever came before."""
    content = {"policy": dict(policy), "splits": [[each.name, each.sha256] for each in splits]}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
