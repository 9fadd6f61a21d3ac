"""What the layout promises: a path for every bucket and back, and no customer's path in another's folder."""

from datetime import UTC, date, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.lake.layout import Bucket, CustomerNameError, Table, customer_name, table_prefix

HOUR = datetime(2026, 11, 24, 9, tzinfo=UTC)

customer_names = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?", fullmatch=True).filter(
    lambda name: ".." not in name
)
hours = st.datetimes(datetime(1970, 1, 1), datetime(2262, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)
buckets = st.builds(Bucket, customer_names, st.sampled_from(Table), hours)
hostile_texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="./\\%=ab\x00~ \n", max_size=8),
    st.sampled_from(
        ["..", "../fabrikam", "a/../b", "a/table=operations", "A..B", "a%2f..", "a\n", "a/", "/a", ".a"]
    ),
)


def test_a_file_stands_under_customer_table_date_and_hour() -> None:
    bucket = Bucket("contoso", Table.OPERATIONS, HOUR)
    assert bucket.file("0f3a") == "customer=contoso/table=operations/date=2026-11-24/hour=09/0f3a.parquet"
    assert table_prefix("contoso", Table.OPERATIONS) == "customer=contoso/table=operations/"
    assert table_prefix("contoso", Table.OPERATIONS, date(2026, 11, 24)).endswith("/date=2026-11-24/")


@given(bucket=buckets, name=st.from_regex(r"[0-9a-f]{1,32}", fullmatch=True))
def test_the_bucket_of_a_file_is_the_bucket_it_was_made_for(bucket: Bucket, name: str) -> None:
    assert Bucket.of(bucket.file(name)) == bucket


@given(text=hostile_texts)
def test_no_name_makes_a_path_outside_the_folder_of_one_customer(text: str) -> None:
    try:
        path = PurePosixPath(Bucket(text, Table.OPERATIONS, HOUR).file("f"))
    except CustomerNameError:
        return
    customer, *below = path.parts
    assert customer == f"customer={customer_name(text)}"
    assert below == ["table=operations", "date=2026-11-24", "hour=09", "f.parquet"]
    assert ".." not in str(path)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a..b", "-a", "a-", "a/b", "a b", "a\n", "a\x00", "ü", "a\\b", "a%2fb", "a" * 257]
)
def test_a_text_that_can_be_no_customer_is_refused_by_name(text: str) -> None:
    with pytest.raises(CustomerNameError) as refused:
        customer_name(text)
    assert repr(text[:80]) in str(refused.value)


@pytest.mark.parametrize("text", ["a", "9", "contoso", "contoso-eu.prod_1", "a" * 256])
def test_a_hub_is_named_after_its_customer(text: str) -> None:
    assert customer_name(text) == text


def test_a_hub_is_the_same_customer_whatever_its_case() -> None:
    assert customer_name("ConToso") == "contoso"
    assert table_prefix("ConToso", Table.OPERATIONS) == table_prefix("contoso", Table.OPERATIONS)


@pytest.mark.parametrize(
    "path",
    [
        "customer=contoso/table=secrets/date=2026-11-24/hour=09/f.parquet",
        "customer=contoso/table=operations/date=2026-13-41/hour=09/f.parquet",
        "customer=contoso/table=operations/date=2026-11-24/hour=24/f.parquet",
        "customer=contoso/table=operations/date=2026-11-24/hour=09/deeper/f.parquet",
        "customer=contoso/table=operations/date=2026-11-24/f.parquet",
        "customer=../table=operations/date=2026-11-24/hour=09/f.parquet",
        "customer=Contoso/table=operations/date=2026-11-24/hour=09/f.parquet",
        "/customer=contoso/table=operations/date=2026-11-24/hour=09/f.parquet",
        "notes.txt",
        "",
    ],
)
def test_a_file_that_is_not_the_lakes_is_in_no_bucket(path: str) -> None:
    assert Bucket.of(path) is None
