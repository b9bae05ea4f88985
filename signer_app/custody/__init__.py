"""Custody of the tokens: the hand-over book with its signed minutes, printed forms, and proof of the journal.

Runs in the main process; never logs in but to sign a minute, and never changes what the book has once said.
"""
