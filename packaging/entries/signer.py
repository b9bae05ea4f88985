"""The frozen command line, and every child of the program: token hosts, workers, the drawer of pages.

The first module of the frozen process; does nothing but hand over.
"""

from signer_app.__main__ import main

raise SystemExit(main())
