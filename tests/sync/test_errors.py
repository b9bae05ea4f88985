"""Every refusal of the contract has its words, its class and what it concerns."""

import pytest

from signer_resources.messages import Lang, catalogue
from signer_sync import contract as c
from signer_sync.errors import CODES, ExchangeError, Scope, from_problem, headless

LANGS: tuple[Lang, Lang] = ("vi", "en")


def refusal(code: str, retry: str = "after", status: int = 400, after: float | None = None) -> ExchangeError:
    return from_problem(c.Problem(status=status, code=code, retry=retry, retry_after=30), status, after, "host")


def test_every_refusal_of_the_contract_has_its_place() -> None:
    assert set(CODES) == set(c.ProblemCode)


@pytest.mark.parametrize("known", list(c.ProblemCode))
def test_the_class_of_a_known_refusal_is_the_contracts_whatever_the_server_says(known: c.ProblemCode) -> None:
    for said in ("never", "now", "nonsense"):
        error = refusal(known.code, said, known.status)
        assert error.retry is known.retry
        assert error.problem == known.code
        assert error.code in catalogue().errors
        for lang in LANGS:
            assert "{" not in str(error.explain(lang))


@pytest.mark.parametrize(
    ("said", "meant"), [("fix", c.Retry.FIX), ("never", c.Retry.NEVER), ("later perhaps", c.Retry.AFTER)]
)
def test_an_unknown_refusal_goes_by_what_the_server_says(said: str, meant: c.Retry) -> None:
    error = refusal("made-in-2031", said)
    assert (error.code, error.retry, error.scope) == ("server_refused", meant, Scope.ITEM)


def test_a_fault_of_the_server_leaves_the_outcome_unknown() -> None:
    assert refusal("internal", status=500).unreachable
    assert refusal("made-in-2031", status=599).unreachable
    assert not refusal("unavailable", status=503).unreachable
    assert not refusal("not-found", status=404).unreachable


def test_what_concerns_one_packet_does_not_concern_the_server() -> None:
    for known in c.ProblemCode:
        concerns_all = known.code in {
            "token-expired", "token-invalid", "not-allowed", "device-revoked", "client-too-old", "device-conflict",
            "epoch-changed", "rate-limited", "unavailable",
        }  # fmt: skip
        assert (refusal(known.code).scope is Scope.SERVER) is concerns_all


def test_the_answers_own_time_wins_over_the_bodys() -> None:
    assert refusal("unavailable").retry_after == 30
    assert refusal("unavailable", after=5).retry_after == 5


def test_a_servers_words_are_shown_in_plain_letters_only() -> None:
    assert refusal("<b>\x1b[31m‮" + "x" * 100).params["reason"] == "b31m" + "x" * 31


@pytest.mark.parametrize("status", [401, 403, 404, 409, 410, 429, 503, 507])
def test_an_answer_without_a_body_is_understood_by_its_status(status: int) -> None:
    problem = headless(status)
    assert problem is not None
    assert problem.code in {known.code for known in c.ProblemCode}


def test_any_other_status_without_a_body_is_not_guessed_at() -> None:
    assert [headless(status) for status in (302, 400, 418, 500, 502)] == [None] * 5
