"""The command line: reads wishes, asks for what is missing, says what became of them, in words or as JSON.

Main process, one command a run. Everything it says comes from the one catalogue; nothing is decided here.
"""
