"""Tokens of an answer whose server does not say what it used: counted here, and marked as estimated."""

from engagements.phases.data_preparation.synthesis.budget import Tokens
from engagements.phases.data_preparation.synthesis.prompts import Prompt
from estimator.errors import UnknownName
from estimator.tokens.encodings import encoding_for, encoding_named
from estimator.tokens.prompts import prompt_tokens

_OF_UNLISTED = "o200k_base"


def estimated_tokens(model: str, prompt: Prompt, content: str | None) -> Tokens:
    """In the model's own encoding; that of no listed model is taken for OpenAI's latest."""
    messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
    try:
        asked, encoding = prompt_tokens(messages, [], model), encoding_for(model)
    except UnknownName:
        encoding = encoding_named(_OF_UNLISTED)
        asked = sum(encoding.count(text) for text in prompt.texts)
    return Tokens(input=asked, output=encoding.count(content or ""))
