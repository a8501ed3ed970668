"""The programme: one document of rules, its versions, and the only place that applies them.

Vocabulary: a *document* is made of *sections*, most of them read here, others handed to the domain
that owns them; a *version* is a published document with the instant it is in force from; a *fact*
is something that happened to a member, with the lines that may earn; a *standing* is what the
member's earlier decisions add up to; a *decision* is what a fact is worth under one version;
`wanted` is what the rules gave, `points` what the caps left of it.

Invariants: `decide` is pure: no database, no clock, same input, same answer. A fact is decided
once. Parts add up to their decision's points. Versions and decisions are only ever added; a
version is never in force before its publication, but for the first, which is in force for all
earlier time: no publication reprices the past.
"""
