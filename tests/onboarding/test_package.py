"""The package: nothing anybody typed gets out of the place it was put in."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.config import ConfigurationError
from azmdr.inventory.customers import Customer, CustomerError
from azmdr.onboarding import entra
from azmdr.onboarding.files import templates
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.package import ManagementGroupScope, Package, Scope, SubscriptionScope
from azmdr.onboarding.roles import RoleSet
from lab.azure.scenario import PROVIDER, identity
from tests.onboarding.estate import GROUP, REGION, SUBSCRIPTIONS, TENANT, Estate
from tests.onboarding.plane import package_for

PROVIDER_TENANT = identity(PROVIDER)
ME = "a14a1d7d-2a67-5a25-92d9-759525505484"
HOSTILE = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from(
        [
            *("'; rm -rf ~; '", "$(id)", "`id`", "[parameters('x')]", "[[x", "a'b\"c", "{customer}", "{0}"),
            *("\\", "${x}", "'''", "a\nb", "\u202eabc", "-o", "--help", "@/etc/passwd", "'}]}", "%s"),
            *("</td>", "x.", ".."),
        ]
    ),
)


def offered(name: str, description: str, shown: str) -> Offer:
    return Offer.of(PROVIDER_TENANT, name, description, {ME: shown}, RoleSet.LEAST_PRIVILEGE)


def made(customer: str, offer: Offer, scope: Scope) -> Package:
    return package_for(Customer.of(name=customer, tenant_id=TENANT, home_region=REGION), offer, scope)


@given(customer=HOSTILE, name=HOSTILE, description=HOSTILE, shown=HOSTILE, place=HOSTILE, group=HOSTILE)
def test_hostile_names_break_neither_json_nor_bicep_nor_the_command(
    customer: str, name: str, description: str, shown: str, place: str, group: str
) -> None:
    try:
        offer = offered(name, description, shown)
        package = made(customer, offer, ManagementGroupScope(place, SUBSCRIPTIONS[0], group))
    except (ConfigurationError, CustomerError):
        return
    for path, text in templates().items():
        if path in package.files and path != "README.md":
            assert package.files[path] == text
    values = json.loads(package.files["main.parameters.json"])["parameters"]
    assert values["offerName"]["value"] == name
    assert values["offerDescription"]["value"] == description
    assert values["principals"]["value"] == [{"id": ME, "name": shown}]
    words = shlex.split(package.command)
    assert words[:6] == ["az", "deployment", "mg", "create", "--management-group-id", place]
    assert len(words) == 14
    assert "\n" not in package.command
    assert f"    {package.command}\n" in package.files["README.md"]


@given(name=HOSTILE, description=HOSTILE, shown=HOSTILE)
def test_what_the_offer_takes_azure_takes_as_it_is_written(name: str, description: str, shown: str) -> None:
    try:
        offer = offered(name, description, shown)
    except ConfigurationError:
        return
    estate = Estate()
    package = made("fabrikam", offer, ManagementGroupScope("fabrikam-root"))
    parameters = json.loads(package.files["main.parameters.json"])["parameters"]
    reply = estate.deploy(json.loads(package.files["main.json"]), parameters, GROUP)
    assert reply.state == "Succeeded"
    estate.wait()
    for subscription_id in SUBSCRIPTIONS:
        (definition,) = estate.cloud.definitions[subscription_id].values()
        assert definition.offer == name
        assert {each.display_name for each in definition.authorizations} == {shown}


@pytest.mark.parametrize("name", ["[concat('a')]", " ", "x" * 129, "a\nb"])
def test_an_offer_azure_would_read_otherwise_is_refused_with_its_setting(name: str) -> None:
    with pytest.raises(ConfigurationError, match="offer_name"):
        offered(name, "d", "azmdr")


def test_a_delegate_is_an_object_id_and_there_is_one() -> None:
    with pytest.raises(ConfigurationError, match=r"delegate_to.*no GUID"):
        Offer.of(TENANT, "MDR", "d", {"azmdr@example.com": "azmdr"}, RoleSet.ARTICLE)
    with pytest.raises(ConfigurationError, match="delegate_to: not set"):
        Offer.of(TENANT, "MDR", "d", {}, RoleSet.ARTICLE)


@pytest.mark.parametrize(
    "scope", [ManagementGroupScope("a b"), ManagementGroupScope("g", "no"), SubscriptionScope("x; id")]
)
def test_a_scope_that_cant_be_is_refused(scope: Scope) -> None:
    with pytest.raises(CustomerError, match=r"can't be|no id"):
        made("fabrikam", offered("MDR", "d", "azmdr"), scope)


def test_a_name_the_shell_would_read_is_quoted() -> None:
    package = made("fabrikam", offered("MDR", "d", "azmdr"), ManagementGroupScope("root(eu)"))
    assert "--management-group-id 'root(eu)' " in package.command


def test_the_same_package_comes_out_whenever_it_is_written() -> None:
    delegates = {ME: "one", SUBSCRIPTIONS[0]: "two"}
    turned = dict(reversed(delegates.items()))
    offers = [Offer.of(TENANT, "MDR", "d", each, RoleSet.ARTICLE) for each in (delegates, turned)]
    assert made("fabrikam", offers[0], SubscriptionScope(SUBSCRIPTIONS[1])) == made(
        "fabrikam", offers[1], SubscriptionScope(SUBSCRIPTIONS[1])
    )


def test_the_readme_names_every_role_with_its_reason_and_how_to_take_it_back() -> None:
    offer = offered("MDR", "d", "azmdr")
    scope = ManagementGroupScope("root", SUBSCRIPTIONS[0], "automation")
    text = made("fabrikam", offer, scope).files["README.md"]
    for role in offer.roles.roles:
        assert f"| {role.name} | `{role.id}` | {role.use} |" in text
    for needed in (
        *("az policy assignment delete --name azmdr-delegate ", "--name azmdr-groups "),
        *("az managedservices assignment delete", "not made by Microsoft's Bicep compiler"),
        *("Security Administrator", entra.URL, "Owner"),
    ):
        assert needed in " ".join(text.split())
    assert "{" not in text.replace("{{", "")
    alone = made("fabrikam", offer, SubscriptionScope(SUBSCRIPTIONS[1])).files
    assert "azmdr-delegate" not in alone["README.md"].partition("## Taking it back")[2]
    assert "entra-setting.json" not in alone
    assert "main.json" not in alone
