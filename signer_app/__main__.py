"""The one executable: the command line, and the children that the program starts of itself.

A hidden first argument says which child it is. It is looked at before anything heavy is imported, so that a token
host never loads a PDF library and starts in a moment.
"""

import sys


def main() -> int:
    """The process's exit code (design: 0 done, 1 partly, 2 usage, 3 token, 4 our fault)."""
    child = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].startswith("--child=") else None
    if child is not None:
        from signer_app.logs import watch_child

        watch_child(child.removeprefix("--child="))
    if child == "--child=token-host":
        from signer_token.host import main as token_host

        return token_host()
    if child == "--child=worker":
        from signer_app.worker import main as worker

        return worker()
    if child == "--child=pages":
        from signer_app.page_worker import main as page_worker

        return page_worker()
    if child == "--child=softhsm-setup":
        from signer_app.demo.softhsm import child_main

        return child_main()
    from signer_app.cli.main import main as command_line

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
