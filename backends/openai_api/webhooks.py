"""Whether a webhook is really the provider's (Standard Webhooks; openai-python, resources/webhooks). What it says is
only a hint to poll now: state comes from the provider's API alone (reliability reference, section 2.5)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

TOLERANCE: Final = timedelta(minutes=5)
_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
_ID_CHARACTERS_MAX: Final = 200
_DIGITS_MAX: Final = 12


class SignatureInvalid(Exception):
    """It is not from the provider, is too old, or says nothing that can be read. Tell its sender no more than that."""


class _Data(BaseModel):
    model_config = ConfigDict(strict=True)
    id: str = Field(min_length=1, max_length=200)


class Webhook(BaseModel):
    """`key`: the same each time this one is sent. `data.id`: the job's."""

    model_config = ConfigDict(strict=True, frozen=True)
    key: str = ""
    type: str
    data: _Data


def verify(*, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Webhook:
    """`headers` in any case. Raises `SignatureInvalid`; `ValueError` for a secret that is none."""
    named = {name.lower(): value for name, value in headers.items()}
    key, sent_at = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not 0 < len(key) <= _ID_CHARACTERS_MAX:
        raise SignatureInvalid("no id")
    if abs(now - _moment(sent_at)) > TOLERANCE:
        raise SignatureInvalid("too old or too new")
    signed = b".".join([key.encode(), sent_at.encode(), body])
    right = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    given = [each.partition(",")[::2] for each in named.get("webhook-signature", "").split()]
    # Every signature is compared, each in constant time: a secret in change has two.
    matches = [hmac.compare_digest(right, value.encode()) for version, value in given if version == _VERSION]
    if not any(matches):
        raise SignatureInvalid("no signature holds")
    try:
        return Webhook.model_validate_json(body).model_copy(update={"key": key})
    except ValidationError as error:
        raise SignatureInvalid("it says nothing that can be read") from error


def _key(secret: str) -> bytes:
    """As openai-python reads it: base64 after `whsec_`, and anything else as it stands."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("what follows whsec_ in a webhook's secret is base64") from error


def _moment(text: str) -> datetime:
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX):
        raise SignatureInvalid("no time")
    return datetime.fromtimestamp(int(text), tz=UTC)
