"""Files to Cloud Storage, through its JSON API."""

import base64
import hashlib
from typing import Final

from google.genai.errors import APIError

from backends.checks import unaltered
from backends.errors import AnswerInvalid
from backends.spec import DataFile
from backends.vertex.project import Project, reading

_THERE_ALREADY: Final = 412


def place(project: Project, file: DataFile) -> str:
    """Where it lies, under a name that its content gives it, so it is written once.

    Raises `DataAltered`, `Unreachable`, `ProviderRefused`, `AnswerInvalid` (it arrived altered).
    """
    unaltered(file)
    name = f"{project.prefix}/data/{file.sha256}.jsonl"
    with reading(), project.session() as session, file.path.open("rb") as content:
        answer = session.post(
            f"{project.storage_url}/upload/storage/v1/b/{project.bucket}/o",
            params={"uploadType": "media", "name": name, "ifGenerationMatch": "0"},
            data=content,
            headers={"Content-Type": "application/jsonl"},
            timeout=project.timeout_s,
        )
        if answer.status_code != _THERE_ALREADY:
            APIError.raise_for_response(answer)
            arrived = answer.json().get("md5Hash")
            content.seek(0)
            if arrived != _md5(content.read()):
                raise AnswerInvalid(f"Cloud Storage holds {name} with another content than was sent")
    return f"gs://{project.bucket}/{name}"


def _md5(content: bytes) -> str:
    """As Cloud Storage tells what arrived."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
