"""What the machine's checks say of the anchors."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from signer_app.desk.check_values import Check, CheckState
from signer_app.desk.surroundings import anchors_check
from signer_app.store import Settings
from signer_app.workspace import Overrides, workspace
from tests.verification.small_pki import make_certificate


def seen(folder: Path, **settings: str | None) -> Check:
    change: Callable[[Settings], Settings] = lambda now: msgspec.structs.replace(now, **settings)  # noqa: E731
    with workspace(folder / "data", Overrides(), writing=True) as space:
        space.change_settings(change)
        return anchors_check(space)


def code(check: Check) -> str | None:
    return check.error.code if check.error is not None else None


def test_without_anchors_the_machine_says_how_to_get_them(tmp_path: Path) -> None:
    check = seen(tmp_path)
    assert (check.state, code(check)) == (CheckState.WARN, "machine_roots_missing")


def test_the_open_place_of_the_nations_root_is_told_until_it_is_filled(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors"
    anchors.mkdir()
    (anchors / "root.cer").write_bytes(make_certificate("Gốc", None, ca=True).der)
    check = seen(tmp_path, trust_dir=str(anchors))
    assert (check.state, code(check)) == (CheckState.WARN, "machine_national_root_open")
    check = seen(tmp_path, trust_dir=str(anchors), national_root="0" * 64)
    assert (check.state, check.params) == (CheckState.GOOD, {"count": 1})


def test_a_damaged_store_is_bad(tmp_path: Path) -> None:
    store = tmp_path / "data" / "trust"
    store.mkdir(parents=True)
    (store / "trust.json").write_bytes(b"{")
    (store / "trust.json").chmod(0o600)
    check = seen(tmp_path)
    assert (check.state, code(check)) == (CheckState.BAD, "trust_store_damaged")
