"""Insights: what the brand's people read about the whole.

A *tally* is a figure of one day of the programme: facts by kind with their points, receipts by
status, sales channel and shop with their sums. Finished days are counted once and kept; of today
they are counted when asked, by indexes on time, so that no page reads a growing table whole.

Invariants: a kept day can be counted anew and comes out the same but for what was decided since;
nothing here names a member.
"""
