"""The part of a proposal that binds: assumptions as if-then, exclusions, risks, rights, terms."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engagements.proposals.method import STANDARD_TERMS, Method
from engagements.proposals.view import (
    AssetView,
    AssumptionView,
    ExclusionView,
    PrivacyView,
    RiskView,
    TermsSection,
    TermsView,
)
from engagements.settings import SettingsInvalid
from estimator.brief import Assumption, Brief, Level
from estimator.errors import Problem
from estimator.estimating import Estimate
from estimator.quote import PricedOption
from estimator.routes import RouteEstimate

_LEVELS: Final = {Level.LOW: "low", Level.NORMAL: "medium", Level.HIGH: "high", Level.VERY_HIGH: "very high"}
_TERMS_BYTES_MAX: Final = 200_000


def assumptions_of(estimate: Estimate, route: RouteEstimate) -> tuple[AssumptionView, ...]:
    """What the price stands on, each with a measurable threshold and what follows if it is false."""
    brief = estimate.brief
    stated = [*_general(estimate, route), *_labelling(brief), *brief.assumptions]
    return tuple(
        AssumptionView(
            id=f"A{number}",
            statement=assumption.statement,
            threshold=assumption.threshold,
            owner=assumption.owner,
            validate_by=assumption.validate_by,
            if_false=assumption.if_false,
        )
        for number, assumption in enumerate(stated, start=1)
    )


def exclusions_of(brief: Brief, option: PricedOption, method: Method) -> tuple[ExclusionView, ...]:
    """What is not included: at least one line a phase, and the brief's own."""
    within = {phase.number for phase in option.scope.phases} | ({6} if option.scope.management_months else set())
    standard = tuple(
        ExclusionView(scope=words.id.label, what=words.exclusion_what, why=words.exclusion_why)
        for words in method.phase
        if words.id.number in within
    )
    return standard + tuple(
        ExclusionView(scope="This engagement", what=own.what, why=own.why) for own in brief.exclusions
    )


def risks_of(brief: Brief, method: Method) -> tuple[RiskView, ...]:
    """The brief's own risks first, then those of every engagement."""
    own = tuple(
        RiskView(
            what=risk.what,
            probability=_LEVELS[risk.probability],
            impact=_LEVELS[risk.impact],
            mitigation=risk.mitigation,
            owner=risk.owner,
        )
        for risk in brief.risks
    )
    return own + tuple(
        RiskView(
            what=risk.what,
            probability=_LEVELS[Level(risk.probability)],
            impact=_LEVELS[Level(risk.impact)],
            mitigation=risk.mitigation,
            owner=risk.owner,
        )
        for risk in method.risk
    )


def assets_of(method: Method) -> tuple[AssetView, ...]:
    return tuple(AssetView(name=asset.name, owner=asset.owner, note=asset.note) for asset in method.asset)


def privacy_of(brief: Brief, method: Method) -> PrivacyView:
    said = {
        True: "Personal data of customers, masked before labelling; business correspondence",
        False: "No personal data, by the client's statement; business correspondence",
        None: "Unknown whether personal data is contained; treated as if it were until gate 1",
    }
    return PrivacyView(
        classes=said[brief.data.personal_data],
        origin=brief.data.origin,
        location=method.privacy.location,
        retention=method.privacy.retention,
        training_on_data=method.privacy.training_on_data,
        agreement=method.privacy.agreement,
        risk_class=method.regulatory.risk_class,
        modifier=method.regulatory.modifier,
        documents=method.regulatory.documents,
    )


def terms_of(brief: Brief, method: Method, file: Path | None) -> TermsView:
    """The terms as sections, with the digest of their text. Raises `SettingsInvalid` for a file that is no text."""
    text = _terms_text(file or STANDARD_TERMS)
    title, sections = _sections(text)
    return TermsView(
        version=title,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        sections=sections,
        warranty_days=brief.commercial.warranty_days,
        warranty_covers=method.warranty.covers,
        warranty_not_covered=method.warranty.not_covered,
        review_days=brief.commercial.review_days.high,
        change_procedure=method.change.procedure,
        consent=method.authority.consent,
        authority=method.authority.statement,
    )


def _general(estimate: Estimate, route: RouteEstimate) -> Iterator[Assumption]:
    brief, review = estimate.brief, estimate.brief.commercial.review_days
    yield Assumption(
        statement=f"{brief.data.examples:,} usable examples are at hand",
        threshold=f"fewer than {brief.data.examples * 9 // 10:,} are usable at gate 1",
        if_false="the missing examples are labelled as a change, at the rate measured in the pilot",
        owner=brief.data.owner or "Client",
    )
    yield Assumption(
        statement=f"Reviews at gates take {review.likely:f} working days",
        threshold=f"longer than {review.high:f} working days",
        if_false="dates move by as many days; beyond ten days the waiting cost is a change",
        validate_by="each gate",
    )
    yield Assumption(
        statement="Two experts judge the same answer alike",
        threshold="agreement below 0.8 (kappa) after the pilot",
        if_false="the guideline is rewritten once at our cost, then the target is agreed anew",
    )
    yield Assumption(
        statement=f"The sealed test set holds {int(estimate.volume.test.value or 0):,} items",
        threshold="fewer items than a criterion needs",
        if_false="more items are held out, or the criterion is stated as descriptive",
        owner="Agency",
    )
    yield Assumption(
        statement=f"{route.name} takes jobs and serves as announced today",
        threshold="the provider announces an end before the planned end of service",
        if_false="we move to the next route of annex B; the move is a change priced in advance",
        owner="Agency",
        validate_by="each gate",
    )
    yield Assumption(
        statement=f"Production asks {brief.traffic.requests_per_month:,} requests a month",
        threshold="more than half above or below",
        if_false="the serving cost and the return are computed again",
        validate_by="gate 5",
    )


def _labelling(brief: Brief) -> Iterator[Assumption]:
    labelling = brief.data.labelling
    if labelling is not None:
        minutes = labelling.minutes_per_example
        yield Assumption(
            statement=f"An example takes {minutes.likely:f} minutes to review",
            threshold=f"more than {minutes.high:f} minutes in the pilot of 50",
            if_false="the labelling line is priced again for what remains, before it goes on",
            owner="Agency",
            validate_by="end of the pilot",
        )


def _terms_text(path: Path) -> str:
    try:
        raw = path.read_bytes()[: _TERMS_BYTES_MAX + 1]
        if len(raw) <= _TERMS_BYTES_MAX:
            return raw.decode("utf-8-sig")
        reason = f"is longer than {_TERMS_BYTES_MAX:,} bytes"
    except (OSError, UnicodeDecodeError) as error:
        reason = f"cannot be read: {error}"
    problem = Problem(
        code="setting_invalid", where="agency.terms", message=f"{path} {reason}", remedy="name a UTF-8 text file"
    )
    raise SettingsInvalid(problem)


def _sections(text: str) -> tuple[str, tuple[TermsSection, ...]]:
    """The first heading as the title, every further `# heading` with the paragraphs under it."""
    blocks = [block.strip() for block in text.replace("\r\n", "\n").split("\n\n") if block.strip()]
    titles: list[str] = []
    bodies: list[list[str]] = []
    for block in blocks:
        head, _, rest = block.partition("\n")
        if head.startswith("# "):
            titles.append(head[2:].strip())
            bodies.append([rest] if rest else [])
        elif bodies:
            bodies[-1].append(block)
        else:
            titles.append("Terms")
            bodies.append([block])
    if not titles:
        return "", ()
    first = 1 if not bodies[0] else 0
    sections = zip(titles[first:], bodies[first:], strict=True)
    return titles[0], tuple(TermsSection(title=title, paragraphs=tuple(body)) for title, body in sections)
