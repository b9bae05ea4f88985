"""Each body's channel: opened as the settings say, kept, opened anew when they change; and the loops over them."""

import threading

import msgspec
import pytest

from signer_app.exchange.channels import StoredLogins
from signer_app.exchange.exchanger import Exchanger
from signer_app.exchange.network import forget_lgsp_account, http_settings, lgsp_account, save_lgsp_account
from signer_app.exchange.passes import one_pass
from signer_app.store.model import OutboxState, ProofBy
from signer_app.store.settings import Body, ChannelKind, Exchange, NetworkSettings, ProxyChoice
from signer_resources.errors import KnownError
from signer_sync.lgsp_settings import LgspSettings
from signer_sync.reports import SyncReport
from signer_sync.secrets import Kept, Secret
from signer_sync.waking import Call
from tests.exchange.post import NAME, ORG, Post

LGSP = LgspSettings(base_url="https://lgsp.example.gov.vn", application_code="app", system_id="H77.15")
WAIT_S = 60.0


def the_body(post: Post) -> Body:
    (body,) = post.office.space.settings.bodies
    return body


def test_a_way_is_kept_until_its_settings_are_others(post: Post) -> None:
    channels = post.office.space.channels
    first = channels.get(the_body(post))
    assert first.channel.traits.name == "sync"
    post.change(language="en", hold_seconds=0)
    assert channels.get(the_body(post)) is first
    post.change(network=NetworkSettings(proxy=ProxyChoice.NONE))
    second = channels.get(the_body(post))
    assert second is not first
    with pytest.raises(KnownError) as raised:
        channels.get(msgspec.structs.replace(the_body(post), exchange=Exchange.EXTERNAL))
    assert raised.value.code == "exchange_external"


def test_a_folder_is_a_channel_and_what_it_gives_is_a_proof_without_a_receipt(post: Post) -> None:
    folder = post.office.folder / "trao đổi"
    folder.mkdir()
    body = Body(code=ORG, name=NAME, channel=ChannelKind.FOLDER, exchange_folder=str(folder))
    post.change(bodies=(body,))
    packet = post.given("1")
    report = post.sync(at_once=True)
    assert (report.sent, report.stopped) == (1, None)
    kept = post.packet(packet.packet_id)
    assert (kept.state, kept.proof_by, kept.receipt) == (OutboxState.ACCEPTED, ProofBy.CHANNEL, None)
    (written,) = (folder / "đi").glob("*.edxml")
    assert written.read_bytes() == post.office.store.blobs.path(kept.sha256).read_bytes()
    assert post.there() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (Body(code=ORG, name=NAME, channel=ChannelKind.FOLDER), "folder_not_set"),
        (Body(code=ORG, name=NAME, channel=ChannelKind.LGSP, lgsp=LGSP), "lgsp_not_set"),
        (Body(code="H77.99", name=NAME), "not_enrolled"),
    ],
)
def test_a_channel_that_is_not_set_says_what_is_missing(post: Post, body: Body, code: str) -> None:
    post.change(bodies=(body,))
    with pytest.raises(KnownError) as raised:
        post.office.space.channels.get(body)
    assert raised.value.code == code
    assert raised.value.explain("vi").do


def test_the_account_of_an_lgsp_is_kept_apart_and_a_refused_login_is_remembered(post: Post) -> None:
    space = post.office.space
    kept = save_lgsp_account(space, ORG, "xa.hoason", Secret("mat-khau-4471"), Secret("khoa-9931"))
    assert kept is Kept.MEMORY
    account = lgsp_account(space, ORG)
    assert account is not None
    assert (account.username, account.password, account.secret_key) == ("xa.hoason", "mat-khau-4471", "khoa-9931")
    assert "4471" not in repr(account)
    memory = StoredLogins(space)
    memory.refused(account.revision)
    assert StoredLogins(space).is_refused(account.revision)
    save_lgsp_account(space, ORG, "xa.hoason", Secret("mat-khau-moi"), Secret("khoa-9931"))
    anew = lgsp_account(space, ORG)
    assert anew is not None
    assert not memory.is_refused(anew.revision)
    memory.taken(account.revision)
    assert not memory.is_refused(account.revision)
    forget_lgsp_account(space, ORG)
    assert lgsp_account(space, ORG) is None
    files = b"".join(path.read_bytes() for path in space.folder.path.rglob("*") if path.is_file())
    assert b"4471" not in files


def test_an_lgsp_way_is_opened_anew_when_its_account_is_typed_anew(post: Post) -> None:
    body = Body(code=ORG, name=NAME, channel=ChannelKind.LGSP, lgsp=LGSP)
    post.change(bodies=(body,))
    space = post.office.space
    save_lgsp_account(space, ORG, "a", Secret("p"), Secret("k"))
    first = space.channels.get(body)
    assert (first.channel.traits.name, space.channels.get(body)) == ("lgsp", first)
    save_lgsp_account(space, ORG, "a", Secret("q"), Secret("k"))
    assert space.channels.get(body) is not first


def test_the_proxy_of_the_settings_is_the_one_that_is_used(post: Post) -> None:
    network = NetworkSettings(proxy=ProxyChoice.MANUAL, proxy_url="http://proxy.example.vn:3128", no_proxy="vp.vn")
    post.change(network=network)
    proxies = http_settings(post.office.space).proxies
    proxy = proxies.of("https://lienthong.example.vn/v1")
    assert proxy is not None
    assert proxy.host == "proxy.example.vn"
    assert proxies.of("https://vp.vn/v1") is None
    post.change(network=NetworkSettings(proxy=ProxyChoice.NONE))
    assert http_settings(post.office.space).proxies.of("https://lienthong.example.vn/v1") is None


class Listener:
    """Hears what the loops tell."""

    def __init__(self) -> None:
        self.reports: list[SyncReport] = []
        self._changed = threading.Condition()

    def __call__(self, _body: Body, report: SyncReport) -> None:
        with self._changed:
            self.reports.append(report)
            self._changed.notify_all()

    def until_sent(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: sum(one.sent for one in self.reports) >= count, WAIT_S)

    def until_stopped(self, code: str) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: any(one.stopped is not None and one.stopped.code == code for one in self.reports), WAIT_S
            )


def test_the_loop_sends_what_is_queued_while_it_rests_and_lets_no_other_pass_run_beside_it(post: Post) -> None:
    heard = Listener()
    post.change(hold_seconds=0)
    with Exchanger(post.office.space, heard) as exchanger:
        first = post.given("1")
        exchanger.call(Call.WORK)
        assert heard.until_sent(1)
        with pytest.raises(KnownError) as raised:
            one_pass(post.office.space, the_body(post), at_once=False)
        assert raised.value.code == "exchange_running"
        post.change(hold_seconds=120)
        exchanger.refresh()
        second = post.given("2")
        exchanger.call(Call.NOW)
        assert heard.until_sent(2)
        assert exchanger.running == {ORG}
    assert {post.packet(one.packet_id).state for one in (first, second)} == {OutboxState.ACCEPTED}
    assert exchanger.running == frozenset()
    assert post.sync().stopped is None


def test_a_body_that_exchanges_elsewhere_by_now_loses_its_loop_and_a_faulty_one_says_why(post: Post) -> None:
    heard = Listener()
    body = the_body(post)
    with Exchanger(post.office.space, heard) as exchanger:
        post.change(bodies=(msgspec.structs.replace(body, exchange=Exchange.EXTERNAL),))
        exchanger.refresh()
        assert exchanger.running == frozenset()
        gone = post.office.folder / "không có"
        folder = msgspec.structs.replace(body, channel=ChannelKind.FOLDER, exchange_folder=str(gone))
        post.change(bodies=(folder,))
        exchanger.refresh()
        assert heard.until_stopped("folder_unreachable")
