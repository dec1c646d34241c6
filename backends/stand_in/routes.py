"""What is asked, and who answers it: the operations of OpenAI's protocol."""

import email.policy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Final

from backends.stand_in.provider import Provider, Refusal
from backends.stand_in.shapes import Answer
from backends.stand_in.specification import not_finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it came. `name`: of the file, job or model that its path speaks of."""

    operation: str
    name: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> object:
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is no JSON") from None
        if wrong := not_finite(body):
            raise Refusal(400, wrong[0])
        return body

    def form(self, *also: str) -> tuple[str, str, bytes]:
        """The name of the file, its purpose, its bytes. `also`: fields that are taken and not read."""
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        read = BytesParser(policy=email.policy.HTTP).parsebytes(head + self.content)
        if not read.is_multipart():
            raise Refusal(400, "the body is no form", param="file")
        parts = {each.get_param("name", header="content-disposition"): each for each in read.iter_parts()}
        if unknown := sorted(map(str, parts.keys() - {"file", "purpose", "expires_after", *also})):
            raise Refusal(400, f"no field is called {unknown[0]}", param=unknown[0])
        if "file" not in parts or "purpose" not in parts:
            raise Refusal(400, "file and purpose are needed", param="file" if "file" not in parts else "purpose")
        content, purpose = (parts[name].get_payload(decode=True) for name in ("file", "purpose"))
        assert isinstance(content, bytes)
        assert isinstance(purpose, bytes)
        return parts["file"].get_filename() or "", purpose.decode("utf-8", "replace"), content

    @property
    def retry_count(self) -> int:
        said = self.headers.get("x-stainless-retry-count", "0")
        return int(said) if said.isascii() and said.isdigit() else 0


Does = Callable[[Provider, Sent], Answer | bytes]
Routes = Mapping[str, Does]
"""By operation: the method and the path, with `{job}`, `{file}`, `{model}`."""

OPENAI: Final[Routes] = {
    "GET /files": lambda it, sent: it.files(sent.query),
    "POST /files": lambda it, sent: it.upload(*sent.form()),
    "GET /files/{file}": lambda it, sent: it.file(sent.name),
    "DELETE /files/{file}": lambda it, sent: it.forget(sent.name),
    "GET /files/{file}/content": lambda it, sent: it.content(sent.name),
    "GET /fine_tuning/jobs": lambda it, sent: it.jobs(sent.query),
    "POST /fine_tuning/jobs": lambda it, sent: it.create(sent.json(), retry_count=sent.retry_count),
    "GET /fine_tuning/jobs/{job}": lambda it, sent: it.job(sent.name),
    "POST /fine_tuning/jobs/{job}/cancel": lambda it, sent: it.cancel(sent.name),
    "POST /fine_tuning/jobs/{job}/pause": lambda it, sent: it.pause(sent.name),
    "POST /fine_tuning/jobs/{job}/resume": lambda it, sent: it.resume(sent.name),
    "GET /fine_tuning/jobs/{job}/events": lambda it, sent: it.events(sent.name, sent.query),
    "GET /fine_tuning/jobs/{job}/checkpoints": lambda it, sent: it.checkpoints(sent.name, sent.query),
    "GET /models": lambda it, _: it.list_models(),
    "GET /models/{model}": lambda it, sent: it.model(sent.name),
    "POST /chat/completions": lambda it, sent: it.complete(sent.json()),
}


def pattern(operation: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[a-z]+\\\}", "([^/]+)", re.escape(operation)))
