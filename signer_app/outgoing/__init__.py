"""Outgoing documents before they are signed: opened, grouped, numbered, examined, and kept until then.

Runs in the main process, on any thread. PDF bytes are touched by workers only; nothing here asks a person or a token.
"""
