"""Teams are known by tokens of an identity provider, which Envoy checks, or by keys."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import A, assert_complete
from tests.gateway.client import CHAT
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import MARK, Cluster
from tests.gateway.tokens import AUDIENCE, ISSUER, Provider

SETTINGS: dict[str, Any] = {
    "gateway.oidc.issuer": ISSUER,
    "gateway.oidc.audience": AUDIENCE,
    "gateway.oidc.jwksSecret": "identity-keys",
}
LONG_AGO = 1_700_000_000


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("tokens"), SETTINGS)
    cluster.set_replicas(A)
    yield cluster
    assert_nothing_leaked(cluster)
    cluster.close()


def test_a_valid_token_is_its_team(known: Cluster) -> None:
    answer = known.ask(known.provider.token())
    assert_complete([answer])
    # One of several groups is a team of the gateway's.
    assert known.ask(known.provider.token(team=["staff", "product", 7])).status == 200
    assert known.ask(known.provider.token(aud=["other", AUDIENCE])).status == 200


def test_a_team_that_may_not_leave_stays_inside_by_its_token(known: Cluster) -> None:
    known.set_replicas()
    try:
        assert known.ask(known.provider.token(team="legal"), text=MARK).status == 503
        assert known.ask(known.provider.token()).by == "api"
    finally:
        known.set_replicas(A)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"exp": LONG_AGO}, 401),
        ({"exp": None}, 401),
        ({"nbf": 4_000_000_000}, 401),
        ({"aud": "another-service"}, 403),
        ({"aud": None}, 403),
        ({"iss": "https://login.example.com/realms/other"}, 401),
        ({"iss": None}, 401),
        ({"algorithm": "none"}, 401),
        ({"algorithm": "HS256"}, 401),
        ({"team": None}, 403),
        ({"team": "nobody"}, 403),
        ({"team": ["product", "legal"]}, 403),
        ({"team": {"name": "product"}}, 403),
        ({"team": True}, 403),
    ],
)
def test_a_token_that_is_not_meant_for_this_is_refused(
    known: Cluster, changed: Mapping[str, Any], status: int
) -> None:
    before = len(known.asked())
    answer = known.ask(known.provider.token(**changed))
    assert answer.status == status, answer
    assert len(known.asked()) == before


def test_a_token_of_another_signer_or_with_other_claims_is_refused(known: Cluster) -> None:
    assert known.ask(Provider().token()).status == 401
    head, claims, signature = known.provider.token().split(".")
    other = known.provider.token(team="legal").split(".")[1]
    for forged in (
        f"{head}.{other}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}",
        "x.y.z",
        "",
    ):
        assert known.ask(forged).status == 401


def test_a_key_is_accepted_only_without_a_token(known: Cluster) -> None:
    body = {"model": known.model, "messages": [{"role": "user", "content": "hello"}]}

    def status(*headers: tuple[str, str]) -> int:
        return known.call("POST", CHAT, key=None, body=body, headers=headers).status

    token = known.provider.token()
    assert status(("x-api-key", "sk-product")) == 200
    assert status() == 401
    assert status(("x-api-key", "wrong")) == 401
    # A key is not a token, and a request must not have both.
    assert status(("Authorization", "Bearer sk-product")) == 401
    assert status(("Authorization", "bearer sk-product")) == 401
    assert status(("Authorization", f"Bearer {token}"), ("x-api-key", "sk-legal")) == 401
    assert status(("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")) == 401


def test_a_token_in_the_address_counts_for_nothing(known: Cluster) -> None:
    path = f"{CHAT}?access_token={known.provider.token()}"
    body = {"model": known.model, "messages": [{"role": "user", "content": "hello"}]}
    assert known.call("POST", path, key=None, body=body).status == 401


def test_paths_that_are_not_served_require_no_token(known: Cluster) -> None:
    assert known.call("GET", "/v1/files", key=None).status == 404
    assert known.call("GET", "/v1/models", key=known.provider.token()).status == 200
    assert known.call("GET", "/v1/models", key=known.provider.token(exp=LONG_AGO)).status == 401


def test_no_token_reaches_an_engine_or_the_log(known: Cluster) -> None:
    token = known.provider.token()
    assert known.ask(token).status == 200
    known.ask(known.provider.token(exp=LONG_AGO))
    asked = known.asked()[-1]
    assert asked.header("authorization") == "Bearer own-key-of-the-test"
    claims = token.split(".")[1]
    assert claims not in str(asked.headers)
    assert claims not in known.logs()


@pytest.mark.parametrize("separate", [True, False])
def test_keys_are_fetched_by_those_who_have_a_way_out(tmp_path: Path, separate: bool) -> None:
    settings = {name: value for name, value in SETTINGS.items() if "jwks" not in name}
    uri = "https://login.example.com/realms/ai/certs"
    settings |= {"gateway.oidc.jwksUri": uri, "gateway.separateInside": separate}
    cluster = Cluster(tmp_path, settings)
    try:
        cluster.set_replicas(A)
        deadline = time.monotonic() + 20
        while cluster.ask(cluster.provider.token()).status != 200:
            assert time.monotonic() < deadline, cluster.log()[-2000:]
            time.sleep(0.3)
        assert set(cluster.provider.asked) == {"login.example.com/realms/ai/certs"}
        assert cluster.ask(Provider().token()).status == 401
        named = cluster.rendered.names("jwks")
        assert (named == ["gateway-egress.llm.svc.cluster.local"]) is separate
    finally:
        cluster.close()
