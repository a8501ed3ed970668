"""Members: the people of the programme, how they are recognised and what they agreed to.

A *member* is a person, not an account of some door. An *identity* is something a door knows them
by: a phone, an e-mail, a messenger account, an id of another system; the *main* one of its kind is
shown as the member's phone or e-mail. A *consent* is a row of evidence: what for, by which channel,
to which document, when and how; withdrawing adds to the row and erases nothing.

Invariants:
- every active member has at least one identity, and one main identity of each kind they have;
- an identity belongs to one member of the programme: its claim is taken first, in sorted order;
- claims exist for active members only, so a claim alone answers «whose is this phone»;
- name, birthday and identities are stored sealed, found by a blind index, and appear in no fact,
  message, log or repr.
"""
