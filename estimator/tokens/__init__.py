"""Exact token accounting and the one-pass check of a fine-tuning data set.

    count_dataset               a file: tokens, epochs, trained tokens, and everything that is wrong with it
    check_row                   one chat row: structure and text
    billed_training_tokens      one example as OpenAI bills it
    auto_epochs, epochs_of, trained_tokens
                                the arithmetic of a training run
    prompt_tokens, image_tokens an inference request
    encoding_for                OpenAI's encodings, offline
    OpenTokeniser               models with a tokenizer.json of their own

Names are loaded when they are first used: tiktoken, orjson, numpy and tokenizers cost an importer nothing before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from estimator.tokens.check import check_row
    from estimator.tokens.counting import Distribution, Tokeniser
    from estimator.tokens.dataset import DatasetCount, count_dataset
    from estimator.tokens.encodings import Encoding, RanksUnusable, encoding_for
    from estimator.tokens.models import ModelTokens, model_tokens
    from estimator.tokens.open_models import ChatTemplate, ExtraMissing, OpenTokeniser
    from estimator.tokens.prompts import ImageTokens, image_tokens, prompt_tokens
    from estimator.tokens.training import (
        Epochs,
        auto_epochs,
        billed_training_tokens,
        epochs_of,
        trained_tokens,
    )

__all__ = [
    "ChatTemplate",
    "DatasetCount",
    "Distribution",
    "Encoding",
    "Epochs",
    "ExtraMissing",
    "ImageTokens",
    "ModelTokens",
    "OpenTokeniser",
    "RanksUnusable",
    "Tokeniser",
    "auto_epochs",
    "billed_training_tokens",
    "check_row",
    "count_dataset",
    "encoding_for",
    "epochs_of",
    "image_tokens",
    "model_tokens",
    "prompt_tokens",
    "trained_tokens",
]

_MODULES: Final = {
    "check": {"check_row"},
    "counting": {"Distribution", "Tokeniser"},
    "dataset": {"DatasetCount", "count_dataset"},
    "encodings": {"Encoding", "RanksUnusable", "encoding_for"},
    "models": {"ModelTokens", "model_tokens"},
    "open_models": {"ChatTemplate", "ExtraMissing", "OpenTokeniser"},
    "prompts": {"ImageTokens", "image_tokens", "prompt_tokens"},
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "training")
    return getattr(import_module(f"{__name__}.{module}"), name)
