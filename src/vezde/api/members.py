"""Members: enrolled, found, changed; their consents."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies, names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.members import operations, queries
from vezde.members.model import Consent, Member, NewConsent, NewIdentity, NewMember, no_such_member

router = APIRouter(tags=["members"])
Caller = Annotated[Key, Depends(scope(Scope.MEMBERS))]
Using = Annotated[Tools, Depends(tools)]
MOST_BYTES = 256 * 1024


class IdentityIn(BaseModel):
    """`kind` is telegram, max, vk, external, …; `value` the id there."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    value: str


class ConsentIn(BaseModel):
    """A consent as it was given; `how` says by what means."""

    model_config = ConfigDict(extra="forbid")
    purpose: str
    channel: str | None = None
    document_version: str
    text_sha256: str | None = None
    given_at: datetime
    how: str

    def given(self) -> NewConsent:
        return NewConsent(**self.model_dump())


class NewMemberIn(BaseModel):
    """A person to enrol: at least one of phone, email, identities."""

    model_config = ConfigDict(extra="forbid")
    phone: str | None = None
    email: str | None = None
    name: str | None = None
    birthday: str | None = None
    locale: str | None = None
    timezone: str | None = None
    source: str | None = None
    identities: list[IdentityIn] = []
    consents: list[ConsentIn] = []

    def person(self) -> NewMember:
        plain = self.model_dump(exclude={"identities", "consents"})
        return NewMember(
            **plain,
            identities=tuple(NewIdentity(one.kind, one.value) for one in self.identities),
            consents=tuple(one.given() for one in self.consents),
        )


class WithdrawIn(BaseModel):
    """By what means the consent was withdrawn."""

    model_config = ConfigDict(extra="forbid")
    how: str = "api"


class MergeIn(BaseModel):
    """The id of the member who becomes, or became, part of the other one."""

    model_config = ConfigDict(extra="forbid")
    gone: str


class IdentityOut(BaseModel):
    kind: str
    value: str


class ConsentOut(BaseModel):
    id: str
    purpose: str
    channel: str | None
    document_version: str
    given_at: datetime
    withdrawn_at: datetime | None


class MemberOut(BaseModel):
    """A member; `level` is null until the programme has levels.

    `merged_into` names the member that a closed one became part of.
    """

    id: str
    phone: str | None
    email: str | None
    name: str | None
    birthday: date | None
    locale: str | None
    timezone: str | None
    source: str | None
    status: str
    merged_into: str | None = None
    level: str | None = None
    identities: list[IdentityOut]
    consents: list[ConsentOut]
    created_at: datetime


def member_out(member: Member) -> MemberOut:
    return MemberOut(
        id=names.member(member.member_id),
        phone=member.phone,
        email=member.email,
        name=member.name,
        birthday=member.birthday,
        locale=member.locale,
        timezone=member.timezone,
        source=member.source,
        status=member.status,
        merged_into=names.member(member.merged_into) if member.merged_into else None,
        identities=[IdentityOut(kind=one.kind, value=one.value) for one in member.identities],
        consents=[consent_out(one) for one in member.consents],
        created_at=member.created_at,
    )


def consent_out(consent: Consent) -> ConsentOut:
    return ConsentOut(
        id=names.consent(consent.member_id, consent.consent_id),
        purpose=consent.purpose,
        channel=consent.channel,
        document_version=consent.document_version,
        given_at=consent.given_at,
        withdrawn_at=consent.withdrawn_at,
    )


@router.post("/v1/members", status_code=201, response_model=MemberOut)
async def enrol(request: Request, person: NewMemberIn, caller: Caller, using: Using) -> Response:
    """Enrol a person; somebody known already answers 409 `member_exists` with `member_id`."""

    async def work(db: Db, now: datetime) -> Done:
        (member,) = await operations.enrol(
            db, [person.person()], vault=using.vault, now=now, actor=caller.actor
        )
        return Done(201, member_out(member), member.member_id)

    return await once(request, caller, person, work)


@router.get("/v1/members")
async def find(
    _caller: Caller,
    using: Using,
    phone: str | None = None,
    email: str | None = None,
    kind: str | None = None,
    value: str | None = None,
) -> MemberOut:
    """The member with this phone, or this e-mail, or this `kind` and `value`."""
    async with using.database.transaction() as db:
        member = await queries.find(
            db, vault=using.vault, phone=phone, email=email, kind=kind, value=value
        )
    if member is None:
        raise no_such_member()
    return member_out(member)


@router.get("/v1/members/{member_id}")
async def one(member_id: str, _caller: Caller, using: Using) -> MemberOut:
    """A member with identities and consents."""
    async with using.database.transaction() as db:
        return member_out(await queries.member(db, names.member_id(member_id), vault=using.vault))


@router.patch("/v1/members/{member_id}", openapi_extra=bodies.merge_patch())
async def change(request: Request, member_id: str, caller: Caller, using: Using) -> MemberOut:
    """JSON merge patch of phone, email, name, birthday, locale, timezone, source."""
    patch: dict[str, Any] = await bodies.read_object(request, most_bytes=MOST_BYTES)
    async with using.database.transaction() as db:
        member = await operations.change(
            db,
            names.member_id(member_id),
            patch,
            vault=using.vault,
            now=await using.clock.programme(db),
            actor=caller.actor,
        )
    return member_out(member)


@router.post("/v1/members/{member_id}/consents", status_code=201, response_model=ConsentOut)
async def give(request: Request, member_id: str, consent: ConsentIn, caller: Caller) -> Response:
    """Record a consent that was given."""
    internal = names.member_id(member_id)

    async def work(db: Db, now: datetime) -> Done:
        given = await operations.give_consent(
            db, internal, consent.given(), now=now, actor=caller.actor
        )
        return Done(201, consent_out(given), internal)

    return await once(request, caller, consent, work)


@router.post("/v1/members/{member_id}/consents/{consent_id}/withdraw", response_model=ConsentOut)
async def withdraw(
    request: Request,
    member_id: str,
    consent_id: str,
    caller: Caller,
    body: WithdrawIn | None = None,
) -> Response:
    """Withdraw a consent from now on; withdrawn before, it answers as it was withdrawn then."""
    internal = names.member_id(member_id)
    owner, consent = names.consent_ids(consent_id)
    means = body or WithdrawIn()

    async def work(db: Db, now: datetime) -> Done:
        # Either id may be of before a merge: a link in an old letter still withdraws.
        if await queries.surviving(db, owner) != await queries.surviving(db, internal):
            raise no_such_member()
        withdrawn = await operations.withdraw_consent(
            db, owner, consent, how=means.how, now=now, actor=caller.actor
        )
        return Done(200, consent_out(withdrawn), withdrawn.member_id)

    return await once(request, caller, means, work)


@router.post("/v1/members/{member_id}/merge", response_model=MemberOut)
async def merge(
    request: Request, member_id: str, merged: MergeIn, caller: Caller, using: Using
) -> Response:
    """Make `gone` part of this member: points, purchases, receipts, identities, consents.

    Done before, it answers the member. A member who is part of another one already: 409
    `member_merged` with `member_id`.
    """
    into, gone = names.member_id(member_id), names.member_id(merged.gone)

    async def work(db: Db, now: datetime) -> Done:
        member = await operations.merge(
            db, into, gone, steps=using.steps, vault=using.vault, now=now, actor=caller.actor
        )
        return Done(200, member_out(member), into)

    return await once(request, caller, merged, work)


@router.post("/v1/members/{member_id}/unmerge", response_model=MemberOut)
async def unmerge(
    request: Request, member_id: str, merged: MergeIn, caller: Caller, using: Using
) -> Response:
    """Make `gone` a member by themselves again, with what they had and is still there.

    Answers the one who is back; what came since the merge stays with this member. Done before, it
    answers the same.
    """
    into, gone = names.member_id(member_id), names.member_id(merged.gone)

    async def work(db: Db, now: datetime) -> Done:
        back = await operations.unmerge(
            db,
            into,
            gone,
            within=using.unmerge_within,
            steps=using.steps,
            vault=using.vault,
            now=now,
            actor=caller.actor,
        )
        return Done(200, member_out(back), gone)

    return await once(request, caller, merged, work)


@router.delete("/v1/members/{member_id}", status_code=204)
async def forget(member_id: str, caller: Caller, using: Using) -> None:
    """Erase who the member was, for good; one forgotten before is forgotten."""
    async with using.database.transaction() as db:
        await operations.forget(
            db,
            names.member_id(member_id),
            steps=using.steps,
            now=await using.clock.programme(db),
            actor=caller.actor,
        )
