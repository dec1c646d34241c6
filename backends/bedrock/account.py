"""Whose AWS account, which region, which bucket; clients for it, and what their errors mean to us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from boto3.session import Session  # type: ignore[import-untyped]  # boto3 ships no types
from botocore.config import Config  # type: ignore[import-untyped]  # neither does botocore
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from backends.checks import as_texts
from backends.errors import AnswerInvalid, BackendError, OutcomeUnknown, ProviderRefused, Unreachable
from backends.sending import ASK_AGAIN_S

WANTED: Final[Mapping[str, str]] = {
    "region": "the AWS region whose Bedrock tunes, such as us-east-1",
    "bucket": "the S3 bucket for training files and results, in that region",
    "role_arn": "the IAM role that Bedrock assumes to read and write the bucket",
}
_OPTIONAL: Final = frozenset({
    "family", "prefix", "kms_key_id", "profile", "access_key_id", "secret_access_key", "session_token", "endpoint_url",
    "connect_timeout_s", "read_timeout_s", "at_once",
})  # fmt: skip
_THROTTLED: Final = frozenset({"ThrottlingException", "TooManyRequestsException", "SlowDown", "RequestLimitExceeded"})
NOT_FOUND: Final = frozenset({"ResourceNotFoundException", "NoSuchKey", "404"})
TAKEN: Final = frozenset({"ConflictException", "ResourceInUseException"})
_NEVER_SENT: Final = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Without keys or a profile, the SDK finds its own credentials: the role of the machine, for one."""

    region: str
    bucket: str
    role_arn: str
    prefix: str
    kms_key_id: str
    profile: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    endpoint_url: str
    connect_timeout_s: float
    read_timeout_s: float

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> "Account":
        """Raises `ValueError` for settings that it does not know."""
        if unknown := settings.keys() - WANTED.keys() - _OPTIONAL:
            raise ValueError(f"no such setting of Bedrock: {', '.join(sorted(unknown))}")
        given = as_texts(settings)
        return cls(
            region=given.get("region", ""),
            bucket=given.get("bucket", ""),
            role_arn=given.get("role_arn", ""),
            prefix=given.get("prefix", "sixfold").strip("/"),
            kms_key_id=given.get("kms_key_id", ""),
            profile=given.get("profile", ""),
            access_key_id=given.get("access_key_id", ""),
            secret_access_key=given.get("secret_access_key", ""),
            session_token=given.get("session_token", ""),
            endpoint_url=given.get("endpoint_url", ""),
            connect_timeout_s=float(given.get("connect_timeout_s", 5)),
            read_timeout_s=float(given.get("read_timeout_s", 60)),
        )

    def client(self, service: str, *, attempts: int = 1) -> Any:
        """`attempts`: more than one only for what may safely be asked twice."""
        return _client(self, service, attempts)


@lru_cache(maxsize=64)
def _client(account: Account, service: str, attempts: int) -> Any:
    session = Session(
        region_name=account.region,
        profile_name=account.profile or None,
        aws_access_key_id=account.access_key_id or None,
        aws_secret_access_key=account.secret_access_key or None,
        aws_session_token=account.session_token or None,
    )
    config = Config(
        retries={"total_max_attempts": attempts, "mode": "standard"},
        connect_timeout=account.connect_timeout_s,
        read_timeout=account.read_timeout_s,
    )
    return session.client(service, config=config, endpoint_url=account.endpoint_url or None)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def reading() -> Iterator[None]:
    """Around what changes nothing, or may be done twice: whatever goes wrong on the way is `Unreachable`."""
    try:
        yield
    except ClientError as error:
        raise _refused(error) or Unreachable(str(error)) from error
    except ResponseParserError as error:
        raise AnswerInvalid(f"AWS answered what it does not describe: {error}") from error
    except (HTTPClientError, *_NEVER_SENT) as error:
        raise Unreachable(str(error)) from error
    except BotoCoreError as error:
        raise _not_signed(error) from error


@contextmanager
def creating() -> Iterator[None]:
    """Around what must not be done twice: where the answer is lost or broken, `OutcomeUnknown`."""
    try:
        yield
    except ClientError as error:
        raise _refused(error) or OutcomeUnknown(str(error), retry_in_s=ASK_AGAIN_S) from error
    except _NEVER_SENT as error:
        raise Unreachable(str(error)) from error
    except (HTTPClientError, ResponseParserError) as error:
        raise OutcomeUnknown(f"the answer was lost: {error}", retry_in_s=ASK_AGAIN_S) from error
    except BotoCoreError as error:
        raise _not_signed(error) from error


def _refused(error: ClientError) -> BackendError | None:
    """None where AWS itself broke, so that nothing is said about the request."""
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED:
        return Unreachable(str(error))
    if status >= 500 or not code:
        return None
    return ProviderRefused(str(error), provider_code=code)


def _not_signed(error: BotoCoreError) -> ProviderRefused:
    """The SDK itself could not send: no credentials, no such profile, a parameter that is none."""
    return ProviderRefused(str(error), provider_code=type(error).__name__, remedy="check the backend's settings")
