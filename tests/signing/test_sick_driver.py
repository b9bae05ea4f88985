"""A driver that was sick, and is well again: whoever wants to sign isn't refused from memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.signing_values import Choice
from signer_app.pdf.model import Profile
from signer_app.signing.certificates import fit_to_sign
from signer_app.workspace import Overrides
from signer_token.client import TokenError
from tests.support.pkcs11_shim import build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import Site


def _prepare(desk: Desk, _certificate: str) -> object:
    choice = desk.signing.prepare([])
    assert isinstance(choice, Choice)
    return choice.certificates


WISHES: tuple[Callable[[Desk, str], object], ...] = (
    _prepare,
    lambda desk, certificate: fit_to_sign(desk.space, certificate, [Profile.AGENCY]).certificate,
    lambda desk, certificate: desk.signing.token_of(certificate).certificates,
)


def test_what_a_person_asks_for_is_not_refused_for_a_fault_that_is_gone(site: Site, tmp_path: Path) -> None:
    place, module = site.desk(tmp_path), build_counting_module(tmp_path, softhsm_module())
    with open_desk(place.data, Overrides(modules=(module.path,))) as desk:
        for wish in WISHES:
            module.misbehave(C_GetSlotList="crash")
            with pytest.raises(TokenError) as crashed:
                wish(desk, place.agency)
            assert crashed.value.code == "driver_crashed"
            module.misbehave()
            assert desk.space.hosts.tokens().tokens == (), "whoever only looks leaves it alone"
            assert wish(desk, place.agency)
    assert module.user_logins() == 0
