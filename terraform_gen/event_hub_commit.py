"""The step ``event_hub_terraform``: what may be committed of the mapping, committed."""

from dataclasses import dataclass
from typing import Final

from azmdr.clock import Clock
from azmdr.store.database import Store
from terraform_gen import repository
from terraform_gen.event_hub_mapping import MappingSettings, Proposal, note_committed, propose
from terraform_gen.hub_changes import HubChange, changes_of, commit_body, commit_title
from terraform_gen.repository import CommitResult, Outcome, Repository, StaleProposalError

_ATTEMPTS: Final = 3
ON_THE_BRANCH: Final = frozenset({Outcome.UNCHANGED, Outcome.COMMITTED, Outcome.WITHDRAWN})
"""What says that the branch has the file."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What was proposed, and what became of it."""

    proposal: Proposal
    changes: tuple[HubChange, ...]
    result: CommitResult


def commit_mapping(
    store: Store, settings: MappingSettings, kept_in: Repository, path: str, clock: Clock
) -> Committed:
    """Propose the file, have the guard look at it, and commit what is allowed.

    The guard compares with what the branch has; so nothing is committed onto another version, and where
    somebody else was faster, all of it is thought out again.

    Args:
        store: the state store.
        settings: of the deployment.
        kept_in: the infrastructure repository.
        path: of the file in it.
        clock: the time.

    Raises:
        MappingFileError: the file was changed by hand.
        StaleProposalError: others changed the file each time.
    """
    attempt = 1
    while True:
        before = kept_in.read(path)
        proposal = propose(store, settings, clock.now(), before)
        changes = tuple(changes_of(proposal.diff, settings.ingest.names))
        title, body = commit_title(changes), commit_body(changes)
        try:
            result = kept_in.commit(repository.Proposal({path: proposal.text}, title, body, {path: before}))
        except StaleProposalError:
            if attempt == _ATTEMPTS:
                raise
            attempt += 1
            continue
        if result.outcome in ON_THE_BRANCH:
            note_committed(store, proposal, clock.now())
        return Committed(proposal, changes, result)
