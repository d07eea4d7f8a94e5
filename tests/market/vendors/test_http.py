import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.vendors.errors import VendorError, VendorRefused, VendorSchemaError, VendorUnavailable
from paperdesk.tools.market.vendors.http import Http

from .loopback import FakeTime, Loopback, Reply

BODY = json.dumps({"rows": list(range(200))}).encode()


@pytest.fixture
def http(fake_time: FakeTime) -> Iterator[Http]:
    client = Http(fake_time.settings(), "vendor", requests_per_second=1000.0, refusal="set VENDOR_KEY")
    yield client
    client.close()


def test_a_complete_answer_comes_with_its_source(http: Http, loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(BODY))
    answer = http.get(f"{loopback.url}/a", params={"symbol": "ACME"})
    assert answer.json() == {"rows": list(range(200))}
    assert answer.source.url == f"{loopback.url}/a?symbol=ACME"
    assert answer.source.sha256 == hashlib.sha256(BODY).hexdigest()
    assert answer.source.bytes == len(BODY)
    assert answer.source.fetched_at == fake_time.now
    assert loopback.asked[0].headers["user-agent"].startswith("paperdesk/")


def test_a_zipped_answer_is_unpacked(http: Http, loopback: Loopback) -> None:
    loopback.on("/a", Reply.zipped(BODY))
    assert http.get(f"{loopback.url}/a").body == BODY


@pytest.mark.parametrize(
    "broken",
    [
        Reply(status=500),
        Reply(status=503),
        Reply(status=429),
        Reply(hang_up=True),
        Reply(BODY, cut_at=100),
        Reply.zipped(BODY, keep=60),
        Reply(b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["500", "503", "429", "hung up", "cut", "cut gzip", "broken gzip"],
)
def test_what_may_pass_is_tried_again(http: Http, loopback: Loopback, fake_time: FakeTime, broken: Reply) -> None:
    loopback.on("/a", broken, broken, Reply(BODY))
    assert http.get(f"{loopback.url}/a").body == BODY
    first, second = [seconds for seconds in fake_time.slept if seconds > 0.01]
    assert 0.5 <= first <= 1.0 <= second <= 2.0


def test_what_does_not_pass_is_unavailable_and_says_so(http: Http, loopback: Loopback) -> None:
    loopback.on("/a", Reply(BODY, cut_at=100))
    with pytest.raises(VendorUnavailable, match=r"3 attempts\); try again later, what was fetched is kept$"):
        http.get(f"{loopback.url}/a")
    assert len(loopback.asked) == 3


def test_json_without_its_end_is_asked_for_again(http: Http, loopback: Loopback) -> None:
    loopback.on("/a", Reply(BODY[:-40], announce=False), Reply(BODY, announce=False))
    assert http.get(f"{loopback.url}/a", check_json=True).body == BODY


def test_an_answer_that_is_no_json_is_a_changed_schema(http: Http, loopback: Loopback) -> None:
    loopback.on("/a", Reply(b"<html>Will be right back</html>"))
    with pytest.raises(VendorSchemaError, match="is no JSON"):
        http.get(f"{loopback.url}/a").json()


def test_the_wait_that_the_vendor_asks_for_is_kept(http: Http, loopback: Loopback, fake_time: FakeTime) -> None:
    late = format_datetime((fake_time.now + timedelta(seconds=40)).astimezone(UTC), usegmt=True)
    loopback.on(
        "/a",
        Reply(status=429, headers={"Retry-After": "17"}),
        Reply(status=503, headers={"Retry-After": late}),
        Reply(BODY),
    )
    assert http.get(f"{loopback.url}/a").body == BODY
    assert fake_time.now == datetime(2024, 6, 20, 12, 0, 40, tzinfo=UTC)
    assert 17.0 in fake_time.slept


def test_a_wait_beyond_patience_ends_the_asking(http: Http, loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(status=429, headers={"Retry-After": "3600"}), Reply(BODY))
    with pytest.raises(VendorUnavailable, match="wants us to wait 3600 s"):
        http.get(f"{loopback.url}/a")
    assert sum(fake_time.slept) < 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_repeated_and_says_what_to_set(http: Http, loopback: Loopback, status: int) -> None:
    loopback.on("/a", Reply(status=status))
    with pytest.raises(VendorRefused, match="set VENDOR_KEY"):
        http.get(f"{loopback.url}/a")
    assert len(loopback.asked) == 1


@pytest.mark.parametrize("status", [301, 400, 404])
def test_an_unexpected_status_is_an_error_unless_it_is_an_answer(http: Http, loopback: Loopback, status: int) -> None:
    loopback.on("/a", Reply(BODY, status=status, headers={"Location": f"{loopback.url}/b"}))
    with pytest.raises(VendorSchemaError, match=f"status {status}"):
        http.get(f"{loopback.url}/a")
    assert http.get(f"{loopback.url}/a", accept=(status,)).status == status
    assert not loopback.asked_for("/b"), "a redirect was followed, with whatever key the request had"


def test_silence_ends_with_the_timeout(loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(BODY, delay_s=2.0))
    client = Http(fake_time.settings(timeout_s=0.1, retries=1), "vendor")
    with pytest.raises(VendorUnavailable, match=r"no answer within 0\.1 s, 2 attempts"):
        client.get(f"{loopback.url}/a")
    client.close()


def test_an_answer_that_drips_ends_too(loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(BODY, drip_s=0.02))
    client = Http(fake_time.settings(timeout_s=0.05, retries=0), "vendor")
    with pytest.raises(VendorUnavailable, match=r"the answer took more than 0\.5 s"):
        client.get(f"{loopback.url}/a")
    client.close()


@pytest.mark.parametrize("reply", [Reply(b"x" * 5000), Reply.zipped(b"x" * 5_000_000)], ids=["plain", "zipped"])
def test_an_answer_beyond_the_limit_is_refused(loopback: Loopback, fake_time: FakeTime, reply: Reply) -> None:
    loopback.on("/a", reply)
    client = Http(fake_time.settings(max_bytes=4999), "vendor")
    with pytest.raises(VendorSchemaError, match="more than 4,999 bytes"):
        client.get(f"{loopback.url}/a")
    client.close()


def test_requests_keep_their_distance(loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(BODY))
    client = Http(fake_time.settings(requests_per_second=None), "vendor", requests_per_second=8.0)
    began = fake_time.now
    for _ in range(17):
        client.get(f"{loopback.url}/a")
    client.close()
    assert fake_time.now - began == timedelta(seconds=2)


def test_a_clock_that_is_set_back_does_not_stop_the_asking(loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on("/a", Reply(BODY))
    client = Http(fake_time.settings(), "vendor", requests_per_second=2.0)
    client.get(f"{loopback.url}/a")
    fake_time.now -= timedelta(hours=1)
    client.get(f"{loopback.url}/a")
    client.close()
    assert sum(fake_time.slept) == 0.5


@pytest.mark.parametrize("reply", [Reply(BODY), Reply(status=403), Reply(status=500), Reply(status=404)])
def test_a_secret_is_sent_and_kept_nowhere(
    loopback: Loopback, fake_time: FakeTime, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    loopback.on("/a", reply)
    client = Http(fake_time.settings(retries=0), "vendor", headers={"X-Key": "hush-header"})
    caplog.set_level(logging.DEBUG)
    try:
        kept = client.get(f"{loopback.url}/a", params={"id": "X"}, secrets={"secret": "hush-query"}).source.url
    except VendorError as error:
        kept = str(error)
    client.close()
    assert loopback.asked[0].query == {"id": "X", "secret": "hush-query"}
    assert loopback.asked[0].headers["x-key"] == "hush-header"
    assert "hush" not in kept
    assert "HTTP Request" in caplog.text
    assert "hush" not in caplog.text


def test_what_is_no_address_is_refused(http: Http) -> None:
    with pytest.raises(InputError, match="is no address"):
        http.get("localhost/a")


def test_a_vendor_that_is_not_there_is_unavailable(http: Http, loopback: Loopback) -> None:
    loopback.close()
    with pytest.raises(VendorUnavailable, match="the connection failed: ConnectError"):
        http.get(f"{loopback.url}/a")
