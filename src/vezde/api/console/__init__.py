"""Routes of the console, the pages for the brand's own people.

An operator signs in by a one-time link or code; a cookie that scripts cannot read holds the
session, and what a role may do is checked route by route. Whatever changes something is written to
the journal in the transaction of the change.
"""
