"""Prepare and finish: pure, the input an exact prefix, a PAdES signature as the law asks, an honest picture."""

import asyncio
import datetime as dt
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pikepdf
import pytest
from asn1crypto import algos, cms, core, keys, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers.pdf_cms import ExternalSigner, PdfCMSSignedAttributes
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Prepared, Profile
from signer_app.pdf.plan import SIGNING_TIME, SignStep
from signer_app.pdf.prepare import prepare
from signer_app.pdf.signature import CONTENTS_BYTES, finish, signed_attributes
from signer_app.verification.model import Integrity, Level, TimestampKind
from signer_resources import rules, samples
from signer_resources.errors import KnownError
from tests.pdf.paper import letter
from tests.pdf.signing import IMAGES, INVISIBLE, PICTURE, SEAL, Desk, picture_step, text_step, with_picture
from tests.verification.documents import hybrid, make_document

PLACE = Rect(110, 190, 60, 20)


def _signature(path: Path, number: int = -1) -> tuple[pikepdf.Dictionary, cms.SignedData]:
    """The signature dictionary and the CMS of one signature field."""
    with pikepdf.open(path) as pdf:
        fields = [field for field in pdf.Root.AcroForm.Fields if "/V" in field and field.FT == "/Sig"]
        value = fields[number].V
        content = cms.ContentInfo.load(bytes(value.Contents), strict=False)
        return pikepdf.Dictionary({key: item for key, item in value.items() if key != "/Contents"}), content["content"]


# --- pure ----------------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(desk: Desk) -> None:
    source = desk.keep(letter())
    signed = desk.leader_signs(source)
    (seal,) = desk.plan(signed).steps
    steps = [
        (source, picture_step(PLACE)),
        (source, text_step(PLACE, SIGNING_TIME)),
        (source, INVISIBLE),
        (signed, seal),
    ]
    for path, step in steps:
        (one, first), (other, second) = desk.prepare(path, step), desk.prepare(path, step)
        assert first == second
        assert one.read_bytes() == other.read_bytes()


_CHILD = """
import datetime as dt, hashlib, sys
from pathlib import Path
import msgspec
from signer_app.pdf.plan import SignStep
from signer_app.pdf.prepare import prepare

source, output, step, images, moment, certificate, issuer = sys.argv[1:]
prepared = prepare(
    Path(source), Path(output), msgspec.json.decode(step, type=SignStep),
    images=msgspec.json.decode(images, type=dict[str, bytes]),
    moment=dt.datetime.fromisoformat(moment),
    certificate=bytes.fromhex(certificate), chain=[bytes.fromhex(issuer)],
)
print(prepared.to_be_signed.hex(), prepared.document_digest.hex(), prepared.gap_start, prepared.gap_end)
"""


def test_the_same_input_gives_the_same_bytes_in_another_process_zone_and_second(desk: Desk) -> None:
    """Nothing of the clock, the zone, the hash seed or the process may be in what is signed."""
    source = samples.file("cong-van.pdf")
    (step,) = desk.plan(source, Profile.LEADER).steps
    output, prepared = desk.prepare(source, step)
    leaf = desk.leaf(Holder.AGENCY)
    elsewhere = desk.folder / "elsewhere.pdf"
    arguments = (
        source,
        elsewhere,
        msgspec.json.encode(step).decode(),
        msgspec.json.encode(IMAGES).decode(),
        desk.now.isoformat(),
        leaf.certificate_der.hex(),
        leaf.chain_der[1].hex(),
    )
    answer = subprocess.run(
        [sys.executable, "-c", _CHILD, *map(str, arguments)],
        env={**os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert answer == [
        prepared.to_be_signed.hex(),
        prepared.document_digest.hex(),
        str(prepared.gap_start),
        str(prepared.gap_end),
    ]
    assert elsewhere.read_bytes() == output.read_bytes()


def test_another_time_step_or_file_gives_another_identifier(desk: Desk) -> None:
    source = desk.keep(letter())

    def identifier(path: Path, step: SignStep) -> tuple[bytes, bytes]:
        output, _ = desk.prepare(path, step)
        with pikepdf.open(output) as pdf:
            return bytes(pdf.trailer.ID[0]), bytes(pdf.trailer.ID[1])

    first = identifier(source, INVISIBLE)
    desk.now += dt.timedelta(seconds=1)
    found = [first, identifier(source, INVISIBLE), identifier(source, picture_step(PLACE))]
    found.append(identifier(desk.keep(letter(number="Số: 7/QĐ-UBND")), INVISIBLE))
    assert len({second for _first, second in found}) == 4
    with pikepdf.open(source) as pdf:
        assert found[0][0] == found[1][0] == bytes(pdf.trailer.ID[0])


def test_metadata_stay_as_they_are(desk: Desk) -> None:
    source = samples.file("cong-van.pdf")
    with pikepdf.open(source) as old, pikepdf.open(desk.sign(source, [INVISIBLE])) as new:
        assert {k: str(v) for k, v in old.docinfo.items()} == {k: str(v) for k, v in new.docinfo.items()}


# --- the bytes -----------------------------------------------------------------------------------------------------


def test_the_input_is_an_exact_prefix_and_stays_untouched(desk: Desk) -> None:
    source = desk.keep(letter())
    before = source.read_bytes()
    output = desk.sign(source, [picture_step(PLACE)])
    assert source.read_bytes() == before
    assert output.read_bytes().startswith(before)


def test_the_byte_range_covers_all_but_the_gap_and_finish_keeps_it(desk: Desk) -> None:
    source = desk.keep(letter())
    output, prepared = desk.prepare(source, INVISIBLE)
    unsigned = output.read_bytes()
    assert prepared.gap_end - prepared.gap_start == 2 * CONTENTS_BYTES + 2
    outside = unsigned[: prepared.gap_start] + unsigned[prepared.gap_end :]
    assert hashlib.sha256(outside).digest() == prepared.document_digest
    desk.finish(output, prepared)
    signed = output.read_bytes()
    assert signed[: prepared.gap_start] + signed[prepared.gap_end :] == outside
    assert signed != unsigned
    value, _ = _signature(output)
    assert [int(n) for n in value.ByteRange] == [
        0,
        prepared.gap_start,
        prepared.gap_end,
        len(signed) - prepared.gap_end,
    ]


def test_the_signature_dictionary_is_pades_with_vietnams_time(desk: Desk) -> None:
    value, _ = _signature(desk.sign(desk.keep(letter()), [INVISIBLE]))
    assert value.Filter == "/Adobe.PPKLite"
    assert value.SubFilter == "/ETSI.CAdES.detached"
    moment = desk.now.astimezone(dt.timezone(dt.timedelta(hours=7)))
    assert str(value.M) == moment.strftime("D:%Y%m%d%H%M%S+07'00'")
    assert str(value.Name).startswith("ỦY BAN NHÂN DÂN XÃ HÒA SƠN")


@pytest.mark.parametrize("holder", [Holder.AGENCY, Holder.LEADER])
def test_the_cms_is_as_pades_and_practice_ask(desk: Desk, holder: Holder) -> None:
    source = desk.keep(letter())
    output, prepared = desk.prepare(source, INVISIBLE, holder)
    _, signed = _signature(desk.finish(output, prepared, holder))
    (signer,) = signed["signer_infos"]
    attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert attributes["message_digest"][0].native == prepared.document_digest
    leaf = desk.leaf(holder)
    (certificate,) = attributes["signing_certificate_v2"][0]["certs"]
    assert certificate["cert_hash"].native == hashlib.sha256(leaf.certificate_der).digest()
    assert signer["signature_algorithm"]["algorithm"].native == "rsassa_pkcs1v15"
    assert signer["signature_algorithm"].dump() == bytes.fromhex("300d06092a864886f70d0101010500")
    assert signer["digest_algorithm"]["algorithm"].native == "sha256"
    embedded = {certificate.chosen.dump() for certificate in signed["certificates"]}
    assert embedded == set(leaf.chain_der)
    # What the token signed are the DER bytes that stand in the CMS, with the tag of a SET.
    assert signer["signed_attrs"].untag().dump() == prepared.to_be_signed
    leaf.private_key.public_key().verify(
        signer["signature"].native, prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256()
    )


@pytest.mark.parametrize("holder", [Holder.AGENCY, Holder.LEADER])
def test_attributes_and_cms_are_byte_for_byte_what_pyhanko_encodes(desk: Desk, holder: Holder) -> None:
    """They are encoded once per certificate, with pieces put in: a change in pyHanko must show here."""
    leaf = desk.leaf(holder)
    certificate, chain = leaf.certificate_der, leaf.chain_der[1:]
    for number in range(3):
        digest = hashlib.sha256(b"%d" % number).digest()
        value = leaf.private_key.sign(digest, padding.PKCS1v15(), hashes.SHA256())
        signer = ExternalSigner(
            x509.Certificate.load(certificate),
            SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
                [x509.Certificate.load(der) for der in chain]
            ),
            signature_value=value,
            signature_mechanism=algos.SignedDigestAlgorithm(
                {"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()}
            ),
            embed_roots=True,
        )
        attributes = asyncio.run(
            signer.signed_attrs(digest, "sha256", attr_settings=PdfCMSSignedAttributes(), use_pades=True)
        )
        assert signed_attributes(certificate, chain, digest) == attributes.dump()
        content = asyncio.run(signer.async_sign_prescribed_attributes("sha256", signed_attrs=attributes)).dump()
        gap = desk.folder / "gap"
        gap.write_bytes(b"<" + b"0" * 2 * CONTENTS_BYTES + b">")
        prepared = Prepared(attributes.dump(), digest, 0, 2 * CONTENTS_BYTES + 2)
        finish(gap, prepared, certificate=certificate, chain=chain, signature=value, timestamp=None)
        assert bytes.fromhex(gap.read_text()[1:-1]).rstrip(b"\0") == content.rstrip(b"\0")


def test_attributes_that_another_version_prepared_are_signed_as_they_are(desk: Desk) -> None:
    leaf, other = desk.leaf(Holder.AGENCY), desk.leaf(Holder.LEADER)
    output, prepared = desk.prepare(desk.keep(letter()), INVISIBLE)
    foreign = signed_attributes(other.certificate_der, other.chain_der[1:], prepared.document_digest)
    desk.finish(output, msgspec.structs.replace(prepared, to_be_signed=foreign))
    _value, data = _signature(output)
    assert data["signer_infos"][0]["signed_attrs"].untag().dump(force=True) == foreign
    assert leaf.certificate_der in [choice.chosen.dump() for choice in data["certificates"]]


def test_a_source_that_is_not_what_was_planned_for_is_told(desk: Desk) -> None:
    """Also where it is so spoilt that no increment can be made."""
    whole = letter()
    expected = hashlib.sha256(whole).hexdigest()
    leaf = desk.leaf(Holder.AGENCY)
    for data in (whole + b"\n", whole[: len(whole) // 2], b"%PDF-1.7 nothing"):
        with pytest.raises(KnownError) as caught:
            prepare(
                desk.keep(data),
                desk.folder / "out.pdf",
                INVISIBLE,
                images={},
                moment=desk.now,
                certificate=leaf.certificate_der,
                chain=leaf.chain_der[1:],
                source_sha256=expected,
            )
        assert (caught.value.code, caught.value.params["sha256"]) == ("blob_damaged", expected)


def _stamped(desk: Desk, signature: bytes) -> bytes:
    leaf = desk.leaf(Holder.TSA)
    store = SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
        [x509.Certificate.load(der) for der in leaf.chain_der]
    )
    stamper = DummyTimeStamper(
        x509.Certificate.load(leaf.certificate_der),
        keys.PrivateKeyInfo.load(leaf.private_key_der),
        store,
        fixed_dt=desk.now,
    )
    request = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": tsp.MessageImprint(
                {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(signature).digest()}
            ),
            "cert_req": True,
        }
    )
    token: bytes = stamper.request_tsa_response(request)["time_stamp_token"].dump()
    return token


def test_a_timestamp_goes_into_the_signature(desk: Desk) -> None:
    output, prepared = desk.prepare(desk.keep(letter()), INVISIBLE)
    key = desk.leaf(Holder.AGENCY).private_key
    token = _stamped(desk, key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256()))
    desk.finish(output, prepared, timestamp=token)
    _, signed = _signature(output)
    (signer,) = signed["signer_infos"]
    (attribute,) = signer["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    assert attribute["values"][0].dump() == token
    (found,) = desk.verify(output).signatures
    assert (found.integrity, found.level) == (Integrity.INTACT, Level.B_T)
    assert found.timestamp is not None
    assert (found.timestamp.kind, found.timestamp.valid) == (TimestampKind.SIGNATURE, True)


def test_a_hybrid_file_of_a_word_processor_is_signed(desk: Desk) -> None:
    source = desk.keep(hybrid(make_document()))
    output = desk.sign(source, [picture_step(PLACE)])
    assert desk.recheck(source, output, [picture_step(PLACE)]).fault is None


def test_several_signatures_by_several_people_stay_intact(desk: Desk) -> None:
    source = desk.keep(letter())
    first = desk.sign(source, [picture_step(Rect(20, 230, 40, 15), field="một")], Holder.DRAFTER)
    second = desk.sign(first, [picture_step(Rect(70, 230, 40, 15), field="hai")], Holder.FRONT_LEADER)
    third = desk.sign(second, [picture_step(Rect(120, 230, 40, 15), field="ba")], Holder.LEADER)
    assert [s.integrity for s in desk.verify(third).signatures] == [Integrity.INTACT] * 3


@pytest.mark.parametrize("name", ["cong-van.pdf", "quyet-dinh.pdf", "huong-dan-lien-tich.pdf"])
def test_the_leaders_signature_outlives_number_date_and_seal(desk: Desk, name: str) -> None:
    signed = desk.leader_signs(samples.file(name))
    plan = desk.plan(signed)
    output = desk.sign(signed, plan.steps)
    report = desk.verify(output)
    assert [(s.field, s.integrity) for s in report.signatures] == [
        ("lanh_dao", Integrity.INTACT),
        ("dau", Integrity.INTACT),
    ]
    with output.open("rb") as handle:
        context = ValidationContext(
            trust_roots=[_asn1(desk.pki.root_der)],
            other_certs=[_asn1(desk.pki.issuing_der)],
            allow_fetching=False,
            moment=desk.now,
        )
        for embedded in PdfFileReader(handle).embedded_signatures:
            status = validate_pdf_signature(embedded, context)
            assert status.intact
            assert status.valid
            assert status.docmdp_ok
            assert status.modification_level is not None


def _asn1(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der)


# --- what can't be signed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"no PDF", b"%PDF-1.7\n%%EOF\n", letter()[:2000]], ids=range(4))
def test_what_is_no_pdf_is_refused_with_a_reason(desk: Desk, data: bytes) -> None:
    with pytest.raises(KnownError) as caught:
        desk.prepare(desk.keep(data), INVISIBLE)
    assert caught.value.code == "pdf_not_signable"


def test_a_field_that_is_gone_is_told(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    plan = desk.plan(signed)
    (step,) = plan.steps
    with pytest.raises(KnownError) as caught:
        desk.prepare(signed, msgspec.structs.replace(step, fill=(msgspec.structs.replace(step.fill[0], name="khac"),)))
    assert caught.value.code == "field_missing"


def test_a_picture_that_is_none_or_not_the_planned_one_is_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, clear = tmp_path / "hỏng.png", tmp_path / "trống.png"
    broken.write_bytes(b"no picture")
    Image.new("RGBA", (20, 20), (255, 255, 255, 0)).save(clear)
    names = [with_picture(monkeypatch, broken), with_picture(monkeypatch, clear)]
    monkeypatch.setitem(IMAGES, SEAL, IMAGES[PICTURE])
    for name in (*names, SEAL):
        with pytest.raises(KnownError) as caught:
            desk.prepare(desk.keep(letter()), picture_step(PLACE, image=name))
        assert caught.value.code == "image_unusable"


def test_the_room_for_the_signature_is_what_the_rule_profile_asks_for() -> None:
    assert rules.load(dt.date(2026, 11, 20)).number("signature.contents_bytes") == CONTENTS_BYTES
