"""A slow line in user space: two TUN devices in two network namespaces, and a process that carries packets between them
at a rate, with a delay, a loss and a queue. Linux, as root; many kernels have no netem.

The line's own process holds nothing but this loop, and goes before others, so that a busy machine bends it little.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NEAR_ADDRESS: Final = "10.77.0.1"
FAR_ADDRESS: Final = "10.77.0.2"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001
_MTU: Final = 1500
_BURST_S: Final = 0.01
"""So long the line makes up for, where this process was woken late; over longer times the rate holds."""


@dataclass(frozen=True)
class Line:
    """`rate` in bits of IP packets per second each way, `rtt` in seconds, `loss` of packets as a share each way."""

    rate: float
    rtt: float
    loss: float = 0.0

    @property
    def queue(self) -> int:
        """Bytes that wait at most: what the line holds in a round trip, as a router of some care has it."""
        return max(64 << 10, int(self.rate * self.rtt / 8))


@dataclass(frozen=True)
class Namespaces:
    """Two machines at the ends of the line. `near` and `far` are names for `ip netns exec`."""

    near: str
    far: str
    devices: tuple[int, int]

    def at_near(self) -> tuple[str, ...]:
        """What stands before a command that runs on the near machine."""
        return ("ip", "netns", "exec", self.near)

    def at_far(self) -> tuple[str, ...]:
        """What stands before a command that runs on the far machine."""
        return ("ip", "netns", "exec", self.far)

    @contextmanager
    def joined(self, line: Line, seed: int) -> Iterator[None]:
        """The line works."""
        facts = (line.rate, line.rtt / 2, line.loss, line.queue, seed)
        command = [sys.executable, "-P", "-m", "tests.support.exchange_link", *map(str, (*self.devices, *facts))]
        with subprocess.Popen(command, pass_fds=self.devices) as process:
            try:
                yield
            finally:
                process.kill()


def possible() -> bool:
    """Whether this process may make namespaces and TUN devices."""
    return os.name == "posix" and os.geteuid() == 0 and Path("/dev/net/tun").exists()


@contextmanager
def namespaces() -> Iterator[Namespaces]:
    """Two namespaces with a device each, gone at the end."""
    mark = os.getpid()
    with ExitStack() as stack:
        devices = []
        for side, own, other in (("n", NEAR_ADDRESS, FAR_ADDRESS), ("f", FAR_ADDRESS, NEAR_ADDRESS)):
            space, name = f"signer-{side}{mark}", f"sg{side}{mark}"
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            stack.callback(os.close, device)
            fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH14x", name.encode(), _IFF_TUN_NO_PI))
            devices.append(device)
            _ip("link", "set", name, "netns", space)
            _ip("-n", space, "addr", "add", own, "peer", other, "dev", name)
            _ip("-n", space, "link", "set", name, "mtu", str(_MTU), "up")
            _ip("-n", space, "link", "set", "lo", "up")
        yield Namespaces(f"signer-n{mark}", f"signer-f{mark}", (devices[0], devices[1]))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


# ---- the line's own process ------------------------------------------------------------------------------------------


@dataclass
class _Way:
    """One direction. Packets leave one after the other; what finds the queue full is dropped."""

    source: int
    target: int
    rate: float
    delay: float
    loss: float
    queue: int
    chance: random.Random
    free_at: float = 0.0
    flying: list[tuple[float, int, bytes]] = field(default_factory=list)
    count: int = 0

    def take(self) -> None:
        while True:
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            now = time.monotonic()
            waiting = max(self.free_at - now, 0.0) * self.rate / 8
            if waiting + len(packet) > self.queue:
                continue
            self.free_at = max(self.free_at, now - _BURST_S) + len(packet) * 8 / self.rate
            if self.chance.random() >= self.loss:
                self.count += 1
                heapq.heappush(self.flying, (self.free_at + self.delay, self.count, packet))

    def deliver(self) -> float:
        """Hands on what is due; when the next is."""
        while self.flying and self.flying[0][0] <= time.monotonic():
            try:
                os.write(self.target, heapq.heappop(self.flying)[2])
            except OSError:
                continue  # the far machine's device takes no more: lost as on any line
        return self.flying[0][0] if self.flying else time.monotonic() + 1.0


def main(near: int, far: int, rate: float, delay: float, loss: float, queue: int, seed: int) -> None:
    """Carries packets until it is killed."""
    os.nice(-15)
    chance = random.Random(seed)
    ways = [_Way(a, b, rate, delay, loss, queue, chance) for a, b in ((near, far), (far, near))]
    while True:
        due = min(way.deliver() for way in ways)
        ready, _, _ = select.select([near, far], [], [], max(due - time.monotonic(), 0.0))
        for way in ways:
            if way.source in ready:
                way.take()


if __name__ == "__main__":
    _near, _far, _rate, _delay, _loss, _queue, _seed = sys.argv[1:]
    main(int(_near), int(_far), float(_rate), float(_delay), float(_loss), int(_queue), int(_seed))
