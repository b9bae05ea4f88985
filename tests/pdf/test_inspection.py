"""What the inspection sees in a file whose page may show other things than are signed, and what it passes over."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from signer_app.pdf.inspection.access import Access
from signer_app.pdf.inspection.sightings import Budget, Sighting, findings, readable
from signer_app.pdf.inspection.structure import (
    PasswordNeededError,
    Structure,
    UnreadableStructureError,
    read_structure,
)
from signer_app.pdf.inspection.weights import WEIGHTS, severity
from signer_app.pdf.model import Profile, Severity
from signer_resources import messages
from tests.pdf.paper import letter
from tests.pdf.traps import Change, content_of, made

ATTACKS = Path(__file__).parents[2] / "../shared/corpus/attacks/wysiwys"


def structure_of(folder: Path, data: bytes, certificate: str = "") -> Structure:
    path = folder / "tệp.pdf"
    path.write_bytes(data)
    return read_structure(path, certificate)


def action(kind: str, **entries: Any) -> Dictionary:
    return Dictionary(S=Name(f"/{kind}"), **entries)


def script() -> Dictionary:
    return action("JavaScript", JS=String("app.alert(1)"))


def note(pdf: pikepdf.Pdf, subtype: str = "Link", **entries: Any) -> Any:
    """An annotation on page 1, indirect as they usually are."""
    place = Array([72, 500, 300, 520])
    made_one = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=place, **entries))
    page = pdf.pages[0].obj
    page.Annots = Array([*page.get("/Annots", []), made_one])
    return made_one


def look(pdf: pikepdf.Pdf) -> Dictionary:
    """An appearance that shows something."""
    form = pdf.make_stream(b"0 0 10 10 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 10, 10]))
    return Dictionary(N=form)


def text_field(pdf: pikepdf.Pdf, **entries: Any) -> Any:
    """A text field on page 1, in the form."""
    entries = {"FT": Name.Tx, "T": String("o"), **entries}
    field = note(pdf, "Widget", **entries)
    pdf.Root.AcroForm = pdf.Root.get("/AcroForm", Dictionary(Fields=Array()))
    pdf.Root.AcroForm.Fields.append(field)
    return field


def layer(pdf: pikepdf.Pdf, **usual: Callable[[Any], Any]) -> Any:
    """A layer that page 1 uses; `usual` makes the entries of the usual configuration from it."""
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Ẩn")))
    entries = {key: make(group) for key, make in usual.items()}
    pdf.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(**entries))
    pdf.pages[0].obj.Resources.Properties = Dictionary(O1=group)
    return group


def opened_by(kind: str, **entries: Any) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = action(kind, **entries)

    return change


def clicked(kind: str, **entries: Any) -> Change:
    return lambda pdf: note(pdf, A=action(kind, **entries))


def after_another(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = action("GoTo", D=Array([0, Name.Fit]), Next=Array([script()]))


def named_script(pdf: pikepdf.Pdf) -> None:
    leaf = pdf.make_indirect(Dictionary(Names=Array([String("a"), script()])))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Kids=Array([leaf])))


def script_of_page(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=script())


def seen_in_sight(pdf: pikepdf.Pdf) -> None:
    note(pdf, AA=Dictionary(PV=script()))


def bookmark(pdf: pikepdf.Pdf) -> None:
    item = pdf.make_indirect(Dictionary(Title=String("Chương 1"), A=action("Launch", F=String("calc.exe"))))
    pdf.Root.Outlines = Dictionary(First=item, Last=item, Count=1)


def elsewhere(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.Contents = pdf.make_stream(b"", F=String("trang.bin"))


def picture_elsewhere(pdf: pikepdf.Pdf) -> None:
    drawing = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, F=String("http://x/y"))
    inside = Dictionary(XObject=Dictionary(P=drawing))
    inner = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, Resources=inside)
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=inner)


def reference(pdf: pikepdf.Pdf) -> None:
    form = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, Ref=Dictionary(F=Dictionary(F=String("a.pdf"))))
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=form)


def understudy(pdf: pikepdf.Pdf) -> None:
    other = pdf.make_stream(b"\0", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1)
    shown = pdf.make_stream(
        b"\0", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1,
        Alternates=Array([Dictionary(Image=other, DefaultForPrinting=True)]),
    )  # fmt: skip
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=shown)


def on_paper_only(pdf: pikepdf.Pdf) -> None:
    def automatic(group: Any) -> Any:
        return Array([Dictionary(Event=Name.Print, Category=Array([Name.Print]), OCGs=Array([group]))])

    group = layer(pdf, AS=automatic)
    group.Usage = Dictionary(View=Dictionary(ViewState=Name.OFF), Print=Dictionary(PrintState=Name.ON))


def turned_round(pdf: pikepdf.Pdf) -> None:
    group = layer(pdf)
    member = pdf.make_indirect(Dictionary(Type=Name.OCMD, OCGs=group, P=Name.AllOff))
    pdf.pages[0].obj.Resources.Properties = Dictionary(O1=member)


def calculated(pdf: pikepdf.Pdf) -> None:
    text_field(pdf, AA=Dictionary(C=script()))


def ordered(pdf: pikepdf.Pdf) -> None:
    field = text_field(pdf)
    pdf.Root.AcroForm.CO = Array([field])


def form_that_draws_itself(pdf: pikepdf.Pdf) -> None:
    text_field(pdf, V=String("1 triệu"), Ff=1)
    pdf.Root.AcroForm.NeedAppearances = True


def attached(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["bảng.xlsx"] = b"PK"


def pinned(pdf: pikepdf.Pdf) -> None:
    note(pdf, "FileAttachment", FS=Dictionary(Type=Name.Filespec, F=String("bảng.xlsx")))


def xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(b"<xdp/>"))


SEEN: list[tuple[str, Change]] = [
    ("script", opened_by("JavaScript", JS=String("app.alert(1)"))),
    ("script", after_another),
    ("script", named_script),
    ("script", script_of_page),
    ("script", seen_in_sight),
    ("script_on_click", clicked("JavaScript", JS=String("app.alert(1)"))),
    ("launch_on_open", opened_by("Launch", F=String("calc.exe"))),
    ("launch_link", clicked("Launch", F=String("calc.exe"))),
    ("launch_link", bookmark),
    ("action_changes_view", opened_by("SetOCGState", State=Array())),
    ("action_changes_view", opened_by("ImportData", F=String("a.fdf"))),
    ("action_on_open", opened_by("URI", URI=String("http://x"))),
    ("action_on_open", opened_by("GoToR", F=String("a.pdf"))),
    ("action_on_click", clicked("SubmitForm", F=String("http://x"))),
    ("external_content", elsewhere),
    ("external_content", picture_elsewhere),
    ("external_content", reference),
    ("external_content", lambda pdf: pdf.Root.__setitem__("/Lạ", pdf.make_stream(b"", F=String("a.bin")))),
    ("print_differs", understudy),
    ("hidden_layer", lambda pdf: layer(pdf, OFF=lambda g: Array([g]))),
    ("hidden_layer", lambda pdf: layer(pdf, BaseState=lambda g: Name.OFF)),
    ("hidden_layer", on_paper_only),
    ("hidden_layer", turned_round),
    ("dynamic_field", calculated),
    ("dynamic_field", ordered),
    ("fields_without_look", form_that_draws_itself),
    ("need_appearances", form_that_draws_itself),
    ("open_fields", lambda pdf: text_field(pdf, V=String("1 triệu"), AP=look(pdf))),
    ("rich_media", lambda pdf: note(pdf, "RichMedia")),
    ("annotation_print_only", lambda pdf: note(pdf, "Stamp", F=4 | 32, AP=look(pdf))),
    ("annotation_not_printed", lambda pdf: note(pdf, "Stamp", F=0, AP=look(pdf))),
    ("annotation_hidden", lambda pdf: note(pdf, "Stamp", F=2, AP=look(pdf))),
    ("attachments_inside", attached),
    ("attachments_inside", pinned),
    ("usage_rights", lambda pdf: pdf.Root.__setitem__("/Perms", Dictionary(UR3=Dictionary()))),
    ("pdf_dynamic", xfa),
    ("pdf_dynamic", lambda pdf: pdf.Root.__setitem__("/NeedsRendering", True)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change"), SEEN, ids=[f"{code}-{i}" for i, (code, _c) in enumerate(SEEN)])
def test_each_way_to_show_other_things_is_seen(tmp_path: Path, code: str, change: Change) -> None:
    assert code in {sighting.code for sighting in structure_of(tmp_path, made(change)).sightings}


def shown_layer(pdf: pikepdf.Pdf) -> None:
    layer(pdf, ON=lambda g: Array([g]))


def unused_layer(pdf: pikepdf.Pdf) -> None:
    layer(pdf, OFF=lambda g: Array([g]))
    del pdf.pages[0].obj.Resources.Properties


HARMLESS: list[Change] = [
    clicked("URI", URI=String("http://x")),
    opened_by("GoTo", D=Array([0, Name.Fit])),
    lambda pdf: pdf.Root.__setitem__("/OpenAction", Array([0, Name.Fit])),
    shown_layer,
    unused_layer,
    lambda pdf: note(pdf, "Stamp", F=4, AP=look(pdf)),
    lambda pdf: text_field(pdf, V=String("1 triệu"), Ff=1, AP=look(pdf), F=4),
    lambda pdf: text_field(pdf),
]


@pytest.mark.parametrize("change", HARMLESS)
def test_what_looks_the_same_to_everybody_is_nothing(tmp_path: Path, change: Change) -> None:
    assert structure_of(tmp_path, made(change)).sightings == []


def test_a_letter_is_clean(tmp_path: Path) -> None:
    assert structure_of(tmp_path, letter()).sightings == []


def test_a_ring_of_forms_actions_and_fields_ends(tmp_path: Path) -> None:
    def rings(pdf: pikepdf.Pdf) -> None:
        form = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form)
        form.Resources = Dictionary(XObject=Dictionary(X=form))
        pdf.pages[0].obj.Resources.XObject = Dictionary(X=form)
        step = pdf.make_indirect(script())
        step.Next = step
        pdf.Root.OpenAction = step
        field = text_field(pdf)
        field.Kids = Array([field])
        names = pdf.make_indirect(Dictionary())
        names.Kids = Array([names])
        pdf.Root.Names = Dictionary(EmbeddedFiles=names)

    assert {s.code for s in structure_of(tmp_path, made(rings)).sightings} == {"script"}


def test_a_walk_that_runs_out_of_steps_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_app.pdf.inspection.structure._STEPS", 1)
    many = structure_of(tmp_path, made(lambda pdf: [note(pdf) for _ in range(5)] and None))
    assert [sighting.code for sighting in many.sightings] == ["inspection_incomplete"]
    budget = Budget(1)
    assert [budget.spend(), budget.short, budget.spend(), budget.short] == [True, False, False, True]


# --- passwords, permissions, what a field asks for ---------------------------------------------------------------


def protected(**allow: bool) -> bytes:
    closed = dict.fromkeys(("modify_annotation", "modify_form", "modify_other"), False) | allow
    return made(encryption=pikepdf.Encryption(owner="b", allow=pikepdf.Permissions(**closed)))


def test_the_bits_that_matter_say_what_a_signer_may_do(tmp_path: Path) -> None:
    def access(data: bytes) -> Access:
        return structure_of(tmp_path, data).access

    assert access(made()) == Access()
    assert access(protected()) == Access(encrypted=True, may_fill=False, may_add=False)
    assert access(protected(modify_form=True)) == Access(encrypted=True, may_fill=True, may_add=False)
    everything = protected(modify_form=True, modify_annotation=True, modify_other=True)
    assert access(everything) == Access(encrypted=True, may_fill=True, may_add=True)
    assert access(made(encryption=pikepdf.Encryption(owner="", user=""))) == Access(encrypted=True)
    with pytest.raises(PasswordNeededError):
        access(made(encryption=pikepdf.Encryption(owner="b", user="a")))
    with pytest.raises(UnreadableStructureError):
        access(b"%PDF-1.7\n%%EOF")


SIGNER = b"a certificate, DER".ljust(40)


@pytest.mark.parametrize(
    ("seeds", "demands"),
    [
        ({"Ff": 2, "SubFilter": Array([Name("/adbe.pkcs7.detached")])}, ("SubFilter",)),
        ({"Ff": 0, "SubFilter": Array([Name("/adbe.pkcs7.detached")])}, ()),
        ({"Ff": 2, "SubFilter": Array([Name("/ETSI.CAdES.detached")])}, ()),
        ({"Ff": 1, "Filter": Name("/Other")}, ("Filter",)),
        ({"Ff": 4, "V": 9}, ("V",)),
        ({"Ff": 8, "Reasons": Array([String("Đồng ý")])}, ("Reasons",)),
        ({"Ff": 8, "Reasons": Array([String(".")])}, ()),
        ({"Ff": 32, "AddRevInfo": True}, ("AddRevInfo",)),
        ({"Ff": 64, "DigestMethod": Array([String("SHA512")])}, ("DigestMethod",)),
        ({"Ff": 64, "DigestMethod": Array([String("SHA256"), String("SHA512")])}, ()),
        ({"Ff": 128, "LockDocument": True}, ("LockDocument",)),
        ({"MDP": Dictionary(P=2)}, ("MDP",)),
        ({"MDP": Dictionary(P=0)}, ()),
        ({"TimeStamp": Dictionary(Ff=1, URL=String("http://x"))}, ("TimeStamp",)),
        ({"Cert": Dictionary(Ff=1, Subject=Array([String(SIGNER)]))}, ()),
        ({"Cert": Dictionary(Ff=1, Subject=Array([String(b"other")]))}, ("Cert",)),
        ({"Cert": Dictionary(Ff=2, Issuer=Array([String(b"other")]))}, ("Cert",)),
    ],
)
def test_a_field_says_what_it_demands_that_cannot_be_given(
    tmp_path: Path, seeds: dict[str, Any], demands: tuple[str, ...]
) -> None:
    data = made(lambda pdf: text_field(pdf, FT=Name.Sig, SV=Dictionary(**seeds)))
    field = structure_of(tmp_path, data, hashlib.sha256(SIGNER).hexdigest()).form.fields["o"]
    assert field.demands == demands


def test_locks_and_certification_are_read(tmp_path: Path) -> None:
    def locked(pdf: pikepdf.Pdf) -> None:
        def of(kind: str, **limits: Any) -> Dictionary:
            return Dictionary(TransformMethod=Name(f"/{kind}"), TransformParams=Dictionary(**limits))

        references = Array([of("FieldMDP", Action=Name.Include, Fields=Array([String("o")])), of("DocMDP", P=3)])
        signature = pdf.make_indirect(Dictionary(Type=Name.Sig, Reference=references))
        text_field(pdf, FT=Name.Sig, T=String("ky"), V=signature)
        text_field(pdf, V=String("1 triệu"), AP=look(pdf), F=4)
        text_field(pdf, FT=Name.Sig, T=String("cuoi"), Lock=Dictionary(Action=Name.All, P=1))
        pdf.Root.Perms = Dictionary(DocMDP=signature)

    structure = structure_of(tmp_path, made(locked))
    form = structure.form
    assert form.certified == 3
    assert [form.locks.hold(name) for name in ("o", "o.con", "p")] == [True, True, False]
    assert (form.fields["ky"].filled, form.fields["cuoi"].locks_on_signing) == (True, True)
    # A field that an earlier signature has locked is not open.
    assert structure.sightings == []


@pytest.mark.parametrize(
    ("told", "secret"),
    [
        ({"/Keywords": "QĐ; Tối mật"}, True),
        ({"/Subject": "Độ mật: Mật"}, True),
        ({"/Keywords": "bảo mật thông tin"}, False),
    ],
)
def test_a_file_that_calls_itself_secret_is(tmp_path: Path, told: dict[str, str], secret: bool) -> None:
    def info(pdf: pikepdf.Pdf) -> None:
        for key, value in told.items():
            pdf.docinfo[key] = value

    def xmp(pdf: pikepdf.Pdf) -> None:
        with pdf.open_metadata() as data:
            data["pdf:Keywords"] = next(iter(told.values()))

    assert structure_of(tmp_path, made(info)).secret is secret
    assert structure_of(tmp_path, made(xmp)).secret is secret


# --- how it is told ----------------------------------------------------------------------------------------------


def test_one_finding_for_each_code_names_its_pages_and_its_parts() -> None:
    seen = [Sighting("script", page) for page in (3, 1, 2, 9)] + [Sighting("script", "OpenAction", "a\n\u202eb")]
    (finding,) = findings(seen, Profile.AGENCY)
    assert (finding.severity, finding.params) == (Severity.REFUSED, {"where": "1-3, 9, OpenAction", "what": "a b"})
    assert len(readable("chữ " * 500)) < 70


def test_every_weight_has_its_words_and_grows_with_what_is_signed() -> None:
    for code in WEIGHTS:
        assert messages.explain(code, "vi", where="1", what="a").what
        plain = severity(code, Profile.PLAIN)
        assert plain is severity(code, Profile.INITIAL)
        bound = {severity(code, profile) for profile in Profile if profile not in (Profile.PLAIN, Profile.INITIAL)}
        assert bound == {plain} or (plain, bound) == (Severity.WARNING, {Severity.REFUSED})


@pytest.mark.skipif(not ATTACKS.is_dir(), reason="the attack files of others are not here")
def test_each_attack_of_others_is_seen(tmp_path: Path) -> None:
    expected = {
        "cropbox_hides_text": "text_outside_page",
        "embedded_file": "attachments_inside",
        "external_stream": "external_content",
        "js_dynamic_field_needappearances": "dynamic_field",
        "js_openaction": "script",
        "launch_openaction": "launch_on_open",
        "ocg_hidden_layer": "hidden_layer",
        "white_text": "text_paper_colour",
        "xfa": "pdf_dynamic",
    }
    for path in sorted(ATTACKS.glob("*.pdf")):
        seen = {s.code for s in (*read_structure(path).sightings, *content_of(path.read_bytes()))}
        assert expected.get(path.stem, "") in seen or (path.stem not in expected and seen), path.stem
