"""The frozen window. Its children are the command line's executable, which lies beside it and loads no Qt.

The first module of the frozen process; does nothing but hand over.
"""

from signer_ui.main import main

raise SystemExit(main())
