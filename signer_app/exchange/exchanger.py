"""Sending and receiving as long as the program runs: a loop for each body on a thread of its own, roused when there is
something to do.

Main process. The owner starts and stops it, calls it when something was queued, when the network changed or when a
person wants sending, and tells it when the settings are others. A loop holds its body's turn: no other pass runs beside
it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from signer_app.exchange.channels import Way
from signer_app.exchange.passes import after_pass, stores, surroundings, try_again
from signer_app.exchange.rechecking import LookingAgain
from signer_app.exchange.session import exchanging_bodies
from signer_app.faults import told_fault
from signer_app.store.settings import Body, Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.backoff import backoff
from signer_sync.loop import IDLE_SECONDS, keep_exchanging
from signer_sync.reports import SyncReport, Watching
from signer_sync.waking import Call, Wake

_PATIENCE_S = 40.0
"""A request that runs is not cut short; a list that is held open ends within 25 seconds."""


@dataclass
class _Runner:
    body: Body
    settings: Settings
    wake: Wake = field(default_factory=Wake)
    thread: threading.Thread | None = None


class Exchanger:
    """The loops of all bodies that this program exchanges for. `told` gets each pass's report with its body, on the
    thread of the loop. Start it once; use it in a `with`, or stop it.
    """

    def __init__(
        self,
        space: Workspace,
        told: Callable[[Body, SyncReport], None],
        *,
        watching: Watching | None = None,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self._space = space
        self._told = told
        self._watching = watching or Watching()
        self._idle = idle
        self._runners: dict[str, _Runner] = {}
        self._looking = LookingAgain(space)
        self._turn = threading.Lock()

    def start(self) -> None:
        """Begins; the same as `refresh`."""
        self.refresh()

    def refresh(self) -> None:
        """The settings are others: loops of bodies that are gone or exchange elsewhere end after the packet that is on
        its way, those of others begin, those whose settings changed begin anew.
        """
        settings = self._space.settings
        wanted = {body.code: body for body in exchanging_bodies(settings)}
        with self._turn:
            for code, runner in list(self._runners.items()):
                if wanted.get(code) != runner.body or _elsewhere(runner.settings, settings):
                    runner.wake.call(Call.STOP)
                    del self._runners[code]
                    if code in wanted:
                        self._begin(wanted[code], settings, after=runner.thread)
            for code, body in wanted.items():
                if code not in self._runners:
                    self._begin(body, settings, after=None)

    def call(self, call: Call) -> None:
        """Rouses all loops: WORK when something was queued, OPEN when the network is another, NOW for Gửi ngay, which
        also tries again what needed a person.
        """
        if Call.NOW in call:
            try_again(self._space)
        with self._turn:
            for runner in self._runners.values():
                runner.wake.call(call)

    @property
    def running(self) -> frozenset[str]:
        """Codes of the bodies whose loops run."""
        with self._turn:
            return frozenset(self._runners)

    def stop(self, patience_s: float = _PATIENCE_S) -> bool:
        """Ends all loops after the packet that is on its way; whether all have ended within the patience."""
        with self._turn:
            runners, self._runners = list(self._runners.values()), {}
        for runner in runners:
            runner.wake.call(Call.STOP)
        self._looking.stop()
        for runner in runners:
            if runner.thread is not None:
                runner.thread.join(patience_s)
        return not any(runner.thread is not None and runner.thread.is_alive() for runner in runners)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _begin(self, body: Body, settings: Settings, after: threading.Thread | None) -> None:
        runner = _Runner(body, settings)
        runner.thread = threading.Thread(
            target=self._run, args=(runner, after), name=f"exchange {body.code}", daemon=True
        )
        self._runners[body.code] = runner
        runner.thread.start()

    def _run(self, runner: _Runner, after: threading.Thread | None) -> None:
        if after is not None:
            # Two channels of one body never speak side by side.
            after.join()
        failures = 0
        while not runner.wake.stopped:
            try:
                way = self._space.channels.get(runner.body)
                with way.turn:
                    self._keep_on(runner, way)
                return
            except KnownError as error:
                self._told(runner.body, SyncReport(stopped=error))
            except Exception as fault:  # noqa: BLE001 - our own fault must not end the exchange unseen
                self._told(runner.body, SyncReport(stopped=told_fault(fault, self._space.folder.path)))
            failures += 1
            runner.wake.wait(min(backoff(failures, surroundings(self._space).uniform) + 1.0, self._idle))

    def _keep_on(self, runner: _Runner, way: Way) -> None:
        outbox, inbox = stores(self._space, way.channel.traits.name)

        def told(report: SyncReport) -> None:
            after_pass(self._space, way, report)
            self._looking.call()
            self._told(runner.body, report)

        around = surroundings(self._space)
        keep_exchanging(way.channel, outbox, inbox, around, runner.wake, told, watching=self._watching, idle=self._idle)


def _elsewhere(before: Settings, now: Settings) -> bool:
    """Whether servers are reached in another way."""
    return (before.network, before.server) != (now.network, now.server)
