"""The datasheet of a dataset, made of what was recorded: nothing is typed in, and what nobody knows is unknown.

The questions are those of T. Gebru et al., Datasheets for Datasets (Communications of the ACM 64(12), 2021), in their
seven sections; the ones that a record can answer.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from engagements.phases.data_preparation.preparing.facts import AgreementFact, DatasheetFacts, LeakageFact
from engagements.phases.data_preparation.preparing.sheet import UNKNOWN, Answer, Datasheet, Section, Table
from engagements.phases.data_preparation.records import Provenance, Task

LABELS_LISTED: Final = 30


def datasheet_of(facts: DatasheetFacts) -> Datasheet:
    sections = (
        Section(code="motivation", title="Motivation", answers=tuple(_motivation(facts))),
        Section(
            code="composition", title="Composition", answers=tuple(_composition(facts)),
            tables=tuple(_composition_tables(facts)),
        ),
        Section(
            code="collection", title="Collection", answers=tuple(_collection(facts)),
            tables=tuple(_source_tables(facts)),
        ),
        Section(
            code="preparation", title="Preprocessing and labelling", answers=tuple(_preparation(facts)),
            tables=tuple(_dropped_tables(facts)),
        ),
        Section(code="uses", title="Uses", answers=tuple(_uses(facts))),
        Section(code="distribution", title="Distribution", answers=tuple(_distribution(facts))),
        Section(code="maintenance", title="Maintenance", answers=tuple(_maintenance(facts))),
    )  # fmt: skip
    return Datasheet(
        name=facts.name, sha256=facts.sha256, made_on=facts.made_on, examples=facts.examples, sections=sections
    )


_INSTANCES: Final[Mapping[Task, str]] = {
    Task.CLASSIFICATION: "A text with the class that it belongs to, as a chat of a question and its answer.",
    Task.EXTRACTION: "A text with the object that is to be read out of it, as a chat of a question and its answer.",
    Task.GENERATION: "A request with the text that answers it, as a chat.",
    Task.CHAT: "A conversation between a person and an assistant.",
    Task.TOOLS: "A conversation in which an assistant calls tools.",
    Task.PREFERENCE: "A request with an answer that is liked more and one that is liked less.",
}


def _motivation(facts: DatasheetFacts) -> Iterator[Answer]:
    task = f"To teach a model {_TASKS[facts.task]}." if facts.task else None
    yield Answer(question="For what purpose was it created?", text=facts.purpose or task)
    yield Answer(question="Who created it?", text=facts.made_by)
    yield Answer(question="On whose behalf?", text=facts.made_for)


_TASKS: Final[Mapping[Task, str]] = {
    Task.CLASSIFICATION: "to classify texts",
    Task.EXTRACTION: "to extract objects from texts",
    Task.GENERATION: "to write texts",
    Task.CHAT: "to converse",
    Task.TOOLS: "to call tools",
    Task.PREFERENCE: "which of two answers people prefer",
}


def _composition(facts: DatasheetFacts) -> Iterator[Answer]:
    labels = {label for split in facts.splits for label in split.labels}
    yield Answer(question="What is one instance?", text=_INSTANCES[facts.task] if facts.task else None)
    yield Answer(question="How many instances are there?", text=f"{_count(facts.examples, 'example')}.")
    if labels:
        yield Answer(question="Is there a label?", text=f"Yes, one of {_count(len(labels), 'class', 'classes')}.")
    yield Answer(question="Which languages?", text=_languages(facts))
    yield Answer(question="Are there recommended splits?", text=_split_rule(facts))
    yield Answer(question="Does a test example stand in training, or nearly?", text=_leakage(facts.leakage))
    yield Answer(question="Are there redundancies?", text=_redundancies(facts))
    yield Answer(question="Is there personal data in it?", text=_personal_data(facts))
    yield Answer(question="What is missing that is known to be?", text=_gaps(facts))


def _languages(facts: DatasheetFacts) -> str | None:
    told = {language: count for language, count in (facts.languages or {}).items() if language != UNKNOWN}
    if not told:
        return None
    most_first = sorted(told.items(), key=lambda pair: (-pair[1], pair[0]))
    listed = "; ".join(f"{language}: {_count(count, 'example')}" for language, count in most_first)
    sampled = facts.languages_sampled
    return f"{listed}." if sampled is None else f"Of {_count(sampled, 'example')} looked at: {listed}."


def _split_rule(facts: DatasheetFacts) -> str | None:
    seeded = f" Seed {facts.seed}." if facts.seed is not None else ""
    return f"{_sentence(facts.rule)}{seeded}" if facts.rule else (seeded.strip() or None)


def _leakage(found: LeakageFact | None) -> str | None:
    if found is None:
        return None
    said = f"{found.exact:,} exact, {found.normalised:,} normalised and {found.near:,} near copies ({found.near_rule})"
    ngram = f", {found.ngram:,} by shared runs of words" if found.ngram is not None else ""
    embedding = f", {found.embedding:,} by embedding" if found.embedding is not None else ", embeddings not compared"
    return f"{said}{ngram}{embedding}."


def _redundancies(facts: DatasheetFacts) -> str | None:
    if facts.exact_duplicates is None and facts.near_duplicate_clusters is None:
        return None
    exact, clusters = (
        UNKNOWN if count is None else f"{count:,}" for count in (facts.exact_duplicates, facts.near_duplicate_clusters)
    )
    return f"Exact duplicates left out: {exact}. Clusters of near duplicates, each in one split: {clusters}."


def _personal_data(facts: DatasheetFacts) -> str | None:
    handled = f" {_sentence(facts.personal_data_handling)}" if facts.personal_data_handling else ""
    if facts.personal_data is None:
        return handled.strip() or None
    if not facts.personal_data:
        return f"None was found.{handled}"
    found = ", ".join(f"{_count(count, 'example')} {name}" for name, count in sorted(facts.personal_data.items()))
    return f"Found by patterns: {found}.{handled}"


def _gaps(facts: DatasheetFacts) -> str | None:
    if facts.gaps is None:
        return None
    return " ".join(map(_sentence, facts.gaps)) if facts.gaps else "Nothing that was declared is missing."


def _composition_tables(facts: DatasheetFacts) -> Iterator[Table]:
    total = facts.examples
    rows = tuple((split.name, split.examples, _share(split.examples, total), split.sha256) for split in facts.splits)
    yield Table(caption="Splits", columns=("Split", "Examples", "Share", "sha256"), rows=rows, shares=(2,))
    counts: dict[str, int] = {}
    for split in facts.splits:
        for label, count in split.labels.items():
            counts[label] = counts.get(label, 0) + count
    if counts:
        yield _label_table(facts, counts)


def _label_table(facts: DatasheetFacts, counts: Mapping[str, int]) -> Table:
    most_first = sorted(counts, key=lambda label: (-counts[label], label))
    listed = most_first[:LABELS_LISTED]
    all_listed = len(listed) == len(most_first)
    caption = "Labels" if all_listed else f"The {LABELS_LISTED} most frequent of {len(counts):,} labels"
    return Table(
        caption=caption, columns=("Label", *(split.name for split in facts.splits), "All", "Share"),
        rows=tuple(
            (label, *(split.labels.get(label, 0) for split in facts.splits), counts[label],
             _share(counts[label], facts.examples))
            for label in listed
        ),
        shares=(len(facts.splits) + 2,),
    )  # fmt: skip


def _collection(facts: DatasheetFacts) -> Iterator[Answer]:
    synthetic = sum(source.examples for source in facts.sources if source.kind is Provenance.SYNTHETIC)
    known = sum(source.examples for source in facts.sources)
    made = {source.generator for source in facts.sources if source.generator}
    by = f", made by {', '.join(sorted(made))}" if made else ""
    share = f"{synthetic:,} of {known:,} examples are synthetic{by}; the others are people's." if known else None
    yield Answer(question="How much of it is synthetic?", text=share)
    consents = sorted({source.consent for source in facts.sources if source.consent})
    yield Answer(
        question="What did the people in it agree to?", text=" ".join(map(_sentence, consents)) if consents else None
    )
    yield Answer(question="Over what time was it collected?", text=None)


def _source_tables(facts: DatasheetFacts) -> Iterator[Table]:
    if not facts.sources:
        return
    rows = tuple(
        (source.name, source.kind.value.replace("_", " "), source.author or source.generator or None,
         source.licence or None, source.rows_in, source.examples)
        for source in sorted(facts.sources, key=lambda source: (-source.examples, source.name))
    )  # fmt: skip
    yield Table(caption="Sources", columns=("Source", "Kind", "By", "Licence", "Rows", "In the dataset"), rows=rows)


def _preparation(facts: DatasheetFacts) -> Iterator[Answer]:
    yield Answer(question="Was each example looked at by a person?", text=_reviewed(facts))
    edited = facts.edited
    corrected = None if edited is None else f"{_count(edited, 'example')} in it; the first text of each is kept."
    yield Answer(question="Were examples corrected?", text=corrected)
    yield Answer(question="How far do reviewers agree?", text=_agreement(facts.agreement))
    yield Answer(question="Is the raw material kept?", text=facts.raw_material)


def _reviewed(facts: DatasheetFacts) -> str | None:
    if facts.reviewed is None:
        return None
    by = f" by {_count(facts.reviewers, 'reviewer')}" if facts.reviewers is not None else ""
    return f"{facts.reviewed:,} of {_count(facts.examples, 'example')}{by}."


def _agreement(found: AgreementFact | None) -> str | None:
    if found is None:
        return None
    between = f" (95% interval {found.low:.2f} to {found.high:.2f})" if None not in (found.low, found.high) else ""
    target = f"; the target is {found.target:.2f}" if found.target is not None else ""
    return f"{found.measure} {found.value:.2f}{between} on {_count(found.items, 'item')}{target}."


def _dropped_tables(facts: DatasheetFacts) -> Iterator[Table]:
    if facts.dropped:
        most_first = sorted(facts.dropped.items(), key=lambda pair: (-pair[1], pair[0]))
        rows = tuple((reason.rpartition(".")[2].replace("_", " "), count) for reason, count in most_first)
        yield Table(caption="Rows left out", columns=("Reason", "Rows"), rows=rows)


def _uses(facts: DatasheetFacts) -> Iterator[Answer]:
    task = f"Training and evaluating a model that is taught {_TASKS[facts.task]}." if facts.task else None
    yield Answer(question="What is it to be used for?", text=task)
    has_test = any(split.name == "test" and split.examples for split in facts.splits)
    yield Answer(question="Who may read the test split?", text=facts.test_access if has_test else "There is none.")
    yield Answer(question="What must it not be used for?", text=None)


def _distribution(facts: DatasheetFacts) -> Iterator[Answer]:
    licences = sorted({source.licence for source in facts.sources if source.licence})
    unlicensed = sum(not source.licence for source in facts.sources)
    said = f"{'; '.join(licences)}." if licences else ""
    missing = f" Of {_count(unlicensed, 'source')} it is unknown." if unlicensed else ""
    yield Answer(question="Under which licences is it?", text=f"{said}{missing}" if licences else None)
    yield Answer(question="To whom is it given?", text=f"To {facts.made_for}." if facts.made_for else None)


def _maintenance(facts: DatasheetFacts) -> Iterator[Answer]:
    yield Answer(question="Who maintains it?", text=facts.made_by)
    before = f"It follows {facts.parent}." if facts.parent else "It is the first version."
    yield Answer(question="Is there a version before it?", text=None if facts.parent is None else before)
    yield Answer(question="What is to be said about this version?", text=_sentence(facts.note) if facts.note else None)
    yield Answer(question="Can a person have their data erased?", text=facts.erasure)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _share(part: int, total: int) -> float | None:
    return part / total if total else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
