"""Trying a PKCS#11 module: what it does when it is loaded and initialised, whether it answers, crashes or hangs.

Main process, any thread; blocks for some seconds. The module is loaded in a token host of its own, which is ended
afterwards whatever the driver does, and never in this process. Asks for no token and never logs in.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from signer_resources.errors import KnownError
from signer_token import wire
from signer_token.channel import Child, ChildError, ChildFailed, ChildTimeout

PROBE_S = 2.0
"""Seconds that a module has to load and initialise; then it is told as silent."""
_START_S = 15.0
"""Seconds for our own host to start, which says nothing of the module: a virus scanner reads the program first."""
_END_S = 1.0
"""Seconds for the module to finalise, before its host is killed."""
_AT_ONCE = 4
"""Probes side by side: a clerk's machine has few cores, and drivers share the readers."""


class Outcome(StrEnum):
    """How a probe ended."""

    LOADED = "loaded"
    REFUSED = "refused"
    """It says why."""
    CRASHED = "crashed"
    SILENT = "silent"
    NOT_TRIED = "not_tried"
    """Our own host did not start, or not in time."""


@dataclass(frozen=True)
class Probe:
    """What a module did when it was loaded; `facts` only of one that did."""

    module: Path
    outcome: Outcome
    facts: wire.Loaded | None = None
    reason: str = ""
    """What the system or the driver said when it refused."""
    deadline_s: float = PROBE_S

    @property
    def error(self) -> KnownError | None:
        """The words for anything but LOADED; each names the module."""
        match self.outcome:
            case Outcome.LOADED:
                return None
            case Outcome.REFUSED:
                return KnownError("module_load_failed", module=str(self.module), reason=self.reason)
            case Outcome.CRASHED:
                return KnownError("driver_load_crashed", module=str(self.module))
            case Outcome.SILENT:
                return KnownError("driver_load_silent", module=str(self.module), seconds=f"{self.deadline_s:g}")
            case Outcome.NOT_TRIED:
                return KnownError("driver_not_tried", module=str(self.module))


def probe(command: Sequence[str], module: Path, env: Mapping[str, str], deadline_s: float = PROBE_S) -> Probe:
    """What `module` does when it is loaded and initialised, in a token host that `command` starts and that ends here.

    `env` is added to our own environment. No token is asked for, nobody is logged in. A silent driver costs
    `deadline_s` seconds; a few tokens are slower than that, so silence is no proof that it doesn't work.
    """
    try:
        started = Child[wire.Request, wire.Reply](command, wire.REPLIES, env={**os.environ, **env})
    except OSError:  # out of memory, out of handles
        return Probe(module, Outcome.NOT_TRIED)
    with started as child:
        try:
            child.call(wire.Ping(), _START_S)
        except ChildError:
            return Probe(module, Outcome.NOT_TRIED)
        try:
            answer = child.call(wire.Load(str(module.absolute())), deadline_s)
        except ChildFailed as refused:
            return Probe(module, Outcome.REFUSED, reason=_reason(refused))
        except ChildTimeout:
            return Probe(module, Outcome.SILENT, deadline_s=deadline_s)
        except ChildError:
            return Probe(module, Outcome.CRASHED)
        child.close(_END_S)
    if not isinstance(answer, wire.Loaded):
        return Probe(module, Outcome.CRASHED)
    return Probe(module, Outcome.LOADED, answer)


def _reason(refused: ChildFailed) -> str:
    """What stood in the way: the system's or the driver's words, else the kind of fault."""
    told = (refused.params.get(name) for name in ("reason", "ckr", "type"))
    return next((str(text) for text in told if text), refused.code)


def probe_all(
    command: Sequence[str], modules: Sequence[Path], env: Mapping[str, str], deadline_s: float = PROBE_S
) -> tuple[Probe, ...]:
    """`probe` for each, at most four at once; in the order of `modules`."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="probe") as pool:
        return tuple(pool.map(lambda module: probe(command, module, env, deadline_s), modules))
