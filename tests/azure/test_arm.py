"""What the clients promise: the lane of each request, no provider registered, buckets told, who we are."""

from pathlib import Path
from typing import Any

import pytest
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from pydantic import SecretStr

from azmdr.azure.address import ArmAddress, ServicePrincipal
from azmdr.azure.arm import credential_of, lane_of, text_of
from azmdr.azure.diagnostic_settings import ResourceSettings, SubscriptionSettings
from azmdr.azure.dispatch import Call
from azmdr.azure.errors import RefusedError
from azmdr.azure.inventory import list_resources
from azmdr.azure.pacing import TENANT, Kind, Lane
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from lab.azure.throttling import SIZES, Size
from lab.azure.throttling import Kind as LabKind
from tests.azure.lab_arm import LabArm, ask, work_off
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT

ID = CONTOSO.subscriptions[0].id


@pytest.fixture
def lab() -> LabArm:
    return LabArm()


def setting(lab: LabArm) -> DiagnosticSetting:
    return DiagnosticSetting("azmdr", lab.scene.rule_id("eastus"), "contoso", groups=frozenset({"audit"}))


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", f"/subscriptions/{ID.upper()}/resources", Lane(ID, Kind.READS)),
        ("HEAD", f"/subscriptions/{ID}", Lane(ID, Kind.READS)),
        ("PUT", f"{VAULT}/providers/x", Lane(ID, Kind.WRITES)),
        ("POST", f"{VAULT}/listKeys", Lane(ID, Kind.WRITES)),
        ("PATCH", VAULT, Lane(ID, Kind.WRITES)),
        ("DELETE", VAULT, Lane(ID, Kind.DELETES)),
        ("GET", "/subscriptions?api-version=2022-12-01", Lane(TENANT, Kind.READS)),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", Lane(TENANT, Kind.WRITES)),
    ],
)
def test_a_request_draws_on_the_bucket_of_its_subscription_and_kind(
    method: str, path: str, lane: Lane
) -> None:
    assert lane_of(method, f"https://management.azure.com{path}") == lane


def test_every_call_says_the_lane_its_request_is_counted_in(lab: LabArm) -> None:
    target, subscription = ResourceId.parse(VAULT), ResourceId.parse(SUBSCRIPTION)
    of_resources, of_subscriptions = ResourceSettings(lab.arm), SubscriptionSettings(lab.arm)
    wanted = DiagnosticSetting("azmdr", lab.scene.rule_id("eastus"), "contoso", frozenset({"Policy"}))
    calls: list[Call[Any]] = [
        of_resources.read(target),
        of_resources.catalogue(target),
        of_resources.write(target, setting(lab)),
        of_resources.remove(target, "azmdr"),
        of_subscriptions.read(subscription),
        of_subscriptions.write(subscription, wanted),
        of_subscriptions.remove(subscription, "azmdr"),
    ]
    for call in calls:
        before = len(lab.door.log)
        ask(call)
        made = [lane_of(each.method, f"https://localhost{each.path}") for each in lab.log[before:]]
        assert made == [call.lane], call.what


def test_no_provider_is_ever_registered_in_a_customers_subscription(lab: LabArm) -> None:
    """The clients would do it by themselves: a POST to ``register`` on 409."""
    lab.cloud.subscriptions[ID].registered.discard("microsoft.insights")
    settings = ResourceSettings(lab.arm)
    target = ResourceId.parse(VAULT)
    calls: list[Call[Any]] = [
        settings.read(target),
        settings.write(target, setting(lab)),
        settings.remove(target, "azmdr"),
    ]
    for call in calls:
        with pytest.raises(RefusedError) as refused:
            ask(call)
        assert (refused.value.status, refused.value.code) == (409, "MissingSubscriptionRegistration")
    assert [each.method for each in lab.log] == ["GET", "PUT", "DELETE"]
    assert "microsoft.insights" not in lab.cloud.subscriptions[ID].registered


def test_a_call_is_one_request_also_when_it_fails(lab: LabArm) -> None:
    lab.cloud.remove_resource(VAULT)
    with pytest.raises(RefusedError):
        ask(ResourceSettings(lab.arm).read(ResourceId.parse(VAULT)))
    assert len(lab.log) == 1


def test_what_azure_says_is_left_in_a_bucket_reaches_the_pacer(lab: LabArm) -> None:
    lab.door.throttle.sizes = SIZES | {LabKind.READS: Size(1, 0.1)}
    lane, now = Lane(ID, Kind.READS), lab.clock.now().timestamp()
    assert lab.pacer.wait(lane, now) == 0
    ask(ResourceSettings(lab.arm).read(ResourceId.parse(VAULT)))
    assert lab.pacer.wait(lane, now) > 0
    assert lab.pacer.wait(Lane(ID, Kind.WRITES), now) == 0
    assert lab.pacer.wait(Lane(CONTOSO.subscriptions[1].id, Kind.READS), now) == 0


def test_the_answer_to_a_listing_tells_of_its_bucket_too(lab: LabArm) -> None:
    lab.door.throttle.sizes = SIZES | {LabKind.READS: Size(1, 0.1)}
    work_off(list_resources(lab.arm, ID, []))
    assert lab.pacer.wait(Lane(ID, Kind.READS), lab.clock.now().timestamp()) > 0


def test_without_an_application_we_are_who_the_machine_is() -> None:
    assert isinstance(credential_of(None, ArmAddress()), DefaultAzureCredential)


def test_the_secret_of_an_application_is_shown_by_nothing_that_holds_it() -> None:
    principal = ServicePrincipal("tenant", "client", SecretStr("hunter2"))
    credential = credential_of(principal, ArmAddress(authority_file=Path("ca.pem")))
    assert isinstance(credential, ClientSecretCredential)
    assert "hunter2" not in f"{principal!r} {principal} {credential!r}"


def test_an_enumerations_member_and_a_string_read_alike() -> None:
    assert text_of(Kind.READS) == text_of("reads") == "reads"
