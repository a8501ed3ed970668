"""The bot: a member's door by a messenger.

Vocabulary: an *update* is what a messenger hands over; an *event* is what it means (started, said,
showed a picture, tapped); a *turn* is a chat's lock; a *screen* is a view of messaging; a *guest*
is a member known by the messenger's account alone. An event is *held* until the person consents to
personal data, *parked* when it failed for good.

Invariants: an update is committed before the messenger is told that we have it; it is worked once,
in the order of its chat, its effects and its end in one transaction; nothing a person sent is read
for good before they consented; an event that fails holds up nobody for long and is answered for.
"""
