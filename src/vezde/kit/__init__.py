"""What every domain stands on and no marketer has a word for: database, clock, ids, work.

Kit knows nothing of loyalty. It may be read without any domain; no domain is imported here.
"""
