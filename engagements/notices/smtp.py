"""One letter to one mailbox over SMTP: plain text, under a Message-ID that stays the same when it is sent again.

The conversation is held step by step, because what the library does in one call hides the one moment that matters:
after the last byte the server may have taken the letter although its answer never comes.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Final, Literal

TIMEOUT_S: Final = 20.0
"""For each step of the conversation."""
_LINE_WITH_DOT: Final = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters are handed in, and who sends them. `tls`: starttls, tls (from the first byte), none."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    sender_email: str
    sender_name: str
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A letter as it is sent. `id` makes its Message-ID; `unsubscribe_url`: where letters are switched off."""

    id: str
    to_name: str
    to_email: str
    subject: str
    text: str
    written_at: datetime
    unsubscribe_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt. `is_final`: the same letter will not fare better later."""

    sent: bool
    failure: str = ""
    is_final: bool = False


class _Refused(Exception):
    """The server said no. 5xx is for good (RFC 5321, 4.2.1: not to be repeated), 4xx for now."""

    def __init__(self, step: str, code: int, said: bytes) -> None:
        super().__init__(f"{step}: {code} {said.decode('utf-8', errors='replace')}")
        self.code = code


def send(letter: Outgoing, server: MailServer) -> Outcome:
    """Try once."""
    try:
        content = _content(letter, server)
    except (ValueError, UnicodeError) as error:
        return Outcome(sent=False, failure=f"this cannot be written as a letter: {error}", is_final=True)
    try:
        smtp = _connected(server)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(sent=False, failure=_said(error))
    try:
        return _handed_in(smtp, letter, server, content)
    except _Refused as error:
        return Outcome(sent=False, failure=str(error), is_final=error.code >= 500)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(sent=False, failure=_said(error))
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if server.tls == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=trust)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.tls == "starttls":
            smtp.starttls(context=trust)
        if server.user:
            smtp.login(server.user, server.password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _handed_in(smtp: smtplib.SMTP, letter: Outgoing, server: MailServer, content: bytes) -> Outcome:
    _expect("sender", smtp.mail(server.sender_email))
    _expect("recipient", smtp.rcpt(letter.to_email))
    code, said = smtp.docmd("DATA")
    if code != 354:
        raise _Refused("letter", code, said)
    smtp.send(_LINE_WITH_DOT.sub(b"..", content) + b".\r\n")
    try:
        answer = smtp.getreply()
    except (OSError, smtplib.SMTPException):
        # Nobody knows whether it was taken. A second copy in the mailbox is worse than the notice in the page alone.
        return Outcome(sent=True, failure="handed over whole, and not answered")
    _expect("letter", answer)
    return Outcome(sent=True)


def _expect(step: str, answer: tuple[int, bytes]) -> None:
    code, said = answer
    if not 200 <= code < 300:
        raise _Refused(step, code, said)


def _content(letter: Outgoing, server: MailServer) -> bytes:
    """Raises `ValueError` and `UnicodeError` for an address that no mail server of today takes."""
    message = EmailMessage(policy=WIRE)
    message["From"] = Address(server.sender_name, addr_spec=server.sender_email)
    message["To"] = Address(letter.to_name, addr_spec=letter.to_email)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.id}@{server.sender_email.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
    message.set_content(letter.text, cte="quoted-printable")
    letter.to_email.encode("ascii")
    return message.as_bytes()


def _said(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "nobody listens there"
        case ssl.SSLCertVerificationError():
            return "nobody vouches for the server’s certificate"
        case smtplib.SMTPAuthenticationError():
            return "the server does not take the user and password of the settings"
        case _:
            return f"{type(error).__name__}: {error}"
