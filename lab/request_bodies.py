"""What callers send along with a write: the ``requestbody`` of the operations that stories use."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lab.records import Record, guid, token

BodyBuilder: TypeAlias = Callable[[random.Random], Record]

OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
"""Role id of Owner: learn.microsoft.com/azure/role-based-access-control/built-in-roles."""
READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
"""Role id of Reader."""


@dataclass(frozen=True, slots=True)
class Write:
    """A kind of write with what it sends."""

    operation: str
    body: BodyBuilder


def virtual_machine(rng: random.Random) -> Record:
    """A Linux machine."""
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": f"ssh-ed25519 {token(rng, 68)}"}
    profile: Record = {
        "hardwareProfile": {"vmSize": rng.choice(("Standard_D2s_v5", "Standard_E8ds_v5"))},
        "storageProfile": {
            "imageReference": image,
            "osDisk": {"createOption": "FromImage", "diskSizeGB": 64},
        },
        "osProfile": {"adminUsername": "azureuser", "linuxConfiguration": {"ssh": {"publicKeys": [key]}}},
    }
    return _resource(rng, profile)


def storage_account(rng: random.Random) -> Record:
    """A storage account that is closed to the public."""
    rules = [
        {"value": f"198.51.100.{rng.randint(0, 255)}", "action": "Allow"} for _ in range(rng.randint(0, 5))
    ]
    acls = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": rules}
    return _resource(
        rng, {"minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False, "networkAcls": acls}
    )


def network_security_group(rng: random.Random) -> Record:
    """A few rules between private networks."""
    rules = [
        {"name": f"allow-{number}", "properties": security_rule(f"10.{rng.randint(0, 255)}.0.0/16", "443")}
        for number in range(rng.randint(1, 5))
    ]
    return _resource(rng, {"securityRules": rules})


def virtual_network(rng: random.Random) -> Record:
    """An address space with a subnet."""
    space = f"10.{rng.randint(0, 255)}.0.0/16"
    return _resource(rng, {"addressSpace": {"addressPrefixes": [space]}, "subnets": [{"name": "default"}]})


def key_vault(rng: random.Random) -> Record:
    """A vault under role-based access control."""
    return _resource(rng, {"sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True})


def deployment(rng: random.Random) -> Record:
    """A template by its link."""
    link = f"https://templates.example/main.json?{token(rng, 12)}"
    return {"properties": {"mode": "Incremental", "templateLink": {"uri": link}, "parameters": {}}}


def role_assignment(role: str, rng: random.Random) -> Record:
    """A role for a principal."""
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": definition, "principalId": guid(rng), "principalType": "User"}}


def security_rule(source: str, port: str) -> Record:
    """An inbound rule that allows one source."""
    return {
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 100,
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": port,
    }


WRITES: Final = (
    Write("Microsoft.Compute/virtualMachines/write", virtual_machine),
    Write("Microsoft.Storage/storageAccounts/write", storage_account),
    Write("Microsoft.Network/networkSecurityGroups/write", network_security_group),
    Write("Microsoft.Network/virtualNetworks/write", virtual_network),
    Write("Microsoft.KeyVault/vaults/write", key_vault),
)


def _resource(rng: random.Random, properties: Record) -> Record:
    tags = {
        "env": rng.choice(("prod", "dev")),
        'cost "centre"': str(rng.randint(1000, 9999)),
        "note": "réseau\tA/B",
    }
    return {"location": "westeurope", "tags": tags, "properties": properties}
