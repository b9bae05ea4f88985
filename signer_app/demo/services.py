"""The demonstration's services on loopback: CRL, OCSP and TSA of the test PKI, and the document server.

They run in threads of the demo's own process and end with it. The document server knows the sample bodies; ours may
enrol by its test certificate.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography import x509

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Authority, Holder
from signer_resources import samples
from signer_server.app import Organisation, Server, ServerIdentity, ServerRules, TrustedRoots

SERVER_ID = "demo.truc-lien-thong.tinh-an-son"


@contextmanager
def running(pki: DemoPki, server_folder: Path, port: int) -> Iterator[Server]:
    """All services, from here to the end of the block; `port` is the document server's."""
    with ExitStack() as stack:
        stack.enter_context(pki.services())
        yield stack.enter_context(document_server(pki, server_folder, port))


def document_server(pki: DemoPki, folder: Path, port: int) -> Server:
    """The reference server with the sample bodies, not yet started; port 0 takes a free one."""
    known = samples.load()
    leaf, own = pki.leaf(Holder.SERVER), pki.leaf(Holder.AGENCY)
    identity = ServerIdentity.of(
        SERVER_ID, [x509.load_der_x509_certificate(der) for der in leaf.chain_der], leaf.private_key
    )
    organisations = tuple(
        Organisation(
            code=org.code,
            name=org.name,
            certificates=frozenset({own.sha256} if org.code == known.issuer.code else ()),
        )
        for org in known.organisations
    )
    roots = TrustedRoots(
        anchors=(pki.root_der,),
        intermediates=(pki.issuing_der,),
        crls=(pki.crl_der(Authority.ROOT), pki.crl_der(Authority.ISSUING)),
    )
    return Server(folder, identity, ServerRules(organisations, roots), port=port)
