"""The stand-in in the dialects of other providers: their paths and fields over the same files, jobs and trainers.

together    `/fine-tunes`, forms of their own, calendar times (togethercomputer/together-py)
mistral     OpenAI's paths, lists of files, events and checkpoints with the job (mistralai/client-python)
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from backends.stand_in.dialects import mistral, together
from backends.stand_in.routes import OPENAI, Routes

DIALECTS: Final[Mapping[str, Routes]] = MappingProxyType({
    "openai": OPENAI, "mistral": mistral.ROUTES, "together": together.ROUTES,
})  # fmt: skip
