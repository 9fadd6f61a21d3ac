"""Opening the control plane as the settings describe it."""

from azmdr.azure.arm import Arm, credential_of
from azmdr.azure.dispatch import Gateway
from azmdr.azure.pacing import Pacer
from azmdr.clock import SystemClock
from azmdr.config import Settings
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.steps.bounds import ProviderPlace
from azmdr.steps.control_plane import ControlPlane
from azmdr.store.database import Store


def open_control_plane(
    settings: Settings, store: Store, owner: str, *, plan_only: bool = False
) -> ControlPlane:
    """What the steps need.

    Args:
        settings: of the deployment.
        store: the state store; a scratch copy for a plan.
        owner: holds the leases: the id of a run.
        plan_only: whether nothing is written to anybody's Azure.

    Raises:
        ConfigurationError: an address is not set.
        CategoryPolicyError: the policy's file can't be used.
    """
    clock, pacer = SystemClock(), Pacer()
    address = settings.address
    credential = credential_of(settings.principal, address)
    return ControlPlane(
        store=store,
        arm=Arm(credential, address, pacer, clock, connections=settings.arm_workers),
        gateway=Gateway(pacer, clock, workers=settings.arm_workers),
        policy=CategoryPolicy.load(settings.category_policy),
        place=ProviderPlace(
            settings.required("ingest_subscription_id"), settings.ingest_resource_group, settings.send_rule
        ),
        own_name=settings.setting_name,
        owner=owner,
        clock=clock,
        bounds=settings.step_bounds,
        plan_only=plan_only,
    )
