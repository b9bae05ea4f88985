"""How the program is put together for machines without Python: contents, licences, list of parts, Debian package.

Runs on the machine that builds, never on a clerk's; nothing of it is shipped. The folder above is no package, because
one named `packaging` would shadow the library of that name.
"""
