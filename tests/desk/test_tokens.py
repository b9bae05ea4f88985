"""A look at real tokens: what a writing workspace keeps of confirmed certificates, and what a reading one leaves."""

from pathlib import Path

from signer_app.desk.tokens import look
from signer_app.signing.certificate_facts import Usage
from signer_app.workspace import Overrides, workspace
from tests.support.workspace import Site


def test_confirmed_certificates_are_kept_when_they_are_seen_and_by_the_owner_of_the_folder_alone(
    site: Site, tmp_path: Path
) -> None:
    desk = site.desk(tmp_path)
    desk.change_settings(certificates={})
    with workspace(desk.data, Overrides(), writing=False) as space:
        assert len(look(space).tokens) == 2
    assert desk.settings().certificates == {}
    with workspace(desk.data, Overrides(), writing=True) as space:
        seen = look(space)
        assert set(space.settings.certificates) == {desk.agency, desk.leader}
    kept = desk.settings().certificates[desk.agency]
    ((_token, body),) = [pair for pair in seen.sealing if pair[1].certificate.sha256 == desk.agency]
    assert (kept.subject, kept.not_after) == (body.certificate.subject, body.certificate.not_after)
    assert Usage.SIGNING in body.usages
    assert body.replaces is None
