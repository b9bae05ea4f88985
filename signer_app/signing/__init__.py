"""The way of a document: from files and wishes to signed, stored, queued documents.

Runs in the main process. PDF bytes are touched by workers only, the token by its host only; this package says in
which order, and what happens when something fails.
"""
