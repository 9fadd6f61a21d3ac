"""Diagnostic settings, catalogues and verdicts for the tests of what decides on them."""

from typing import Any, Final

from hypothesis import strategies as st

from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Verdict

OURS: Final = "azmdr"
NAMESPACES: Final = "/subscriptions/6e0b1c2d-0000-4000-8000-00000000000a/resourceGroups/logs/providers" + (
    "/Microsoft.EventHub/namespaces"
)
RULE: Final = f"{NAMESPACES}/one/authorizationRules/diagnostics"
OTHER_RULE: Final = f"{NAMESPACES}/two/authorizationRules/diagnostics"
CATALOGUE: Final = LogCatalogue(
    {
        "Audit": frozenset({"audit", "allLogs"}),
        "Login": frozenset({"audit", "allLogs"}),
        "Trace": frozenset({"allLogs"}),
    }
)


def setting(name: str = OURS, **fields: Any) -> DiagnosticSetting:
    """A setting that sends the audit group to the hub ``contoso``, unless told otherwise."""
    given = {"rule_id": RULE, "hub": "contoso", "groups": frozenset({"audit"})} | fields
    return DiagnosticSetting(name, **given)


def of_categories(*categories: str, name: str = OURS, **fields: Any) -> DiagnosticSetting:
    return setting(name, groups=frozenset(), categories=frozenset(categories), **fields)


def _spellings(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from([spelled for text in texts for spelled in (text, text.upper(), text.lower())])


_switches = st.one_of(
    st.tuples(st.frozensets(_spellings("Audit", "Login", "Trace"), max_size=3), st.just(frozenset[str]())),
    st.tuples(st.just(frozenset[str]()), st.frozensets(_spellings("audit", "allLogs"), max_size=1)),
)


def settings_named(names: st.SearchStrategy[str]) -> st.SearchStrategy[DiagnosticSetting]:
    """Settings as they may be found."""
    return st.builds(
        lambda name, rule, hub, switches, extras: DiagnosticSetting(
            name, rule, hub, switches[0], switches[1], extras
        ),
        names,
        st.none() | _spellings(RULE, OTHER_RULE),
        st.none() | _spellings("contoso", "fabrikam"),
        _switches,
        st.frozensets(st.sampled_from(["metric AllMetrics is on", "also sends to /sinks/theirs"])),
    )


wanted_settings: Final = st.builds(
    lambda rule, switches: DiagnosticSetting(OURS, rule, "contoso", *switches),
    st.sampled_from([RULE, OTHER_RULE]),
    _switches.filter(any),
)
found_settings: Final = st.lists(
    settings_named(_spellings(OURS, "one", "two", "three", "four", "five", "six")),
    max_size=6,
    unique_by=lambda each: each.name.lower(),
)
verdicts: Final = st.sampled_from(Reason).map(lambda reason: Verdict(reason, "as it is"))
