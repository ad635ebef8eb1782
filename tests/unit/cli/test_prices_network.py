"""`breakeven prices refresh` over the network: what it asks for, and what it does with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from breakeven.catalog.apis import token_price_file
from breakeven.catalog.apis.token_price_file import FILE_NAME
from breakeven.catalog.price_file import read_book
from breakeven.cli.prices import scope as prices_scope
from breakeven.errors import ExitCode
from breakeven.price_sources import api_tokens
from breakeven.price_sources import client as price_client
from breakeven.price_sources.google import KEY as GOOGLE_KEY
from breakeven.price_sources.registry import SOURCES
from tests.unit.catalog.importers.test_readers import AZURE_ITEM
from tests.unit.cli.running import Run, exit_code
from tests.unit.price_sources import answers
from tests.unit.price_sources.provider import Answer, Provider, Script, providing

Capture = pytest.CaptureFixture[str]

AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "aws-secret"}
GOOGLE_SECRET = "google-secret"

G6E = "node/aws/us-east-1/g6e.xlarge"
NC24 = "node/azure/eastus/Standard_NC24ads_A100_v4"
G2 = "node/gcp/us-central1/g2-standard-4"

SCRIPTS: dict[str, Script] = {
    "aws": answers.aws("us-east-1"),
    "aws-services": answers.aws("us-east-1"),
    "aws-spot": answers.spot,
    "azure": answers.azure,
    "azure-services": answers.azure,
    "google": answers.google,
    "gpuhunt": answers.gpuhunt,
    "api": answers.token_prices,
}

STACKS = {
    "aws": ("aws", "us-east-1"),
    "azure": ("azure", "eastus"),
    "gcp": ("gcp", "us-central1"),
    "own": ("none", "any"),
}


@pytest.fixture
def providers() -> Iterator[dict[str, Provider]]:
    """One server for each source."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(providing()) for name in SCRIPTS}
        for name, provider in running.items():
            provider.script = SCRIPTS[name]
        yield running


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A book and stacks of the test's own, no credentials, and no pauses."""
    for module in ("cli.prices.book", "cli.prices.refresh", "planning.inputs"):
        monkeypatch.setattr(f"breakeven.{module}.PRICES", tmp_path / "in-use")
    monkeypatch.setattr(prices_scope, "stack_names", lambda: tuple(STACKS))
    monkeypatch.setattr(
        prices_scope,
        "stack_values",
        lambda name: {"pricing": dict(zip(("cloud", "region"), STACKS[name], strict=True))},
    )
    monkeypatch.setattr(price_client, "_BACKOFF_SECONDS", (0.0, 0.0, 0.0))
    for name in (*AWS_KEYS, "AWS_SESSION_TOKEN", GOOGLE_KEY, "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    token_price_file.forget()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def refresh(providers: dict[str, Provider], output: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command against the servers of the test."""
    urls = [f"--source-url={name}={provider.url}" for name, provider in providers.items()]
    fixed = ("prices", "refresh", f"--output={output}", "--accept-large-changes", *urls)
    return lambda *arguments: exit_code(monkeypatch, *fixed, *arguments)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AWS_KEYS, GOOGLE_KEY: GOOGLE_SECRET}.items():
        monkeypatch.setenv(name, value)


def written(folder: Path) -> str:
    """The text of all files that a refresh wrote."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()))


def usd(book: Path, identifier: str) -> str:
    price = read_book(own=book).prices[identifier]
    return f"{price.usd.normalize():f}"


@pytest.mark.usefixtures("credentials")
def test_one_command_refreshes_the_regions_of_the_stacks(
    refresh: Run, providers: dict[str, Provider], output: Path, capsys: Capture
) -> None:
    assert refresh() == ExitCode.FINE
    found = {
        f"{G6E}/on-demand": "1.861",
        f"{G6E}/spot": "0.95",
        f"{NC24}/on-demand": "3.673",
        f"{NC24}/spot": "0.67878",
        f"{G2}/on-demand": "0.706824",
        "node/gcp/us-central1/a2-ultragpu-1g/on-demand": "5.07",
    }
    assert {identifier: usd(output, identifier) for identifier in found} == found
    shown = capsys.readouterr()
    assert "Fetching Azure Retail Prices API, azure eastus" in shown.err
    assert "AWS price list of us-east-1: AmazonEC2: 2 prices of 2026-11-03" in shown.out
    assert "Token prices of 2 models" in shown.out
    assert FILE_NAME in {path.name for path in output.iterdir()}
    asked = {asked.path.split("/")[1] for asked in providers["gpuhunt"].asked}
    assert asked == {"gcp"}, "clouds with a source of their own need no other"
    for secret in (GOOGLE_SECRET, *AWS_KEYS.values()):
        assert secret not in shown.out + shown.err + written(output)


def test_without_credentials_the_gpuhunt_catalog_is_used_and_the_message_explains_them(
    refresh: Run, output: Path, capsys: Capture
) -> None:
    assert refresh() == ExitCode.FINE
    assert usd(output, f"{G6E}/spot") == "0.88"
    message = capsys.readouterr().err
    assert "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment" in message
    assert "Used gpuhunt catalog of aws, 20261118-42 instead" in message


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_source_that_fails_leaves_its_prices_and_stops_no_other(
    name: str,
    refresh: Run,
    providers: dict[str, Provider],
    output: Path,
    capsys: Capture,
) -> None:
    providers["gpuhunt"].script = lambda _: Answer(status=404)
    # Each source with each fault: tests/unit/price_sources/test_sources.py.
    providers[name].script = lambda _: Answer(b"{", missing=5)
    assert refresh() == ExitCode.PRICE
    message = capsys.readouterr().err
    titles = {source.name: f"{source.title}, " for source in SOURCES}
    assert "some prices could not be fetched and were not changed" in message
    assert f"  {titles.get(name, api_tokens.TITLE)}" in message
    assert (output / FILE_NAME).exists() is (name != "api")
    before, after = dict(read_book().prices), dict(read_book(own=output).prices)
    own = {
        "aws": {f"{G6E}/on-demand"},
        "aws-services": {"load-balancer/aws/us-east-1/nlb"},
        "aws-spot": {f"{G6E}/spot"},
        "azure": {f"{NC24}/on-demand", f"{NC24}/spot"},
        "azure-services": {"load-balancer/azure/eastus/standard"},
        "google": {f"{G2}/on-demand"},
        "gpuhunt": {"node/gcp/us-central1/a2-ultragpu-1g/on-demand"},
    }
    for source, identifiers in own.items():
        for identifier in identifiers:
            kept = after.get(identifier) == before.get(identifier)
            assert kept is (source in {name, "gpuhunt"}), identifier


def test_where_nothing_was_fetched_nothing_is_changed(
    refresh: Run, providers: dict[str, Provider], output: Path, capsys: Capture
) -> None:
    for provider in providers.values():
        provider.script = lambda _: Answer(status=503)
    assert refresh() == ExitCode.ERROR
    message = capsys.readouterr().err
    assert "no prices were fetched, and nothing was changed" in message
    assert "Azure Retail Prices API, azure eastus: http://127.0.0.1" in message
    assert not output.exists()


def test_a_refresh_is_narrowed_to_a_cloud_or_a_region(
    refresh: Run, providers: dict[str, Provider]
) -> None:
    assert refresh("--cloud", "azure") == ExitCode.FINE
    assert {name for name, provider in providers.items() if provider.asked} == {
        "azure",
        "azure-services",
    }
    assert refresh("--region", "lambda/any") == ExitCode.FINE
    asked = {name for name, provider in providers.items() if provider.asked}
    assert asked == {"azure", "azure-services", "gpuhunt"}


def test_a_region_that_is_new_to_the_book_can_be_fetched(
    refresh: Run, providers: dict[str, Provider], output: Path
) -> None:
    providers["aws"].script = providers["aws-services"].script = answers.aws("eu-north-1")
    assert refresh("--region", "aws/eu-north-1") == ExitCode.PRICE  # spot has no source there
    assert usd(output, "node/aws/eu-north-1/g6e.xlarge/on-demand") == "1.861"


def test_a_region_that_a_source_does_not_have_is_named(refresh: Run, capsys: Capture) -> None:
    assert refresh("--region", "aws/eu-atlantis-1") == ExitCode.ERROR
    assert "no region eu-atlantis-1" in capsys.readouterr().err


def test_all_means_every_cloud_of_the_book_and_those_without_a_source_are_named(
    refresh: Run, capsys: Capture
) -> None:
    assert refresh("--all") == ExitCode.PRICE
    message = capsys.readouterr().err
    assert "Fetching gpuhunt catalog, lambda any" in message
    assert "crusoe any: no source has this cloud" in message


@pytest.mark.usefixtures("credentials")
def test_refreshing_twice_changes_nothing(refresh: Run, output: Path) -> None:
    assert refresh() == ExitCode.FINE
    first = written(output)
    assert refresh() == ExitCode.FINE
    assert written(output) == first


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--cloud", "asw"), 'found "asw"'),
        (("--cloud", "lambda"), "add --all"),
        (("--region", "frankfurt"), "aws/eu-central-1"),
        (("--kind", "table-csv"), "--kind has no effect with the network"),
        (("--as-of", "2026-11-25"), "--as-of has no effect with the network"),
        (("--from", "x.csv", "--all"), "--all has no effect with --from"),
        (
            ("--source-url", "gcp=https://example.com"),
            "aws, aws-services, aws-spot, azure, ",
        ),
        (("--source-url", "azure=http://example.com"), "Allowed: https://HOST/PATH"),
    ],
)
def test_options_that_cannot_be_used_are_one_message(
    arguments: tuple[str, ...],
    part: str,
    output: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = exit_code(monkeypatch, "prices", "refresh", f"--output={output}", *arguments)
    message = capsys.readouterr().err
    assert code == ExitCode.ERROR
    assert part in message
    assert "Traceback" not in message
    assert not output.exists()


def test_a_file_without_the_requested_region_is_an_error(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case A3 of a newcomer: the file held another region, and 0 new prices were a success."""
    listed = tmp_path / "list.csv"
    listed.write_text(
        "cloud,region,instance_type,purchase,usd_per_hour,as_of,source\n"
        "aws,us-east-1,g6e.xlarge,on_demand,1.861,2026-11-01,ours\n",
        encoding="utf-8",
    )
    asked = ("--from", str(listed), "--region", "aws/eu-north-1")
    assert exit_code(monkeypatch, "prices", "refresh", *asked) == ExitCode.ERROR
    assert "list.csv: found no price of a known machine type in aws/eu-north-1" in (
        capsys.readouterr().err
    )


def test_a_table_that_names_no_cloud_takes_it_from_its_folder_or_name(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lambda"
    folder.mkdir()
    (folder / "vms.csv").write_text(
        "InstanceType,AcceleratorName,AcceleratorCount,Price,Region,SpotPrice\n"
        "gpu_8x_h100_sxm5,H100,8,32.5,us-east-1,\n",
        encoding="utf-8",
    )
    (tmp_path / "lambdalabs.csv").write_text(
        answers.catalog("gpu_1x_h100_sxm5", "us-east-1", "4.5"), encoding="utf-8"
    )
    day = ("--as-of", "2026-11-25", f"--output={output}")
    files = ("--from", str(folder / "vms.csv"), "--from", str(tmp_path / "lambdalabs.csv"))
    assert exit_code(monkeypatch, "prices", "refresh", *files, *day) == ExitCode.FINE
    assert usd(output, "node/lambda/any/gpu_8x_h100_sxm5/on-demand") == "32.5"
    assert usd(output, "node/lambda/any/gpu_1x_h100_sxm5/on-demand") == "4.5"


def test_a_price_that_begins_later_than_the_list_is_not_used(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public case prices-effective-later."""
    machine = "Standard_NC40ads_H100_v5"
    plain = {"armSkuName": machine, "skuName": "NC40ads H100 v5", "retailPrice": 6.98}
    later = {**plain, "retailPrice": 7.5, "effectiveStartDate": "2027-02-01T00:00:00Z"}
    page = tmp_path / "page.json"
    items = [{**AZURE_ITEM, **item} for item in (plain, later)]
    page.write_text(json.dumps({"BillingCurrency": "USD", "Items": items}), encoding="utf-8")
    arguments = ("--from", str(page), "--as-of", "2026-11-25", f"--output={output}")
    assert exit_code(monkeypatch, "prices", "refresh", *arguments) == ExitCode.FINE
    assert usd(output, f"node/azure/eastus/{machine}/on-demand") == "6.98"
