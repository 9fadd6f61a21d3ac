"""What an error promises: told apart by what to do about it, named for a person, and never with a secret."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from azmdr.azure.address import ArmAddress
from azmdr.azure.arm import Arm
from azmdr.azure.diagnostic_settings import ResourceSettings
from azmdr.azure.dispatch import Call
from azmdr.azure.errors import (
    AzureError,
    RefusedError,
    SignInError,
    ThrottledError,
    TransientError,
    UnreadableError,
    asked,
)
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from lab.azure.faults import Fault, FaultKind, PlannedFaults
from lab.azure.in_process import URL, in_process_transport
from lab.azure.scenario import SECRET
from tests.azure.lab_arm import LabArm, ask
from tests.lab_azure.places import CONTOSO, VAULT

PATH = "diagnosticsettings"
WRONG_SECRET = "hunter" + "2"


@pytest.fixture
def lab() -> LabArm:
    return LabArm()


def reading(lab: LabArm) -> Call[list[DiagnosticSetting]]:
    return ResourceSettings(lab.arm).read(ResourceId.parse(VAULT))


def error_of(lab: LabArm, fault: Fault | None = None) -> AzureError:
    if fault is not None:
        lab.door.faults = PlannedFaults({("GET", PATH, 0): fault})
    with pytest.raises(AzureError) as failed:
        ask(reading(lab))
    assert type(failed.value) is not AzureError
    assert failed.value.what == f"reading the diagnostic settings of {VAULT}"
    assert str(failed.value).startswith(f"{failed.value.what}: ")
    return failed.value


@pytest.mark.parametrize(("given", "seconds"), [(17, 17.0), (0, 0.0), (None, None)])
def test_429_says_how_long_to_wait_where_azure_does(
    lab: LabArm, given: int | None, seconds: float | None
) -> None:
    error = error_of(lab, Fault(FaultKind.THROTTLE, retry_after=given))
    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_servers_error_may_pass(lab: LabArm, status: int) -> None:
    error = error_of(lab, Fault(FaultKind.FAIL_BEFORE, status, retry_after=5))
    assert isinstance(error, TransientError)
    assert error.retry_after == 5
    assert error.told == f"{status} InternalServerError: Something went wrong in the lab."


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER, FaultKind.TRUNCATE])
def test_a_connection_that_breaks_may_hold_the_next_time(lab: LabArm, kind: FaultKind) -> None:
    assert isinstance(error_of(lab, Fault(kind)), TransientError)
    assert ask(reading(lab)) == []


def test_an_expired_token_may_be_renewed_the_next_time(lab: LabArm) -> None:
    assert isinstance(error_of(lab, Fault(FaultKind.EXPIRE_TOKEN)), TransientError)
    assert ask(reading(lab)) == []


def test_a_permission_withdrawn_is_a_refusal_with_its_code(lab: LabArm) -> None:
    for name in list(lab.cloud.delegations[CONTOSO.subscriptions[0].id]):
        if "entra-logs" not in name:
            del lab.cloud.delegations[CONTOSO.subscriptions[0].id][name]
    error = error_of(lab)
    assert isinstance(error, RefusedError)
    assert (error.status, error.code) == (403, "AuthorizationFailed")


def test_a_tenant_that_is_none_of_ours_any_more_is_a_refusal_and_no_trouble_with_signing_in(
    lab: LabArm,
) -> None:
    lab.cloud.delegations[CONTOSO.subscriptions[0].id].clear()
    error = error_of(lab)
    assert isinstance(error, RefusedError)
    assert (error.status, error.code) == (401, "InvalidAuthenticationTokenTenant")


def test_what_is_not_there_is_a_refusal_with_its_code(lab: LabArm) -> None:
    lab.cloud.remove_resource(VAULT)
    error = error_of(lab)
    assert isinstance(error, RefusedError)
    assert (error.status, error.code) == (404, "ResourceNotFound")


def signing_in(lab: LabArm, tenant_id: str, app_id: str, secret: str) -> Call[list[DiagnosticSetting]]:
    transport = in_process_transport(lab.door)
    credential = ClientSecretCredential(
        tenant_id, app_id, secret, authority=URL, disable_instance_discovery=True, transport=transport
    )
    arm = Arm(credential, ArmAddress(URL), lab.pacer, lab.clock, transport=transport)
    return ResourceSettings(arm).read(ResourceId.parse(VAULT))


def test_the_right_secret_signs_in(lab: LabArm) -> None:
    ours = lab.scene.principal
    assert ask(signing_in(lab, lab.scene.provider.id, ours.app_id or "", SECRET)) == []


@pytest.mark.parametrize("wrong", ["secret", "application", "tenant"])
def test_no_token_is_trouble_with_signing_in_and_names_no_secret(lab: LabArm, wrong: str) -> None:
    nobody = "00000000-0000-4000-8000-00000000dead"
    tenant = nobody if wrong == "tenant" else lab.scene.provider.id
    app = nobody if wrong == "application" else lab.scene.principal.app_id or ""
    call = signing_in(lab, tenant, app, WRONG_SECRET)
    with pytest.raises(SignInError) as failed:
        ask(call)
    assert WRONG_SECRET not in "".join(traceback.format_exception(failed.value))
    assert not any(VAULT in each.path for each in lab.log)


class _Response:
    """An answer of Entra ID to a credential that asks for its tokens itself (workload identity)."""

    status_code = 401
    reason = "Unauthorized"
    headers: dict[str, str] = {}  # noqa: RUF012 - as the client's own class has it

    def text(self, _encoding: str | None = None) -> str:
        return '{"error": "invalid_client", "error_description": "AADSTS700222", "error_codes": [700222]}'


def raising(error: Exception) -> Callable[[], Any]:
    def ask_in_vain() -> Any:
        raise error

    return ask_in_vain


def test_a_401_of_entra_id_is_trouble_with_signing_in_too() -> None:
    error = ClientAuthenticationError("AADSTS700222", response=_Response())  # type: ignore[arg-type]
    with pytest.raises(SignInError):
        asked("reading", raising(error))


@pytest.mark.parametrize("error", [ValueError("x"), TypeError("x"), KeyError("x"), AttributeError("x")])
def test_an_answer_in_an_unknown_shape_is_no_empty_one_and_is_not_asked_for_again(error: Exception) -> None:
    with pytest.raises(UnreadableError, match="reading: the answer has an unknown shape"):
        asked("reading", raising(error))


def test_what_is_no_trouble_of_azure_is_not_told_as_such() -> None:
    with pytest.raises(ZeroDivisionError):
        asked("reading", raising(ZeroDivisionError()))


def test_no_error_of_a_call_shows_the_token(lab: LabArm) -> None:
    faults = [Fault(kind) for kind in FaultKind if kind is not FaultKind.FAIL_NEXT_PAGE]
    lab.door.faults = PlannedFaults({("GET", PATH, number): fault for number, fault in enumerate(faults)})
    for _ in faults:
        with pytest.raises(AzureError) as failed:
            ask(reading(lab))
        shown = "".join(traceback.format_exception(failed.value))
        assert "eyJ" not in shown, "a JSON Web Token begins like this"
        assert "Bearer " not in shown


def test_a_long_answer_is_told_in_short() -> None:
    error = RefusedError("writing", 409, "Conflict", "x" * 10_000)
    assert len(str(error)) < 600
