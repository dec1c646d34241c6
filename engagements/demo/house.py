"""The people of the demo: an agency and its client, each with a key, and doors that open once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from engagements.core.clock import SystemClock
from engagements.core.roles import Role, system_actor
from engagements.demo.server import Running
from engagements.people.keys import create_key
from engagements.people.models import LinkPurpose, User
from engagements.people.sign_in import one_time_link
from engagements.people.users import add_user, found_organisation

HEAD: Final = "Marte Halden"
LEAD: Final = "Jonas Roth"
REVIEWER: Final = "Selma Aydin"
DELIVERY: Final = "Nele Ostermann"
ENGINEER: Final = "Tim Brandt"
LABELLERS: Final = ("Mara Lindt", "Ole Janssen", "Ida Brook")
_ROLES: Final = {
    HEAD: Role.ADMINISTRATOR,
    LEAD: Role.ACCOUNT_LEAD,
    REVIEWER: Role.REVIEWER,
    DELIVERY: Role.DELIVERY_LEAD,
    ENGINEER: Role.DELIVERY_MEMBER,
    **dict.fromkeys(LABELLERS, Role.DELIVERY_MEMBER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A tenant with people in it, by name: their ids, and their keys."""

    organisation_id: str
    people: dict[str, str]
    keys: dict[str, str]


def found(running: Running) -> House:
    wiring, now = running.wiring, running.wiring.clock.now()
    with wiring.store.write() as session:
        ours = system_actor(found_organisation(session, wiring.settings.agency.name, at=now).id)
        house = House(organisation_id=ours.organisation_id, people={}, keys={})
        for name, role in _ROLES.items():
            email = f"{name.split()[-1].lower()}@haldenroth.example"
            house.people[name] = add_user(session, ours, name=name, email=email, role=role, at=now).id
            # A key acts for the person who made it; reviewers are persons.
            own = replace(ours, id=house.people[name], name=name)
            house.keys[name] = create_key(session, own, name=name, role=role, at=now)[1]
        return house


def welcome(running: Running, house: House, *, client_id: str, name: str, email: str) -> None:
    """Somebody of the client who signs for it: a person, and a key that only the machine itself can make."""
    wiring, ours = running.wiring, system_actor(house.organisation_id)
    role, now = Role.CLIENT_APPROVER, wiring.clock.now()
    with wiring.store.write() as session:
        person = add_user(session, ours, name=name, email=email, role=role, client_id=client_id, at=now)
        house.people[name] = person.id
        house.keys[name] = create_key(session, ours, name=name, role=role, client_id=client_id, at=now)[1]


def open_doors(running: Running, house: House) -> Mapping[str, str]:
    """By name, the paths that sign people in once, for a day from now: whatever day the story ends on."""
    wiring = running.wiring
    visitors = [name for name in house.people if name in {HEAD, LEAD, DELIVERY} or name not in _ROLES]
    with wiring.store.write() as session:
        return {
            name: "/sign-in/link/"
            + one_time_link(
                session, session.get_one(User, house.people[name]), LinkPurpose.SIGN_IN, at=SystemClock().now()
            )
            for name in visitors
        }
