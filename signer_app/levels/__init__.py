"""Levels later: timestamps and validation data that are appended to documents which are signed already, so that their
signatures can be checked for years (ETSI EN 319 142-1, 6). What was signed and what was sent stay as they are.
"""
