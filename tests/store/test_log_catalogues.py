"""What the store promises about log categories: what was observed at a customer, while it is fresh."""

from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.store.database import Store
from azmdr.store.log_catalogues import Variety, catalogues_of, note_catalogue
from tests.store.azure_inventory import at, vault_id

VAULTS: Variety = ("microsoft.keyvault/vaults", None)
SITES: Variety = ("microsoft.web/sites", "functionapp,linux")
CATALOGUE = LogCatalogue({"AuditEvent": frozenset({"audit", "allLogs"}), "Other": frozenset()})


def note(
    store: Store, variety: Variety, catalogue: LogCatalogue, hours: float = 0, customer: str = "contoso"
) -> None:
    with store.write() as connection:
        note_catalogue(connection, customer, variety, catalogue, at(hours), vault_id("kv-1"))


def catalogues(store: Store, since: float = 0, customer: str = "contoso") -> dict[Variety, LogCatalogue]:
    with store.read() as connection:
        return catalogues_of(connection, customer, at(since))


def test_a_catalogue_comes_back_as_it_went_for_its_type_and_kind(store: Store) -> None:
    note(store, VAULTS, CATALOGUE)
    note(store, SITES, LogCatalogue({"AppServiceHTTPLogs": frozenset()}))
    assert catalogues(store) == {VAULTS: CATALOGUE, SITES: LogCatalogue({"AppServiceHTTPLogs": frozenset()})}


def test_a_type_without_logs_is_known_too(store: Store) -> None:
    note(store, VAULTS, LogCatalogue({}))
    assert catalogues(store) == {VAULTS: LogCatalogue({})}


def test_what_was_observed_too_long_ago_is_not_known_any_more(store: Store) -> None:
    note(store, VAULTS, CATALOGUE)
    assert catalogues(store, since=0) != {}
    assert catalogues(store, since=0.001) == {}


def test_what_is_observed_again_replaces_what_was(store: Store) -> None:
    note(store, VAULTS, CATALOGUE)
    note(store, VAULTS, LogCatalogue({"AuditEvent": frozenset()}), hours=1)
    assert catalogues(store, since=1) == {VAULTS: LogCatalogue({"AuditEvent": frozenset()})}


def test_what_one_customer_is_offered_says_nothing_of_another(store: Store) -> None:
    note(store, VAULTS, CATALOGUE, customer="fabrikam")
    assert catalogues(store) == {}
