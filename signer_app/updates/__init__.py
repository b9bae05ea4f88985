"""Updates of the program: signed releases from a folder or an https address, and what puts one in place.

Main process, called by the command line and the window's desk; never replaces anything while the program runs.
"""
