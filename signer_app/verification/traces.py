"""Where the bytes of a file look like a signature, and whether each such place belongs to one that we reach.

Runs in a worker. A signature dictionary is never compressed, for its /ByteRange is written last; so each filled field's
signature must be found at its own place, and what else is found was hidden, unless it lies within a stream that the
document uses (a signed PDF that is attached as it is). Decides nothing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.xref import XRefSectionData

from signer_app.verification.revision import Revision
from signer_app.verification.second_opinion import reachable
from signer_app.verification.source import SourceFile

_STREAM = b"stream"


@dataclass(frozen=True)
class Traces:
    """`untraced`: indexes of the signatures that don't stand at their own place; `hidden`: others left traces."""

    untraced: frozenset[int]
    hidden: bool


def match_traces(source: SourceFile, final: Revision, signatures: Sequence[generic.DictionaryObject]) -> Traces:
    """Holds what looks like a signature against these, which fill the fields of the file as it is.

    Raises LimitError, and what pyHanko raises.
    """
    traces = source.signature_traces()
    own: set[int] = set()
    untraced: set[int] = set()
    for number, signature in enumerate(signatures):
        extent = _extent_of(final, signature)
        first = bisect_left(traces, extent[0]) if extent is not None else len(traces)
        if extent is None or first == len(traces) or traces[first] >= extent[1]:
            untraced.add(number)
        else:
            own.add(traces[first])
    for grant in _usage_rights(final):
        extent = _extent_of(final, grant)
        own |= (
            set(traces[bisect_left(traces, extent[0]) : bisect_left(traces, extent[1])])
            if extent is not None
            else set()
        )
    others = [trace for trace in traces if trace not in own]
    return Traces(frozenset(untraced), bool(others) and bool(_outside_streams(source, final, others)))


def _usage_rights(final: Revision) -> Iterator[generic.DictionaryObject]:
    """The signatures by which Adobe's products let their readers do more with a file (ISO 32000-1, 12.8.2.3).

    They are reached through the catalog and sign for nobody. What signs for somebody names no such method, and can't
    be given one without leaving its place.
    """
    permissions = final.entry(final.root, "/Perms")
    if not isinstance(permissions, generic.DictionaryObject):
        return
    for key in ("/UR", "/UR3"):
        grant = final.entry(permissions, key)
        if not isinstance(grant, generic.DictionaryObject):
            continue
        references = [final.resolve(one) for one in final.array(dict.get(grant, "/Reference"))]
        methods = {
            str(final.entry(one, "/TransformMethod")) for one in references if isinstance(one, generic.DictionaryObject)
        }
        if methods and methods <= {"/UR", "/UR3"}:
            yield grant


def _extent_of(final: Revision, signature: generic.DictionaryObject) -> tuple[int, int] | None:
    """The bytes of the object that is, or holds, a signature dictionary."""
    reference = signature.container_ref
    if not isinstance(reference, generic.Reference):
        return None
    return final.reader.extent((reference.idnum, reference.generation))


def _outside_streams(source: SourceFile, final: Revision, traces: Iterable[int]) -> list[int]:
    """The traces that lie in the data of no stream of the document as it is."""
    left = sorted(traces)
    # What any revision calls the beginning of an object is no part of a stream, whatever lies around it.
    begins = sorted({at for section in final.reader.sections for at in _places(section.xref_data)})
    for key in reachable(final):
        if not isinstance(final.reader.read(key), generic.StreamObject):
            continue
        extent = final.reader.extent(key)
        if extent is None or bisect_left(left, extent[0]) == bisect_left(left, extent[1]):
            continue
        start = source.data.find(_STREAM, *extent)
        if start < 0 or bisect_left(begins, start) != bisect_left(begins, extent[1]):
            continue
        left = [trace for trace in left if not start < trace < extent[1]]
    return left


def _places(data: XRefSectionData) -> set[int]:
    places = {at for _, at in data.standard_xrefs.values()}
    return places if data.hybrid is None else places | _places(data.hybrid.xref_data)
