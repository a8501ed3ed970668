"""Links: how people come, and how far they go from there.

A *link* is a short code with a source (`blogger-17`), perhaps a campaign and a medium, and the door
it leads to; it is posted, or printed as a QR code. A *scan* is an opening of the link: counted by
link and day, nothing of the person kept. A *touch* is a member who came through the door by the
link. An *arrival* is a member's origin with the steps they took since: joined, agreed, showed a
receipt, had one accepted, earned points.

Invariants:
- the first touch wins: a source, once known, is changed by nobody but whoever edits the member;
- a step counts for a source only if it was taken after the member came: whom a blogger brought
  back is not a buyer the blogger found;
- a printed code leads somewhere for ever: links are archived, never deleted.
"""
