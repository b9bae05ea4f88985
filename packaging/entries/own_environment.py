"""Gives children back the environment that the program itself was started with.

Runs before any module of ours in each frozen process. The bootloader names the program's libraries in LD_LIBRARY_PATH;
a desktop's programs that we start (a folder's window, an office converter) must not load them in place of their own.
Our own children set it again by themselves.
"""

import os

_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if _before is not None:
    os.environ["LD_LIBRARY_PATH"] = _before
else:
    os.environ.pop("LD_LIBRARY_PATH", None)
