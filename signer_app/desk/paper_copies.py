"""Which copies on paper are still to be sent, and the list of them that is printed.

Main process, any thread; blocks. Reads over the readers' connection; writes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from signer_app.desk.reading import reading
from signer_app.desk.receivers import reason_words
from signer_app.paper.listing import Column, ListingPaper
from signer_app.store.receivers import PaperReceiver
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.messages import Lang, text


@dataclass(frozen=True)
class PaperCopies:
    """A document, and who gets it on paper, in the order that was kept; those that were sent are among them."""

    document_id: str
    label: str
    day: str
    subject: str
    receivers: tuple[PaperReceiver, ...]


def waiting(space: Workspace) -> tuple[PaperCopies, ...]:
    """Signed documents of which a copy on paper is still to be sent, the oldest first."""
    with reading(space).view() as view:
        open_ones = view.receivers.paper_open()
        found = [(one, view.documents.get(one), view.receivers.paper(one)) for one in open_ones]
    return tuple(
        PaperCopies(
            document.id,
            document.label or "",
            f"{document.doc_date:%d/%m/%Y}" if document.doc_date else "",
            document.subject or document.type or "",
            receivers,
        )
        for _id, document, receivers in found
        if document is not None
    )


def paper_copies_pdf(space: Workspace, copies: Iterable[PaperCopies], lang: Lang) -> bytes:
    """The list as a PDF: per document those who get it on paper and were not sent it yet, with room for a signature."""
    made = space.now().astimezone(VIETNAM)
    paper = ListingPaper()
    paper.title(
        text("paper_copies_title", lang).upper(), [text("paper_copies_made", lang, time=f"{made:%H:%M %d/%m/%Y}")]
    )
    columns = (
        Column(text("paper_copies_number", lang), 0.08),
        Column(text("paper_copies_receiver", lang), 0.44),
        Column(text("paper_copies_reason", lang), 0.28),
        Column(text("paper_copies_sent", lang), 0.20),
    )
    for document in copies:
        paper.heading(
            text(
                "paper_copies_document",
                lang,
                label=document.label or "-",
                day=document.day or "-",
                subject=document.subject or "-",
            ),
            size=11.0,
        )
        left = [one for one in document.receivers if one.done_at is None]
        paper.table(
            columns,
            [(str(at), one.name, reason_words(one.reason, lang), "") for at, one in enumerate(left, start=1)],
        )
    return paper.pdf(text("paper_copies_title", lang), language="vi-VN" if lang == "vi" else "en")
