"""The test PKI of a demonstration: keys, certificates, and the services that answer for them on loopback.

Made once per folder and kept: `keys/*.pem`, `certificates/*.der`, and last `pki.json`, whose presence says
that the rest is whole. certomancer makes the certificates and the CRLs; here stands what it is told. Runs in
the main process, on the caller's thread. It never touches a token and never reaches the network. The keys lie
open in the folder (0600): they protect nothing but a demonstration.
"""

import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
from asn1crypto import pem
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig, PKIArchitecture, ServiceLabel
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from signer_app.demo.files import make_private_folder, write_private
from signer_app.demo.leaf import Leaf, pkcs8
from signer_app.demo.pki_names import (
    AUTHORITIES,
    CRL_PERIOD_DAYS,
    HOLDERS,
    Authority,
    CertificatePlan,
    Holder,
)
from signer_app.demo.pki_services import PkiServices
from signer_resources.errors import KnownError

_RECORD = "pki.json"
_KEYS = "keys"
_CERTIFICATES = "certificates"
_VERSION = 1
_ARCHITECTURE = ArchLabel("pki")
_LEGAL_TIME = timezone(timedelta(hours=7))
_OCSP_DAYS = 7
"""How long an OCSP answer stays usable: long enough to lay the network cable aside for a while."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`pki.json`: what the folder was made with. The port is part of every certificate's URLs."""

    version: int
    port: int
    certomancer: dict[str, object]


class DemoPki:
    """A test PKI in a folder. Made by `create_or_load`."""

    def __init__(self, folder: Path, port: int, architecture: PKIArchitecture) -> None:
        self.folder = folder
        self._architecture = architecture
        self.port = port
        """The port of the services on 127.0.0.1, chosen when the folder was made."""

    @classmethod
    def create_or_load(cls, folder: Path, port: int = 0, *, now: datetime | None = None) -> "DemoPki":
        """The PKI in `folder`, made if there is none yet (some seconds, for the keys) or only half of one.

        `port` counts when the PKI is made: the services' port on 127.0.0.1, 0 for a free one. An existing PKI
        keeps its own, for it stands in the certificates. `now`, an aware time, sets the day of creation.
        """
        record = _read_record(folder)
        if record is None:
            record = _make(folder, port or _free_port(), now or datetime.now(UTC))
        return cls(folder, record.port, _architecture(record.certomancer, folder))

    @property
    def root_der(self) -> bytes:
        """The root's certificate, the only trust anchor."""
        return self._certificate(Authority.ROOT)

    @property
    def issuing_der(self) -> bytes:
        """The issuing authority's certificate."""
        return self._certificate(Authority.ISSUING)

    @property
    def tsa_url(self) -> str:
        """Where the timestamp service answers (RFC 3161 over HTTP) while the services run."""
        return str(self._architecture.service_registry.get_tsa_info(ServiceLabel(Holder.TSA)).url)

    @property
    def ocsp_url(self) -> str:
        """Where the OCSP responder of the issuing authority answers while the services run."""
        return str(self._architecture.service_registry.get_ocsp_info(ServiceLabel(Authority.ISSUING)).url)

    def leaf(self, holder: Holder) -> Leaf:
        """The certificate and key of `holder`."""
        certificate = self._certificate(holder)
        key = serialization.load_pem_private_key((self.folder / _KEYS / f"{holder}.pem").read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return Leaf(certificate, (certificate, self.issuing_der), key)

    def crl_der(self, authority: Authority, at: datetime | None = None) -> bytes:
        """The CRL of `authority` that is current at `at` (now when None), freshly signed."""
        found = self._architecture.service_registry.get_crl(ServiceLabel(authority), at or datetime.now(UTC))
        return bytes(found.dump())

    def write_trust_dir(self, path: Path, *, now: datetime | None = None) -> None:
        """Write what a verifier needs with the services down: both authorities (PEM) and their CRLs (DER).

        The files of an earlier call are replaced. The CRLs run to the end of their period: a year, when the
        PKI is new.
        """
        make_private_folder(path)
        for authority in Authority:
            certificate = pem.armor("CERTIFICATE", self._certificate(authority))
            write_private(path / f"{authority}.pem", certificate)
            write_private(path / f"{authority}.crl", self.crl_der(authority, now))

    def services(self) -> PkiServices:
        """The services, not started yet: a context manager that serves while it is open."""
        return PkiServices(self._architecture, self.port)

    def _certificate(self, name: Authority | Holder) -> bytes:
        return bytes(self._architecture.get_cert(CertLabel(name)).dump())


def _read_record(folder: Path) -> _Record | None:
    try:
        data = (folder / _RECORD).read_bytes()
    except FileNotFoundError:
        return None
    record = msgspec.json.decode(data, type=_Record)
    return record if record.version == _VERSION else None


def _make(folder: Path, port: int, now: datetime) -> _Record:
    """Make keys and certificates, and last the record that says they are whole."""
    make_private_folder(folder)
    (folder / _RECORD).unlink(missing_ok=True)
    for part in (_KEYS, _CERTIFICATES):
        shutil.rmtree(folder / part, ignore_errors=True)
        make_private_folder(folder / part)
    plans = {str(name): plan for name, plan in (*AUTHORITIES.items(), *HOLDERS.items())}
    for name, plan in plans.items():
        key = rsa.generate_private_key(public_exponent=65537, key_size=plan.key_bits)
        write_private(folder / _KEYS / f"{name}.pem", pkcs8(key, serialization.Encoding.PEM))

    day = now.astimezone(_LEGAL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    certificates = {name: _certificate_settings(name, plan, day) for name, plan in plans.items()}
    architecture = _architecture(_settings(port, plans, certificates), folder)
    for name, settings in certificates.items():
        file = f"{name}.der"
        write_private(folder / _CERTIFICATES / file, architecture.get_cert(CertLabel(name)).dump())
        # From now on this file is the certificate, whatever a later certomancer would make of the settings.
        settings["certificate-file"] = file

    record = _Record(_VERSION, port, _settings(port, plans, certificates))
    partial = folder / f"{_RECORD}.partial"
    write_private(partial, msgspec.json.encode(record))
    partial.replace(folder / _RECORD)
    return record


def _architecture(settings: dict[str, object], folder: Path) -> PKIArchitecture:
    config = CertomancerConfig(
        settings,
        key_search_dir=str(folder / _KEYS),
        config_search_dir=str(folder / _CERTIFICATES),
        # Loading an RSA key checks its primes, which takes longer than all the rest together.
        lazy_load_keys=True,
    )
    return config.get_pki_arch(_ARCHITECTURE)


def _settings(
    port: int, plans: Mapping[str, CertificatePlan], certificates: Mapping[str, dict[str, object]]
) -> dict[str, object]:
    """certomancer's configuration (its documentation, "Configuration")."""
    return {
        "external-url-prefix": f"http://127.0.0.1:{port}",
        "keysets": {str(_ARCHITECTURE): {"keys": {name: {"path": f"{name}.pem"} for name in plans}}},
        "pki-architectures": {
            str(_ARCHITECTURE): {
                "entity-defaults": {"country-name": "VN"},
                "entities": {name: _entity_settings(plan) for name, plan in plans.items()},
                "certs": dict(certificates),
                "services": {
                    "crl-repo": {
                        str(authority): {
                            "for-issuer": str(authority),
                            "simulated-update-schedule": f"P{CRL_PERIOD_DAYS}D",
                        }
                        for authority in Authority
                    },
                    "cert-repo": {
                        str(authority): {"for-issuer": str(authority), "publish-issued-certs": False}
                        for authority in Authority
                    },
                    "ocsp": {
                        str(Authority.ISSUING): {
                            "for-issuer": str(Authority.ISSUING),
                            "responder-cert": str(Holder.OCSP),
                            "validity-period": {"days": _OCSP_DAYS},
                        }
                    },
                    "time-stamping": {
                        str(Holder.TSA): {
                            "signing-cert": str(Holder.TSA),
                            "certs-to-embed": [str(Authority.ISSUING)],
                        }
                    },
                },
            }
        },
    }


def _entity_settings(plan: CertificatePlan) -> dict[str, object]:
    subject = plan.subject
    locality = {"locality-name": subject.locality} if subject.locality else {}
    return {
        **locality,
        "organization-name": subject.organization,
        "common-name": subject.common_name,
    }


def _certificate_settings(name: str, plan: CertificatePlan, day: datetime) -> dict[str, object]:
    start = day + timedelta(days=plan.start_day)
    issuer = Authority.ISSUING if name in HOLDERS else Authority.ROOT
    settings: dict[str, object] = {
        "subject": name,
        "issuer": str(issuer),
        # Two demonstrations have the same names: their certificates must not share serial numbers as well.
        "serial": secrets.randbits(62) | 1 << 62,
        "validity": {
            "valid-from": start.isoformat(),
            "valid-to": (start + timedelta(days=plan.life_days)).isoformat(),
        },
        "extensions": _extension_settings(name, plan, issuer),
    }
    if plan.revoked_on_day is not None:
        revoked = day + timedelta(days=plan.revoked_on_day)
        settings["revocation"] = {"revoked-since": revoked.isoformat(), "reason": "affiliation_changed"}
    return settings


def _extension_settings(name: str, plan: CertificatePlan, issuer: Authority) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {
            "id": "key_usage",
            "critical": True,
            "smart-value": {"schema": "key-usage", "params": list(plan.key_usage)},
        }
    ]
    if plan.path_length is not None:
        constraints = {"ca": True, "path_len_constraint": plan.path_length}
        found.append({"id": "basic_constraints", "critical": True, "value": constraints})
    if plan.extended_key_usage is not None:
        critical = plan.extended_key_usage == "time_stamping"
        found.append({"id": "extended_key_usage", "critical": critical, "value": [plan.extended_key_usage]})
    if plan.email is not None:
        names = [{"type": "email", "value": plan.email}]
        found.append({"id": "subject_alt_name", "smart-value": {"schema": "general-names", "params": names}})
    if plan.ocsp_no_check:
        found.append({"id": "ocsp_no_check"})
    if name != Authority.ROOT:
        found.append(
            {
                "id": "crl_distribution_points",
                "smart-value": {"schema": "crl-dist-url", "params": {"crl-repo-names": [str(issuer)]}},
            }
        )
        # The root has no responder: an issuing authority is asked after by CRL alone.
        asks_ocsp = issuer is Authority.ISSUING and not plan.ocsp_no_check
        found.append(
            {
                "id": "authority_information_access",
                "smart-value": {
                    "schema": "aia-urls",
                    "params": {
                        "ocsp-responder-names": [str(Authority.ISSUING)] if asks_ocsp else [],
                        "ca-issuer-links": [{"repo": str(issuer)}],
                    },
                },
            }
        )
    return found


def _free_port() -> int:
    """A port that nobody uses now, below those which systems lend to outgoing connections (Linux: from 32768,
    others: from 49152), so that it is free as well on a later day."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise KnownError("demo_port_taken", port=port)
