"""Links: what operations have to do with one another, found when they are read.

A correlation id joins operations that one request set off: the resources of a deployment, the children of a
deleted group, the evaluations of policies. They are not one operation, but who looks at one of them wants to
know of the others. Siblings come in other files and later, so what a row knew of them when it was written
would be out of date; here it is worked out of the key columns of a day and the days around it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl

from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest, read_operation_columns
from azmdr.lake.storage import LakeStorage

DAYS_AROUND: Final = 1
"""Days before and after in which siblings are looked for. A correlation id was seen in use for 23 hours."""

LINKED_BY: Final = (
    "operation_id",
    "time",
    "outcome",
    "shape",
    "operation_name",
    "resource_id",
    "correlation_id",
    "result_signature",
)
"""The columns of operations that links are made of."""

_POLICY: Final = r"/policies/([a-z]+)/action$"
_CORRELATION: Final = ("shape", "correlation")
_REQUEST: Final = (*_CORRELATION, "resource")


def read_linked(lake: LakeStorage, customer: str, day: date) -> pl.DataFrame:
    """The operations of a day that count, with the columns of :func:`links` behind their own.

    Holds the key columns of three days in memory, and the records themselves of one.
    """
    around = [day + timedelta(days=days) for days in range(-DAYS_AROUND, DAYS_AROUND + 1)]
    known = read_operation_columns(lake, customer, around, LINKED_BY)
    of_the_day = read_latest(lake, customer, Table.OPERATIONS, [day])
    return of_the_day.join(links(known), on="operation_id", how="left", maintain_order="left")


def links(operations: pl.DataFrame) -> pl.DataFrame:
    """How operations are linked with one another, a row each, by ``operation_id``.

    ``operations`` has the columns of :data:`LINKED_BY`, each operation once. The columns are:

    - ``siblings``: how many other operations share its correlation id.
    - ``root_operation_id``: the one of them that began first, policy evaluations aside; of several that began
      at once a deployment, then the one with the shortest resource id. Nothing is logged before the Start of
      what set it off. It may be the operation itself.
    - ``policy_effects``: what policies did about its request, by the names Azure has for effects, in lower
      case: those of the evaluations that share its correlation id and its resource. None of an evaluation.
    - ``denied_by``: where it was forbidden, the operations that are the denials of it by a policy.
    """
    keyed = operations.select(
        *LINKED_BY,
        correlation=pl.col("correlation_id").str.to_lowercase().replace("", None),
        resource=pl.col("resource_id").str.to_lowercase(),
        effect=pl.col("operation_name").str.to_lowercase().str.extract(_POLICY),
    )
    related = pl.col("correlation").is_not_null()
    told = keyed.with_columns(
        siblings=pl.when(related).then(pl.len().over(_CORRELATION) - 1).otherwise(0),
        root_operation_id=pl.when(related).then(_root()).otherwise("operation_id"),
    ).join(_evaluations(keyed.filter(related)), on=_REQUEST, how="left", maintain_order="left")
    request = pl.col("effect").is_null()
    forbidden = (pl.col("outcome") == "failure") & pl.col("result_signature").str.contains("(?i)forbidden")
    return told.select(
        "operation_id",
        pl.col("siblings").cast(pl.Int64),
        "root_operation_id",
        policy_effects=_where(request, "effects"),
        denied_by=_where(request & forbidden, "denials"),
    )


def _root() -> pl.Expr:
    """The operation that the others of its correlation id follow from."""
    order: Sequence[pl.Expr] = (
        pl.col("effect").is_not_null(),
        pl.col("time"),
        ~pl.col("operation_name").str.to_lowercase().str.ends_with("/deployments/write"),
        pl.col("resource").str.len_bytes(),
        pl.col("operation_id"),
    )
    return pl.col("operation_id").sort_by(order, nulls_last=True).first().over(_CORRELATION)


def _evaluations(related: pl.DataFrame) -> pl.DataFrame:
    """What policies did about each request."""
    denial = (pl.col("effect") == "deny") & (pl.col("outcome") == "failure")
    return (
        related.filter(pl.col("effect").is_not_null())
        .group_by(_REQUEST)
        .agg(
            effects=pl.col("effect").unique().sort(),
            denials=pl.col("operation_id").filter(denial).sort(),
        )
    )


def _where(condition: pl.Expr, column: str) -> pl.Expr:
    return pl.when(condition).then(pl.col(column)).fill_null([])
