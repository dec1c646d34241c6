"""What must hold before the first step (training reference, section 7). Most ways of training on the wrong tokens are
silent: the loss falls, and the model answers as the user or never stops.

Refused: rows without a trained token, spans without their end-of-turn token, a first loss that is none. Warned of: rows
that are cut, answers that the model finds no likelier than shuffled ones, unusual shares. Packing that changes the loss
is given up rather than refused.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import torch
from torch.nn import functional

from backends.events import Level
from backends.peft_local.worker.batches import batch_of, logits_where_trained, losses
from backends.peft_local.worker.encoding import Encoder, Example
from backends.peft_local.worker.model import DOCUMENTS, Loaded, PackingImpossible, attends_by
from backends.peft_local.worker.telling import Teller

SHOWN_ROWS: Final = 5
LISTED_ROWS: Final = 100
MEASURED_TOKENS: Final = 1024
PACKED_AGREES_WITHIN: Final = 0.03
"""Nats a token: what packing without attention of its own costs at least (trl#3910)."""
_LITTLE: Final = 0.01
"""A share of trained tokens below which a row mostly teaches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row as it is trained: each span as text, with the end of its prompt before it."""

    line: int
    before: tuple[str, ...]
    trained: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """`lines` are of the training file. Losses in nats a trained token, before the first step. `packed_loss`: None
    where nothing is packed."""

    rows: int
    tokens: int
    trained_tokens: int
    trained_share: float
    lowest_share: float
    longest: int
    template_sha256: str
    end_of_turn: str
    untrained_lines: tuple[int, ...]
    unclosed_lines: tuple[int, ...]
    cut_rows: int
    cut_lines: tuple[int, ...]
    little_trained_lines: tuple[int, ...]
    shown: tuple[Shown, ...]
    first_loss: float | None = None
    shuffled_loss: float | None = None
    unpacked_loss: float | None = None
    packed_loss: float | None = None

    @property
    def refusals(self) -> tuple[str, ...]:
        found = []
        if self.untrained_lines:
            found.append(f"nothing is trained of {_listed(self.untrained_lines)}")
        if self.unclosed_lines:
            found.append(f"no end-of-turn token is trained in {_listed(self.unclosed_lines)}: it would never stop")
        if self.first_loss is not None and not 0 < self.first_loss < float("inf"):
            found.append("the first loss is no loss")
        return tuple(found)

    @property
    def warnings(self) -> tuple[str, ...]:
        found = []
        if self.cut_rows:
            found.append(f"{self.cut_rows} rows are longer than allowed and lose their end: {_listed(self.cut_lines)}")
        if self.little_trained_lines:
            found.append(f"less than 1 % is trained of {_listed(self.little_trained_lines)}")
        if self.first_loss is not None and self.shuffled_loss is not None and self.first_loss >= self.shuffled_loss:
            found.append(
                f"the right answers ({self.first_loss:.3f}) are no likelier than shuffled ones "
                f"({self.shuffled_loss:.3f}): is it the right template, and a trained model?"
            )
        return tuple(found)

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "refusals": self.refusals, "warnings": self.warnings}


def audited(examples: Sequence[Example], encoder: Encoder, tokenizer: Any, *, seed: int) -> Audit:
    """Of rows and their labels; the losses are measured apart, by a model."""
    lengths = [len(each.ids) for each in examples]
    shares = [each.trained / length for each, length in zip(examples, lengths, strict=True)]
    shown = random.Random(seed).sample(range(len(examples)), min(SHOWN_ROWS, len(examples)))  # noqa: S311 (no secret)
    cut = [each.line for each in examples if each.uncut > len(each.ids)]
    return Audit(
        rows=len(examples), tokens=sum(lengths), trained_tokens=sum(each.trained for each in examples),
        trained_share=sum(each.trained for each in examples) / sum(lengths), lowest_share=min(shares),
        longest=max(lengths), template_sha256=encoder.template_sha256, end_of_turn=encoder.end_of_turn,
        untrained_lines=_first(each.line for each in examples if not each.trained),
        unclosed_lines=_first(each.line for each in examples if not each.closed), cut_rows=len(cut),
        cut_lines=_first(cut),
        little_trained_lines=_first(
            each.line for each, share in zip(examples, shares, strict=True) if 0 < share < _LITTLE
        ),
        shown=tuple(_shown(examples[row], tokenizer) for row in sorted(shown)),
    )  # fmt: skip


def measured(audit: Audit, loaded: Loaded, examples: Sequence[Example], *, packed: bool, padding: int) -> Audit:
    """With what the model makes of a few rows, each by itself, before it learns anything; and of the same rows in one
    sequence where they are to be packed."""
    few = _few(examples)
    loaded.network.eval()
    with torch.no_grad():
        alone = [batch_of([each], packed=False, padding=padding, device=loaded.device) for each in few]
        logits = torch.cat([logits_where_trained(loaded, each).float() for each in alone])
        targets = torch.cat([each.targets for each in alone])
        order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0)).to(loaded.device)
        first, shuffled = (float(functional.cross_entropy(logits, each)) for each in (targets, targets[order]))
        together = _loss_when_packed(loaded, few, padding) if packed else None
    loaded.network.train()
    unpacked = first if packed else None
    return replace(audit, first_loss=first, shuffled_loss=shuffled, unpacked_loss=unpacked, packed_loss=together)


def _few(examples: Sequence[Example]) -> Sequence[Example]:
    """The first rows, as many as may cost a moment: two at least, for one alone cannot be packed."""
    lengths = itertools.accumulate(len(each.ids) for each in examples)
    count = sum(length <= MEASURED_TOKENS for length in lengths)
    return examples[: max(2, count)]


def _loss_when_packed(loaded: Loaded, examples: Sequence[Example], padding: int) -> float | None:
    """None where the model cannot be packed at all. Attention is left as it was found."""
    batch = batch_of(examples, packed=True, padding=padding, device=loaded.device)
    before = ""
    try:
        before = attends_by(loaded.network, DOCUMENTS)
        return float(losses(loaded, batch).total) / batch.trained
    except (PackingImpossible, ValueError, TypeError):
        return None
    finally:
        if before:
            attends_by(loaded.network, before)


def packing_holds(audit: Audit) -> bool:
    if audit.packed_loss is None or audit.unpacked_loss is None:
        return False
    return abs(audit.packed_loss - audit.unpacked_loss) <= PACKED_AGREES_WITHIN


def tell(audit: Audit, teller: Teller) -> None:
    """The trained text of a few rows, for a person to read; then what is wrong."""
    share = f"{audit.trained_tokens} of {audit.tokens} tokens in {audit.rows} rows are trained"
    teller.message(f"{share} ({audit.trained_share:.0%})", id="audit", template_sha256=audit.template_sha256)
    for each in audit.shown:
        text = " … ".join(f"{before[-20:]!r} → {trained!r}" for before, trained in _pairs(each))
        teller.message(f"line {each.line} trains: {text}"[:2000], id=f"audit-line-{each.line}")
    for number, warning in enumerate(audit.warnings):
        teller.message(warning, id=f"audit-warning-{number}", level=Level.WARNING)
    for number, refusal in enumerate(audit.refusals):
        teller.message(refusal, id=f"audit-refusal-{number}", level=Level.ERROR)


def _shown(example: Example, tokenizer: Any) -> Shown:
    spans = [span for span in example.spans if span.start < len(example.ids)]
    return Shown(
        line=example.line,
        before=tuple(tokenizer.decode(example.ids[max(0, span.start - 8) : span.start]) for span in spans),
        trained=tuple(tokenizer.decode(example.ids[span.start : span.stop]) for span in spans),
    )


def _pairs(shown: Shown) -> list[tuple[str, str]]:
    return list(zip(shown.before, shown.trained, strict=True))


def _first(lines: Any) -> tuple[int, ...]:
    return tuple(lines)[:LISTED_ROWS]


def _listed(lines: Sequence[int]) -> str:
    more = f" and {len(lines) - 10} more" if len(lines) > 10 else ""
    return f"line {', '.join(map(str, lines[:10]))}{more}"
