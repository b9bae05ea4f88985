"""What the program stands on: anchors, rights of the data folder, time zone, fonts of the stamps, the system's keyring.

Main process; blocks for milliseconds, the keyring perhaps for as long as its own question to the person. Mends nothing;
the keyring is tried with a secret of its own, which is taken out again.
"""

import io
import os
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import signer_resources
from signer_app.administration.enrolment import enrolment_trouble
from signer_app.administration.minimum import require_version
from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.exchange.session import client, exchanging_bodies
from signer_app.store.datafolder import is_network_path
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.trust import open_places
from signer_sync.keystore import KeyStore, KeyStoreKind

_VIETNAM_OFFSET = 7 * 3600
"""Seconds east of UTC, without daylight saving."""
_FONTS = (
    "SignerSerif-Regular.ttf",
    "SignerSerif-Bold.ttf",
    "SignerSerif-Italic.ttf",
    "SignerSerif-BoldItalic.ttf",
    "BeVietnamPro-Regular.ttf",
    "BeVietnamPro-SemiBold.ttf",
)
_VOWELS, _CONSONANTS = "aăâeêioôơuưy", "bcdđfghjklmnpqrstvwxz"
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
"""None, huyền, sắc, ngã, hỏi, nặng as combining marks."""

ChooseKeyStore = Callable[[Path], KeyStore]


# ---- anchors --------------------------------------------------------------------------------------------------------


def anchors_check(space: Workspace) -> Check:
    """Whether there are anchors, and whether an administrator has filled in what no pin is known of."""
    try:
        count, settings = len(space.trust.anchors), space.settings
    except KnownError as error:
        return Check(CheckName.ANCHORS, CheckState.BAD, "ut_anchors_bad", error=error)
    if not count:
        return Check(CheckName.ANCHORS, CheckState.WARN, "ut_anchors_bad", error=KnownError("machine_roots_missing"))
    # A demonstration lives in a world of its own, without NEAC.
    if not settings.national_root and not settings.softhsm2_conf:
        for place in open_places():
            unfilled = KnownError("machine_national_root_open", name=place.name)
            return Check(CheckName.ANCHORS, CheckState.WARN, "ut_anchors_bad", error=unfilled)
    return Check(CheckName.ANCHORS, CheckState.GOOD, "ut_anchors_good", {"count": count})


# ---- the data folder -----------------------------------------------------------------------------------------------


def folder_check(space: Workspace) -> Check:
    """Whether the data folder is this user's alone and on a disk of this machine."""
    folder = space.folder
    if not folder.path.is_dir():
        return Check(CheckName.FOLDER, CheckState.NOT_CHECKED, "ut_folder_not_made", {"folder": str(folder.path)})
    if is_network_path(folder.path):
        far = KnownError("data_folder_network", folder=str(folder.path))
        return Check(CheckName.FOLDER, CheckState.BAD, "ut_folder_bad", error=far)
    if os.name == "nt":
        # There the folder was made with an ACL of the user alone; a mode says nothing.
        return Check(CheckName.FOLDER, CheckState.NOT_CHECKED, "ut_folder_by_system", {"folder": str(folder.path)})
    opened = next(_open_to_others(folder.path), None)
    if opened is not None:
        error = KnownError("machine_folder_open", name=str(opened), folder=str(folder.path))
        return Check(CheckName.FOLDER, CheckState.BAD, "ut_folder_bad", error=error)
    return Check(CheckName.FOLDER, CheckState.GOOD, "ut_folder_good", {"folder": str(folder.path)})


def _open_to_others(folder: Path) -> Iterator[Path]:
    """What others can get at: the folder shuts its content off, but what was made 0600 is to stay so."""
    for path in (folder, *(folder / name for name in ("settings.json", "signer.sqlite", "keys", "vault"))):
        try:
            found = path.stat()
        except OSError:
            continue
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
            yield path


# ---- what the administrator has set -------------------------------------------------------------------------------


def machine_check(space: Workspace) -> Check:
    """Whether an administrator's settings for the machine count, and whether the program is new enough for them."""
    machine = space.machine
    if machine.trouble is not None:
        return Check(CheckName.MACHINE, CheckState.BAD, "ua_machine_bad", error=machine.trouble)
    try:
        require_version(space.settings)
    except KnownError as error:
        return Check(CheckName.MACHINE, CheckState.BAD, "ua_machine_bad", error=error)
    waiting = enrolment_trouble(space)
    if waiting is not None:
        return Check(CheckName.MACHINE, CheckState.WARN, "ua_machine_bad", error=waiting)
    if not machine.is_set:
        return Check(CheckName.MACHINE, CheckState.GOOD, "ua_machine_none")
    return Check(CheckName.MACHINE, CheckState.GOOD, "ua_machine_good", {"count": len(machine.locked)})


# ---- time zone -----------------------------------------------------------------------------------------------------


def zone_check() -> Check:
    """Whether the machine counts in Vietnam's time. Signing does so in any case; but who sets the clock by the eye in
    another zone sets it wrong.
    """
    offset = time.localtime().tm_gmtoff
    if offset == _VIETNAM_OFFSET:
        return Check(CheckName.ZONE, CheckState.GOOD, "ut_zone_good")
    sign, minutes = "-" if offset < 0 else "+", abs(offset) // 60
    zone = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    return Check(
        CheckName.ZONE, CheckState.WARN, "ut_zone_other", {"zone": zone}, KnownError("machine_zone", zone=zone)
    )


# ---- fonts ---------------------------------------------------------------------------------------------------------


def fonts_check() -> Check:
    """Whether the program's own fonts are whole and know every Vietnamese letter."""
    broken = broken_fonts(signer_resources.path("fonts"))
    if broken:
        error = KnownError("machine_fonts", names=", ".join(broken))
        return Check(CheckName.FONTS, CheckState.BAD, "ut_fonts_bad", error=error)
    return Check(CheckName.FONTS, CheckState.GOOD, "ut_fonts_good", {"count": len(_FONTS)})


@cache
def broken_fonts(folder: Path) -> tuple[str, ...]:
    """Names of the fonts in `folder` that are missing, damaged, or lack a letter; looked at once in a process."""
    return tuple(name for name in _FONTS if not _is_whole(folder / name))


def _is_whole(file: Path) -> bool:
    # Loaded here, because the window opens its desk before anybody asks about fonts.
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(io.BytesIO(file.read_bytes()), lazy=True) as font:
            return _letters() <= set(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return False


def _letters() -> set[int]:
    """Code points of all Vietnamese letters, composed (NFC), small and capital."""
    small = [unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES]
    small += _CONSONANTS
    return {ord(letter) for one in small for letter in (one, one.upper())}


# ---- keyring -------------------------------------------------------------------------------------------------------


def keyring_check(space: Workspace, choose: ChooseKeyStore) -> Check:
    """Where this machine's keys are kept, and whether they are there: the device key for each body that exchanges, and
    those of the pictures in the vault.
    """
    try:
        for picture in space.settings.kept_pictures():
            space.vault.open(picture)
    except KnownError as error:
        return Check(CheckName.KEYRING, CheckState.BAD, "ut_keyring_bad", error=error)
    for body in exchanging_bodies(space.settings):
        try:
            with client(space, body.code):
                pass
        except KnownError as error:
            return Check(CheckName.KEYRING, CheckState.BAD, "ut_keyring_bad", error=error)
    if space.settings.softhsm2_conf:
        # A demonstration is thrown away whole, so it keeps out of the user's keyring.
        return Check(CheckName.KEYRING, CheckState.GOOD, "ut_keyring_demo")
    kind = choose(space.folder.path / "keys").kind
    key = "ut_keyring_good" if kind is KeyStoreKind.KEYRING else "ut_keyring_file"
    return Check(CheckName.KEYRING, CheckState.GOOD, key)
