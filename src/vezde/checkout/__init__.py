"""Orders of the brand's own site and tills: what points pay, what they earn, what comes back.

Vocabulary: a *basket* is what the shop wants to sell; a *quote* says what of it points can pay and
what it would earn, and leaves no trace; a *hold* reserves points for a basket, each line's share
exact to the kopeck; *commit* makes the hold an *order*; a *return* takes back lines, in whole or in
part, and *cancel* all that is left. `line` 0 is the delivery. `value` is what a point pays.

Invariants: discounts add up to points times value, no line goes below its floor, nothing below
zero; an order's number is unique in its sales channel; the same command again answers the same;
points of an order cannot pay it; returns of a line add up to what was paid, spent and earned for it
and never price anew. Orders name nobody: ids and numbers only.
"""
