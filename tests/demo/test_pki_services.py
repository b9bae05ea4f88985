"""CRL, OCSP, CA certificates and timestamps, asked over real HTTP where the certificates say."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from asn1crypto import cms
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Authority, Holder
from signer_app.demo.pki_services import MAX_REQUEST_BYTES
from signer_resources.errors import KnownError

TIMEOUT = 10.0


@pytest.fixture
def served(pki: DemoPki) -> Iterator[DemoPki]:
    with pki.services():
        yield pki


def certificate(pki: DemoPki, holder: Holder) -> x509.Certificate:
    return x509.load_der_x509_certificate(pki.leaf(holder).certificate_der)


def access_url(subject: x509.Certificate, method: x509.ObjectIdentifier) -> str:
    found = subject.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = [entry.access_location.value for entry in found if entry.access_method == method]
    return str(url)


def crl_url(subject: x509.Certificate) -> str:
    (point,) = subject.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    return str(point.full_name[0].value)


def fetch(url: str) -> bytes:
    answer = requests.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.content


def ask_ocsp(pki: DemoPki, holder: Holder) -> ocsp.OCSPResponse:
    subject = certificate(pki, holder)
    issuer = x509.load_der_x509_certificate(pki.issuing_der)
    request = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, hashes.SHA256()).build()
    answer = requests.post(
        access_url(subject, AuthorityInformationAccessOID.OCSP),
        data=request.public_bytes(serialization.Encoding.DER),
        headers={"Content-Type": "application/ocsp-request"},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    response = ocsp.load_der_ocsp_response(answer.content)
    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    key = certificate(pki, Holder.OCSP).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), hashes.SHA256())
    return response


def test_ocsp_says_good_for_the_leader(served: DemoPki) -> None:
    assert ask_ocsp(served, Holder.LEADER).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_ocsp_says_since_when_the_revoked_leader_is_revoked(served: DemoPki) -> None:
    response = ask_ocsp(served, Holder.REVOKED_LEADER)
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    since = response.revocation_time_utc
    assert since is not None
    assert certificate(served, Holder.REVOKED_LEADER).not_valid_before_utc < since < response.this_update_utc


def test_the_crl_that_certificates_name_lists_the_revoked_leader_alone(served: DemoPki) -> None:
    issuing = x509.load_der_x509_certificate(served.issuing_der)
    issuing_key = issuing.public_key()
    assert isinstance(issuing_key, rsa.RSAPublicKey)
    crl = x509.load_der_x509_crl(fetch(crl_url(certificate(served, Holder.LEADER))))
    assert crl.is_signature_valid(issuing_key)
    assert crl.issuer == issuing.subject
    assert [entry.serial_number for entry in crl] == [certificate(served, Holder.REVOKED_LEADER).serial_number]


def test_the_roots_crl_lists_nobody(served: DemoPki) -> None:
    root_key = x509.load_der_x509_certificate(served.root_der).public_key()
    assert isinstance(root_key, rsa.RSAPublicKey)
    crl = x509.load_der_x509_crl(fetch(crl_url(x509.load_der_x509_certificate(served.issuing_der))))
    assert crl.is_signature_valid(root_key)
    assert list(crl) == []


def test_the_issuers_certificate_is_where_the_leaf_says(served: DemoPki) -> None:
    method = AuthorityInformationAccessOID.CA_ISSUERS
    assert fetch(access_url(certificate(served, Holder.AGENCY), method)) == served.issuing_der
    issuing = x509.load_der_x509_certificate(served.issuing_der)
    assert fetch(access_url(issuing, method)) == served.root_der


def test_a_timestamp_is_over_what_was_asked_and_leads_to_the_root(served: DemoPki) -> None:
    def imprint(algorithm: str) -> bytes:
        return hashlib.new(algorithm, "văn bản".encode()).digest()

    async def stamp_and_check() -> bool:
        stamper = HTTPTimeStamper(served.tsa_url, timeout=int(TIMEOUT))
        token = await stamper.async_timestamp(imprint("sha256"), "sha256")
        context = ValidationContext(
            trust_roots=[asn1.Certificate.load(served.root_der)],
            allow_fetching=False,
            revocation_mode="hard-fail",
            crls=[served.crl_der(authority) for authority in Authority],
        )
        signed_data = token["content"]
        assert isinstance(signed_data, cms.SignedData)
        status = await validate_tst_signed_data(signed_data, context, imprint)
        return bool(status["intact"] and status["valid"] and status["trust_problem_indic"] is None)

    assert asyncio.run(stamp_and_check())


def test_a_malformed_request_is_refused_quietly(served: DemoPki, capfd: pytest.CaptureFixture[str]) -> None:
    for url in (served.tsa_url, served.ocsp_url):
        assert requests.post(url, data=b"no DER", timeout=TIMEOUT).status_code == 400
    assert capfd.readouterr() == ("", "")


def test_a_request_too_large_to_be_honest_is_not_read(served: DemoPki) -> None:
    body = bytes(MAX_REQUEST_BYTES + 1)
    with socket.create_connection(("127.0.0.1", served.port), timeout=TIMEOUT) as client:
        client.sendall(b"POST /pki/tsa/tsa HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert b" 413 " in client.recv(4096).split(b"\r\n")[0]


def test_keys_are_never_served(served: DemoPki) -> None:
    url = f"http://127.0.0.1:{served.port}/_certomancer/pfx-download/pki"
    assert requests.post(url, data={"cert": "leader"}, timeout=TIMEOUT).status_code == 404


def test_a_client_cannot_choose_the_time(served: DemoPki) -> None:
    url = crl_url(certificate(served, Holder.LEADER))
    answer = requests.get(url, headers={"X-Certomancer-Fake-Time": "2031-01-01T00:00:00Z"}, timeout=TIMEOUT)
    assert answer.content == fetch(url)


def test_services_leave_no_thread_and_no_open_port(pki: DemoPki, capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    services = pki.services()
    for _ in range(2):
        with services:
            fetch(f"http://127.0.0.1:{pki.port}/pki/certs/root/ca.crt")
        assert set(threading.enumerate()) == before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", pki.port), timeout=TIMEOUT)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_says_nothing_does_not_hold_up_the_end(pki: DemoPki) -> None:
    before = set(threading.enumerate())
    services = pki.services()
    with services:
        silent = socket.create_connection(("127.0.0.1", pki.port), timeout=TIMEOUT)
        # The accept order is kept, so this answer shows that the silent one has its thread.
        fetch(f"http://127.0.0.1:{pki.port}/pki/certs/root/ca.crt")
    with silent:
        assert silent.recv(1) == b""
    assert set(threading.enumerate()) == before


def test_a_port_in_use_is_named(served: DemoPki) -> None:
    with pytest.raises(KnownError) as caught, served.services():
        pass
    assert caught.value.code == "demo_port_taken"
    assert str(served.port) in caught.value.explain("vi").why
