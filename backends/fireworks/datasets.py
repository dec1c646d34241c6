"""Files to datasets of the account.

A dataset's id is ours, made of the run's id and the file's content, so a create that is sent twice is one dataset. It
is used once Fireworks calls it ready; one whose upload broke off is uploaded again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from backends.checks import unaltered
from backends.errors import AnswerInvalid, ProviderRefused, Unreachable
from backends.fireworks.account import CONFLICT, NOT_FOUND, Account, Refused, reading
from backends.fireworks.jobs import Said, Status
from backends.memory import Memory
from backends.sending import ASK_AGAIN_S, HORIZON
from backends.spec import DataFile

AT_ONCE_BYTES_MAX: Final = 150_000_000
"""As "Fine-tuning via API" has it; larger files go to a signed address."""
_READY: Final = "READY"
# As the SDK's own upload of shards knows them: a dataset that a customer's key must encrypt is not for us to write.
_PLAIN: Final = frozenset({None, "", "ENCRYPTION_STATE_UNSPECIFIED", "ENCRYPTION_STATE_PLAINTEXT"})


class Dataset(Said):
    state: str | None = None
    status: Status | None = None
    encryption_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """One file of one run on its way. `where`: its place in the spec. `at_once_bytes_max`: what one request takes."""

    account: Account
    memory: Memory
    now: datetime
    run_id: str
    where: str
    file: DataFile
    at_once_bytes_max: int = AT_ONCE_BYTES_MAX

    def place(self) -> str:
        """The dataset's name, once it is ready.

        Raises `DataAltered`, `ProviderRefused`, `AnswerInvalid`, and `Unreachable` where it is not ready yet.
        """
        unaltered(self.file)
        found = self._found() or self._made()
        if found.state != _READY:
            if not self._is_being_read():
                self._upload(found)
                self.memory.remember(self._key, self.now.isoformat())
                found = self._found() or found
            self._expect_ready(found)
        return dataset_name(self.account, self.run_id, self.file)

    @property
    def _id(self) -> str:
        return dataset_id(self.run_id, self.file)

    @property
    def _key(self) -> str:
        return f"uploaded.{self.where}"

    def _is_being_read(self) -> bool:
        """Uploaded in full a while ago. One that is read for longer than the horizon is uploaded once more."""
        at = self.memory.recall(self._key)
        return bool(at) and self.now < datetime.fromisoformat(str(at)) + HORIZON

    def _expect_ready(self, found: Dataset) -> None:
        if found.state == _READY:
            return
        if found.status and found.status.is_bad:
            self.memory.remember(self._key, "")
            raise ProviderRefused(
                found.status.message or f"Fireworks does not take the {self.where} file",
                provider_code=str(found.status.code), param=self.where, remedy="mend the file, then start the run anew",
            )  # fmt: skip
        raise Unreachable(f"Fireworks still reads the {self.where} file", retry_in_s=ASK_AGAIN_S)

    def _found(self) -> Dataset | None:
        try:
            with reading(), self.account.client() as client:
                return Dataset.read(client.datasets.get(self._id))
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise

    def _made(self) -> Dataset:
        try:
            with reading(), self.account.client() as client:
                described = {"example_count": str(self.file.rows), "user_uploaded": {}}
                return Dataset.read(client.datasets.create(dataset_id=self._id, dataset=described))  # type: ignore[arg-type]
        except Refused as refusal:
            # A create whose answer was lost comes to light.
            if refusal.status == CONFLICT and (found := self._found()):
                return found
            raise

    def _upload(self, found: Dataset) -> None:
        if self.file.path.stat().st_size <= self.at_once_bytes_max:
            self._upload_at_once()
        else:
            self._upload_outside(found)

    def _upload_at_once(self) -> None:
        content = self.file.path.read_bytes()
        named = (f"{self._id}.jsonl", content, "application/jsonl")
        with reading(), self.account.client() as client:
            answer = client.datasets.upload(self._id, file=named, timeout=self.account.upload_s)
            arrived = answer.bytes
        if arrived is not None and int(arrived) != len(content):
            raise AnswerInvalid(f"{len(content)} bytes of the {self.where} file were sent, and {arrived} arrived")

    def _upload_outside(self, found: Dataset) -> None:
        """As the SDK's own upload of shards does it; both headers are part of what is signed."""
        if found.encryption_state not in _PLAIN:
            raise ProviderRefused(
                f"the dataset asks for encryption ({found.encryption_state})", provider_code="encryption_wanted",
                param=self.where, remedy=f"upload it as {self._id} with firectl, then start the run again",
            )  # fmt: skip
        name, size = f"{self._id}.jsonl", self.file.path.stat().st_size
        with reading(), self.account.client() as client:
            told = client.datasets.get_upload_endpoint(self._id, filename_to_size={name: str(size)})
            url = (told.filename_to_signed_urls or {}).get(name, "")
            signed = {"Content-Type": "application/octet-stream", "X-Goog-Content-Length-Range": f"{size},{size}"}
            patience = httpx.Timeout(self.account.upload_s)
            with self.account.outside(url) as plain, self.file.path.open("rb") as content:
                plain.put(url, content=content, headers=signed, timeout=patience).raise_for_status()
            client.datasets.validate_upload(self._id, body={})


def dataset_id(run_id: str, file: DataFile) -> str:
    """Lower case letters, digits and -, of a length that Fireworks' names may have."""
    return f"sixfold-{hashlib.sha256(run_id.encode()).hexdigest()[:16]}-{file.sha256[:24]}"


def dataset_name(account: Account, run_id: str, file: DataFile) -> str:
    return f"accounts/{account.account}/datasets/{dataset_id(run_id, file)}"
