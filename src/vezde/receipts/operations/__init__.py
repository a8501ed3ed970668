"""Verbs on receipts: show, check, settle, decide a doubtful line, take in by the hundred."""
