"""One pass over a fine-tuning file: what it costs in tokens and everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from estimator.errors import Problem
from estimator.tokens.counting import Distribution, TokenCounter, Tokeniser
from estimator.tokens.encodings import encoding_for
from estimator.tokens.findings import finding
from estimator.tokens.models import model_tokens
from estimator.tokens.reading import OnProgress, Source, rows
from estimator.tokens.review import MIN_EXAMPLES, Review
from estimator.tokens.training import Epochs, epochs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCount:
    """What one file holds. Averages and token figures are None where nothing was counted: unknown, not 0.

    `rows` are the lines that hold something; `examples` those of them with a list of messages. A row with an error is
    counted as far as it can be read, as it will be billed once it is mended. `tokens_per_epoch` is what is billed,
    after cutting each example at `limit_tokens`; `assistant_tokens` are contents and calls of all assistant messages,
    before cutting. `problems` lists up to 100 of each code, by line; `problem_counts` is complete.
    """

    encoding: str
    rows: int
    examples: int
    messages: int
    examples_with_tools: int
    tokens_per_epoch: int | None
    epochs: int | None
    epochs_reason: str
    trained_tokens: int | None
    assistant_tokens: int | None
    prompt_tokens_mean: float | None
    answer_tokens_mean: float | None
    distribution: Distribution | None
    limit_tokens: int | None
    examples_over_limit: int
    tokens_cut_off: int
    size_bytes: int
    sha256: str
    problems: tuple[Problem, ...]
    problem_counts: Mapping[str, int]


def count_dataset(
    path: Path,
    *,
    model: str | None = None,
    tokeniser: Tokeniser | None = None,
    epochs: Epochs = "auto",
    limit_tokens: int | None = None,
    on_progress: OnProgress | None = None,
) -> DatasetCount:
    """Read, check and count a chat data set (JSON Lines) in one pass and in bounded memory.

    Either an OpenAI `model`, whose encoding, billing rule and training context apply, or the `tokeniser` of another
    one. `limit_tokens` overrides the training context. `on_progress` is told bytes done and bytes in all.

    Raises `DatasetUnreadable` when the file cannot be opened, `UnknownName` for a model nobody listed, `BriefInvalid`
    for impossible epochs. Everything else that is wrong is in `problems`.
    """
    epochs_of(epochs, MIN_EXAMPLES)
    assert (model is None) != (tokeniser is None), "either a model or a tokeniser"
    if model is not None:
        tokeniser, limit_tokens = encoding_for(model), limit_tokens or model_tokens(model).training_limit
    assert tokeniser is not None
    source, review = Source(path, on_progress), Review(limit_tokens)
    with TokenCounter(tokeniser) as counter:
        for line in rows(source):
            if example := review.take(line):
                counter.add(line.number, example)
                review.add_tokens(counter.done())
        review.add_tokens(counter.rest())
    if tokeniser.note:
        source.problems.append(finding("template_unknown", tokeniser.note))
    review.close(source.problems)
    return _result(source, review, tokeniser.name, epochs)


def _result(source: Source, review: Review, encoding: str, setting: Epochs) -> DatasetCount:
    tokens, examples = review.tokens, review.examples
    epochs = epochs_of(setting, examples) if examples else None
    return DatasetCount(
        encoding=encoding,
        rows=review.rows,
        examples=examples,
        messages=review.messages,
        examples_with_tools=review.examples_with_tools,
        tokens_per_epoch=tokens.kept if examples else None,
        epochs=epochs,
        epochs_reason=_epochs_reason(setting, examples),
        trained_tokens=epochs * tokens.kept if epochs else None,
        assistant_tokens=tokens.answers if examples else None,
        prompt_tokens_mean=(tokens.total - tokens.answers) / examples if examples else None,
        answer_tokens_mean=tokens.answers / examples if examples else None,
        distribution=tokens.distribution(),
        limit_tokens=tokens.limit,
        examples_over_limit=tokens.over_limit,
        tokens_cut_off=tokens.total - tokens.kept,
        size_bytes=source.size_bytes,
        sha256=source.sha256,
        problems=review.problems.by_line(),
        problem_counts=dict(sorted(review.problems.counts.items())),
    )


def _epochs_reason(setting: Epochs, examples: int) -> str:
    if setting != "auto":
        return "as set"
    return f"chosen by OpenAI's rule for {examples:,} examples" if examples else "no examples to choose by"
