"""Verbs on API keys, stored answers, sign-ins, sessions, cards, operators and approvals."""

from vezde.access.operations.answers import (
    asked,
    claim_answer,
    forget_answers,
    store_answer,
    sweep_answers,
)
from vezde.access.operations.approving import approval, ask, decide, try_approval
from vezde.access.operations.cards import make_card, read_card
from vezde.access.operations.entering import ask_code, enter
from vezde.access.operations.erasing import forget, merge, sweep_doors, unmerge
from vezde.access.operations.keys import (
    create_key,
    create_publishable_key,
    revoke_key,
    touch_key,
)
from vezde.access.operations.pacing import spend
from vezde.access.operations.sessions import end_session, end_sessions, session
from vezde.access.operations.signing_in import (
    begin_by_link,
    decide_link,
    linked,
    sign_in,
    try_code,
)
from vezde.access.operations.staffing import (
    change_role,
    end_shift,
    invite,
    leave,
    note,
    open_by_invitation,
    open_shift,
    operator,
    operator_code,
    shift,
    take_on,
)

__all__ = [
    "approval",
    "ask",
    "ask_code",
    "asked",
    "begin_by_link",
    "change_role",
    "claim_answer",
    "create_key",
    "create_publishable_key",
    "decide",
    "decide_link",
    "end_session",
    "end_sessions",
    "end_shift",
    "enter",
    "forget",
    "forget_answers",
    "invite",
    "leave",
    "linked",
    "make_card",
    "merge",
    "note",
    "open_by_invitation",
    "open_shift",
    "operator",
    "operator_code",
    "read_card",
    "revoke_key",
    "session",
    "shift",
    "sign_in",
    "spend",
    "store_answer",
    "sweep_answers",
    "sweep_doors",
    "take_on",
    "touch_key",
    "try_approval",
    "try_code",
    "unmerge",
]
