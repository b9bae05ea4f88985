"""Who gets a draft: whom the clerk has named, or else whom the lines of Nơi nhận on its page mean; and how.

Functions over a view of the store; nothing is written. What a page says is understood anew each time, so that a line
that the clerk has explained once, or a newer directory, counts for all that waits.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from signer_app.exchange.receivers import Line, Reach, Resolution, clean, reach, resolve
from signer_app.outgoing.model import Draft, Profile, Receivers
from signer_app.signing.jobs import FromPage
from signer_app.store.receivers import PaperReason, PaperReceiver
from signer_app.store.settings import Exchange, Settings
from signer_app.store.store import View


def receivers_of(
    view: View, settings: Settings, drafts: Iterable[Draft], chosen: str | None, today: dt.date
) -> dict[str, Receivers]:
    """Draft id → who gets it. `chosen` is the body of the token, or the only one that is set up, None: not known."""
    waiting = [(draft, _body_of(draft, settings, chosen, today)) for draft in drafts]
    lines: dict[str, dict[str, None]] = {}
    for draft, body in waiting:
        if _by_page(draft, body, settings):
            lines.setdefault(body, {}).update(dict.fromkeys(map(clean, draft.main.facts.receivers)))
    # The same few lines stand in most letters of an office: each is understood once.
    known = {body: _understood(view, body, texts) for body, texts in lines.items()}
    found = {
        draft.id: _said(draft, known[body]) if _by_page(draft, body, settings) else None for draft, body in waiting
    }
    codes = {draft.id: one.named if (one := found[draft.id]) is not None else draft.receivers for draft, _ in waiting}
    papers = view.receivers.papers(codes)
    reaches = {one.asked: one for one in reach(view, (code for some in codes.values() for code in some))}
    return {
        draft.id: _receivers(codes[draft.id], body, found[draft.id], reaches, papers.get(draft.id, ()))
        for draft, body in waiting
    }


def _by_page(draft: Draft, body: str, settings: Settings) -> bool:
    """Whether the page says who gets it: a document of a body for which this program sends, to whom the clerk named
    nobody. The page of a copy names those who got the original.
    """
    known = settings.body(body)
    sent = known is None or known.exchange is Exchange.SERVER
    return sent and draft.profile is Profile.AGENCY and not draft.receivers and bool(draft.main.facts.receivers)


def _body_of(draft: Draft, settings: Settings, chosen: str | None, today: dt.date) -> str:
    facts = draft.main.facts
    named = settings.body_named((facts.body,), facts.date or today) if facts.body else None
    return named.code if named is not None else chosen or ""


def _understood(view: View, body: str, texts: Iterable[str]) -> Mapping[str, Line]:
    return {line.text: line for line in resolve(view, body, texts, candidates=False).lines}


def _said(draft: Draft, known: Mapping[str, Line]) -> Resolution:
    """What the lines of one page mean, by what each of them means."""
    return Resolution(tuple(known[text] for line in draft.main.facts.receivers if (text := clean(line)) in known))


def _receivers(
    codes: tuple[str, ...],
    body: str,
    said: Resolution | None,
    reaches: Mapping[str, Reach],
    on_paper: Sequence[PaperReceiver],
) -> Receivers:
    told = {one.code for one in on_paper}
    apart = [one for code in codes if (one := reaches[code]).reason is not None and not told & {one.asked, one.code}]
    page = None
    if said is not None:
        nameless = tuple(one for one in said.paper if one.code is None)
        page = FromPage(paper=nameless, asked=tuple(line.text for line in said.asked))
    names = (
        *(one.name for one in on_paper),
        *(one.name for one in (page.paper if page is not None else ())),
        *(one.name for one in apart if one.reason not in (PaperReason.UNKNOWN, PaperReason.INACTIVE)),
    )
    return Receivers(
        codes=codes,
        body=body,
        page=page,
        unknown=tuple(one.asked for one in apart if one.reason is PaperReason.UNKNOWN),
        ended=tuple(one.asked for one in apart if one.reason is PaperReason.INACTIVE),
        paper=tuple(dict.fromkeys(names)),
        referred=said.referred if said is not None else (),
    )
