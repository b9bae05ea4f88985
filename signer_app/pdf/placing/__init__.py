"""Where each thing lands, by rule: signature, seal, number, date, the line in the corner of page 1.

Functions from what the page says to steps and placements; run in a worker. What a profile draws, where it looks for
its place and what it needs is data of the rule profile; each placement names its rule and whether the rule is sure of
it. Nothing is written here.
"""

from signer_app.pdf.inspection.traces import was_signed
from signer_app.pdf.marks import Refused
from signer_app.pdf.model import CopyForm, Profile
from signer_app.pdf.placing.agency import sealed
from signer_app.pdf.placing.boxes import signature_box
from signer_app.pdf.placing.corner import corner, fill_template
from signer_app.pdf.placing.form import FormFacts, read_form
from signer_app.pdf.placing.inputs import Inputs, Place, Placed
from signer_app.pdf.placing.person import signed_by_person
from signer_app.pdf.plan import Mark, SignStep
from signer_resources.errors import KnownError
from signer_resources.rules.profiles import Need, Picture, SignatureProfile

__all__ = ["FormFacts", "Inputs", "Place", "Placed", "place", "read_form", "signature_box"]


def place(profile: Profile, inputs: Inputs) -> Placed:
    """What a signature of this profile draws where; Refused with a code of the catalogue where it can't be."""
    rule = inputs.rules.profile(profile.value)
    _require(rule, inputs)
    try:
        if rule.text:
            placed = _corner(inputs, rule)
        else:
            placed = sealed(inputs, rule) if rule.picture is Picture.SEAL else signed_by_person(inputs, rule)
        _keep_certified(inputs, rule, placed)
        return placed
    except KnownError as error:
        # A letter that the font doesn't have.
        raise Refused(error.code, **{key: str(value) for key, value in error.params.items()}) from error


def _require(profile: SignatureProfile, inputs: Inputs) -> None:
    """What must be true first, by the data of the profile."""
    request = inputs.request
    if Need.LEADER_SIGNATURE in profile.needs and inputs.leader is None:
        raise Refused("leader_missing")
    if Need.NUMBER in profile.needs and profile.text and (request.number is None or request.notation is None):
        raise Refused("number_missing")
    if Need.NO_DIGITAL_SIGNATURE in profile.needs and (inputs.report.signatures or was_signed(inputs.path)):
        if Need.ORDER not in profile.needs:
            raise Refused("archive_of_electronic_original")
        # An original in electronic form is forwarded as it is; only an extract may be made of it, as a new document.
        extract = request.copy is not None and request.copy.form is CopyForm.TRICH_SAO
        raise Refused("extract_of_electronic_original") if extract else Refused("copy_of_electronic_original")
    if Need.ORDER in profile.needs and (request.copy is None or not request.copy.ordered_by.strip()):
        raise Refused("copy_order_missing")


def _keep_certified(inputs: Inputs, profile: SignatureProfile, placed: Placed) -> None:
    """Refused where a new field would show on a certified document: only number, date and seal may (decision 0004)."""
    certified = any(one.docmdp in (2, 3) for one in inputs.report.signatures)
    new = any(step.make or (step.page is not None and not step.existing) for step in placed.steps)
    if certified and new and profile.picture is not Picture.SEAL:
        raise Refused("certified_no_new_field")


def _corner(inputs: Inputs, profile: SignatureProfile) -> Placed:
    """One signature with the text of ô 14."""
    found = corner(inputs, profile)
    name = inputs.form.free_name(profile.field)
    if inputs.form.locked(name):
        raise Refused("fields_locked")
    step = SignStep(
        name,
        existing=False,
        page=found.place.page,
        rect=found.place.rect,
        drawing=found.drawing,
        reason=fill_template(profile.reason, inputs, profile) or None,
    )
    over: tuple[str, dict[str, str]] = ("corner_over_text", {})
    return Placed((step,), (found.place.of(Mark.STAMP_TEXT),), (over,) if found.covers else ())
