"""Backup and restore: encrypted generations on another disk, a new machine made from one, and what must be asked first.

Main process. Whoever makes a backup can't read it: only the recovery code, which no machine keeps, opens one.
"""
