"""What stands before the reference server on the far machine: a TLS front end, and a sink for plain sockets.

Run as a module with a folder (`front.pem`: key and certificate), the address to listen on, the port of the front end,
that of the sink, and the server's own. Prints one line when both listen.
"""

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 16


def main(folder: Path, address: str, front: int, sink: int, target: int) -> None:
    """Serves until it is killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "front.pem")

    def relay(plain: socket.socket) -> None:
        with tls.wrap_socket(plain, server_side=True) as near:
            far = socket.create_connection(("127.0.0.1", target))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with far:
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()

    _listen(address, front, relay)
    _listen(address, sink, _swallow)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


def _listen(address: str, port: int, each: Callable[[socket.socket], None]) -> None:
    listener = socket.create_server((address, port), backlog=64)

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_quietly, args=(each, near), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _quietly(each: Callable[[socket.socket], None], near: socket.socket) -> None:
    with near, suppress(OSError):
        each(near)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_BLOCK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _swallow(near: socket.socket) -> None:
    """Takes all that comes and says so when it has it."""
    while near.recv(_BLOCK):
        pass
    near.sendall(b".")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))
