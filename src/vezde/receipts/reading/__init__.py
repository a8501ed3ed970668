"""What people send, read: photos, PDFs, exports, letters, pages, in a process that may be killed.

`Reader` is what every door uses. What it finds is what a member says: a fiscal key with its date
and sum, which a provider confirms; it is never evidence.
"""
