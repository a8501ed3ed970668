"""Pictures of receipts, for the time that a person has to look at them.

A receipt that is accepted at once keeps none. What came by a messenger stays there: its name waits
with the check and is asked for again when a line is in doubt. What no messenger keeps (a brand's
upload, a letter) waits small and sealed, and goes with the check. Pictures prove nothing, are shown
to those who moderate, and are erased by age.
"""
