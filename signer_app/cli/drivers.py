"""The command `drivers`: which PKCS#11 modules lie on this machine, and with `--probe` what each answers when loaded.

Main process, without the data folder's lock, so that it works beside a window. Asks for no PIN and changes nothing;
modules are loaded by a token host each, never here.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from signer_app.cli.console import Console, message_of
from signer_app.workers import own_command
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_token.drivers import Module, Survey, look_around
from signer_token.probes import Probe, probe_all


def drivers(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """What is installed, what it is built for, whether it is in use; exit 3 when nothing of it can be used."""
    chosen = tuple(str(module.absolute()) for module in args.module) or space.settings.modules
    found = look_around(chosen)
    probes = _probes(space, found) if args.probe else {}
    if console.as_json:
        console.result(_shown(found, probes, console))
    else:
        _tell(found, probes, console)
    return 0 if any(_fault(module, probes) is None for module in found.modules) else 3


def _probes(space: Workspace, found: Survey) -> Mapping[Path, Probe]:
    """Each usable module, tried; one that doesn't fit or isn't safe is never loaded."""
    # The demonstration's software token is found by its configuration.
    extra = {"SOFTHSM2_CONF": space.settings.softhsm2_conf} if space.settings.softhsm2_conf else {}
    tried = probe_all(own_command("token-host"), [module.path for module in found.usable], extra)
    return {probe.module: probe for probe in tried}


def _fault(module: Module, probes: Mapping[Path, Probe]) -> KnownError | None:
    """What stands against using it: seen before, or when it was tried."""
    return module.problem or (probes[module.path].error if module.path in probes else None)


def _tell(found: Survey, probes: Mapping[Path, Probe], console: Console) -> None:
    if found.list_problem is not None:
        console.warn(found.list_problem)
    if not found.modules:
        console.say("drivers_none")
        return
    rows = [
        [
            module.name,
            str(module.binary) or text("driver_built_unknown", console.lang),
            text(f"driver_state_{_state(module, probes)}", console.lang),
            str(module.path),
        ]
        for module in found.modules
    ]
    console.table(("head_driver", "head_built", "head_in_use", "head_file"), rows)
    for module in found.modules:
        _tell_more(module, probes, console)


def _state(module: Module, probes: Mapping[Path, Probe]) -> str:
    if _fault(module, probes) is not None:
        return "unusable"
    return "used" if module.in_use else "free"


def _tell_more(module: Module, probes: Mapping[Path, Probe], console: Console) -> None:
    """What is worth knowing of one module, a line each."""
    fault = _fault(module, probes)
    if fault is not None:
        console.say("driver_told", name=module.name, told=str(fault.explain(console.lang)))
    facts = probes[module.path].facts if module.path in probes else None
    if facts is not None:
        console.say(
            "driver_probed",
            name=module.name,
            manufacturer=facts.manufacturer,
            description=facts.description,
            version=facts.library_version,
            cryptoki=facts.cryptoki_version,
        )
    for alias in module.aliases:
        console.say("driver_same_file", name=str(alias), file=str(module.path))
    for fact in module.driver.facts if module.driver is not None else ():
        console.say("driver_told", name=module.name, told=text(f"driver_fact_{fact}", console.lang))


def _shown(found: Survey, probes: Mapping[Path, Probe], console: Console) -> dict[str, object]:
    problem = found.list_problem
    return {
        "list_problem": None if problem is None else message_of(problem, console.lang),
        "drivers": [_one(module, probes.get(module.path), console) for module in found.modules],
    }


def _one(module: Module, probe: Probe | None, console: Console) -> dict[str, object]:
    known = module.driver
    return {
        "path": str(module.path),
        "name": module.name,
        "maker": known.maker if known is not None else None,
        "origin": module.origin.value,
        "in_use": module.in_use,
        "system": module.binary.format,
        "bits": module.binary.bits,
        "machine": module.binary.machine,
        "aliases": [str(alias) for alias in module.aliases],
        "facts": [fact.value for fact in known.facts] if known is not None else [],
        "problem": None if module.problem is None else message_of(module.problem, console.lang),
        "probe": None if probe is None else _tried(probe, console),
    }


def _tried(probe: Probe, console: Console) -> dict[str, object]:
    facts, error = probe.facts, probe.error
    return {
        "outcome": probe.outcome.value,
        "manufacturer": facts.manufacturer if facts is not None else None,
        "description": facts.description if facts is not None else None,
        "library_version": facts.library_version if facts is not None else None,
        "cryptoki_version": facts.cryptoki_version if facts is not None else None,
        "error": None if error is None else message_of(error, console.lang),
    }
