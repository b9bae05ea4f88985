"""The child process of the channel's tests: does what it is asked, also what a good child never does."""

import os
import sys
import threading

from signer_token.channel import Message, Refusal, serve


class Say(Message, frozen=True):
    text: str


class Do(Message, frozen=True):
    what: str


class Said(Message, frozen=True):
    text: str


def handle(request: Say | Do) -> Said:
    if isinstance(request, Say):
        return Said(request.text)
    match request.what:
        case "crash":
            os.abort()
        case "hang":
            threading.Event().wait()
        case "print":
            print("text in the pipe's place", flush=True)  # noqa: T201
            os.write(1, b"bytes in the pipe's place\n")
        case "read stdin":
            return Said(sys.stdin.read())
        case "refuse":
            raise Refusal("pin_incorrect", tries=1)
        case "break":
            raise ValueError("the PIN is 123456")
        case "long":
            return Said("x" * 5000)
        case "core limit":
            import resource

            return Said(str(resource.getrlimit(resource.RLIMIT_CORE)))
    return Said("done")


REQUESTS: tuple[type[Say | Do], ...] = (Say, Do)

if __name__ == "__main__":
    raise SystemExit(serve(handle, REQUESTS, cap=4096))
