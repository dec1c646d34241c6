"""card.html: the datasheet of a prepared dataset with its proof, in one file that needs nothing else and prints."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from engagements.phases.data_preparation.preparing.datasheet import datasheet_of
from engagements.phases.data_preparation.preparing.facts import SourceFact, SplitFact
from engagements.phases.data_preparation.preparing.prepared import Prepared
from engagements.phases.data_preparation.preparing.reported import reported_facts
from engagements.phases.data_preparation.preparing.sheet import UNKNOWN, Cell, Table
from engagements.phases.data_preparation.records import Provenance
from engagements.rendering import environment

_FIXES_SHOWN: Final = 12
_NOT_COMPARED: Final = "not compared"


def card_of(prepared: Prepared, report: Mapping[str, Any], *, name: str, made_on: str) -> str:
    """The card as HTML. `name` is how the dataset is called; `made_on` a day as people write it."""
    splits = tuple(
        SplitFact(name=split, examples=found["examples"], sha256=found["sha256"], labels=found["labels"])
        for split, found in report["splits"].items()
    )
    facts = reported_facts(
        report, name=name, sha256=prepared.digest, made_on=made_on, splits=splits, sources=tuple(_sources(prepared))
    )
    return environment().get_template("documents/card.html").render(
        sheet=datasheet_of(facts), facts=_counts(report), proof=_proof(report["decontamination"]),
        proven=not sum(report["leaks"].values()), decontamination=report["decontamination"],
        findings=_findings(report["check"]["findings"]), problems=_problems(report["problem_counts"]),
    )  # fmt: skip


def _sources(prepared: Prepared) -> Iterator[SourceFact]:
    accounts = {source.name: source for source in prepared.sources}
    for (source, kind, author, licence), examples in prepared.origins.items():
        read = accounts.get(source)
        yield SourceFact(
            name=source or UNKNOWN, kind=Provenance(kind), examples=examples, author=author, licence=licence,
            rows_in=read.rows_in if read else None, kept=read.kept if read else None,
        )  # fmt: skip


def _counts(report: Mapping[str, Any]) -> Mapping[str, int]:
    """What stands at the head of the card."""
    return {
        "Examples": report["kept"],
        **{split.capitalize(): found["examples"] for split, found in report["splits"].items()},
        "Rows in": report["rows_in"],
        "Exact duplicates left out": report["exact_duplicates"],
        "Near-duplicate clusters": report["near_duplicate_clusters"],
        "Leaks between splits": sum(report["leaks"].values()),
    }


def _proof(found: Mapping[str, Any]) -> Table:
    kinds = {
        "exact": "The question as written", "normalised": "The question, normalised",
        "minhash": f"Near copies ({found['near_rule']})", "ngram": f"Shared passages ({found['ngram_rule']})",
        "embedding": "The same by embedding",
    }  # fmt: skip
    chance = {"exact": "among the normalised", **found["by_chance"]}
    rows = tuple((said, chance.get(kind, _NOT_COMPARED), _compared(found[kind])) for kind, said in kinds.items())
    columns = ("What is the same", "Split by chance", "In this split")
    return Table(caption="Pairs of examples in different splits", columns=columns, rows=rows)


def _compared(pairs: int | None) -> Cell:
    return _NOT_COMPARED if pairs is None else pairs


def _findings(found: list[Mapping[str, Any]]) -> Table | None:
    rows = tuple((each["code"], each["severity"], each["examples"], each["remedy"]) for each in found[:_FIXES_SHOWN])
    caption = "In the rows as they came, before any was left out"
    return (
        Table(caption=caption, columns=("Finding", "Severity", "Examples", "What to do"), rows=rows) if rows else None
    )


def _problems(counts: Mapping[str, int]) -> Table | None:
    caption = "By code; each is listed in report.json with its line"
    return Table(caption=caption, columns=("Problem", "Times"), rows=tuple(counts.items())) if counts else None
