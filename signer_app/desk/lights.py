"""The eight lights of a machine, each the sum of the checks that belong under it.

Pure values, any thread. A light is green when everything under it was checked and is good: what was not checked shows
as such, what isn't set up here at all (no timestamp server, say) doesn't count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.check_values import Check, CheckName, CheckState, worst_of, worst_state


class Light(StrEnum):
    """What a clerk is asked about on the telephone."""

    DRIVER = "driver"
    USB = "usb"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    NETWORK = "network"
    SERVER = "server"
    BACKUP = "backup"
    DISK = "disk"


UNDER: Mapping[Light, tuple[CheckName, ...]] = {
    Light.DRIVER: (CheckName.DRIVER,),
    Light.USB: (CheckName.TOKEN,),
    Light.CERTIFICATE: (CheckName.CERTIFICATE, CheckName.ANCHORS),
    Light.CLOCK: (CheckName.CLOCK, CheckName.ZONE),
    Light.NETWORK: (CheckName.NETWORK,),
    Light.SERVER: (CheckName.SERVER, CheckName.TIMESTAMP, CheckName.LEVELS),
    Light.BACKUP: (CheckName.BACKUP,),
    Light.DISK: (
        CheckName.DISK,
        CheckName.FOLDER,
        CheckName.DATABASE,
        CheckName.KEYRING,
        CheckName.FONTS,
        CheckName.MACHINE,
    ),
}
"""The order on the screen; each check belongs under exactly one."""

_LIGHT_OF = {name: light for light, names in UNDER.items() for name in names}


@dataclass(frozen=True)
class LightState:
    """One light: `checks` are those under it, in their order, `telling` the one that is worst off."""

    light: Light
    state: CheckState
    checks: tuple[Check, ...]
    telling: Check | None


def lights(checks: Sequence[Check]) -> tuple[LightState, ...]:
    """All eight, in their order, of the checks that are known; one without any was not checked."""
    return tuple(_light(light, [check for check in checks if _LIGHT_OF[check.name] is light]) for light in Light)


def _light(light: Light, under: Sequence[Check]) -> LightState:
    checks = sorted(under, key=lambda check: UNDER[light].index(check.name))
    counted = [check for check in checks if check.wanted]
    if {check.name for check in checks} != set(UNDER[light]):
        # What nobody has looked at yet can't be green.
        state = worst_state([CheckState.NOT_CHECKED, *(check.state for check in counted)])
    else:
        state = worst_state(check.state for check in counted)
    return LightState(light, state, tuple(checks), worst_of(counted) if counted else None)


def first_error(found: Sequence[LightState]) -> str | None:
    """The code of the first thing that is amiss, bad ones first; None: nothing is."""
    for state in (CheckState.BAD, CheckState.WARN):
        for one in found:
            for check in one.checks:
                if check.state is state and check.error is not None:
                    return check.error.code
    return None
