"""Statements that are compiled once: what goes in and comes out is as SQLAlchemy has it."""

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, IntegrityError, MultipleResultsFound, NoResultFound

from controller.prepared import Prepared

metadata = MetaData()
boxes = Table(
    "boxes",
    metadata,
    Column("no", Integer, primary_key=True),
    Column("size", String(1), nullable=False),
    Column("full", Boolean, nullable=False),
    Column("of", String(8), unique=True),
)
ADD = Prepared(insert(boxes), "no", "size", "full")
IN_SIZES = Prepared(
    select(boxes).where(boxes.c.size.in_(("S", "M")), boxes.c.no > bindparam("after"))
)


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        metadata.create_all(opened)
        for no, size in enumerate("SML", 1):
            ADD.run(opened, no=no, size=size, full=no == 1)
        yield opened
    engine.dispose()


def test_rows_have_names_and_truths_are_truths(connection):
    found = IN_SIZES.rows(connection, after=0)
    assert [(row.no, row.size, row.full, row.of) for row in found] == [
        (1, "S", True, None),
        (2, "M", False, None),
    ]
    assert found[0].full is True
    assert found == connection.execute(IN_SIZES.statement, {"after": 0}).all()


def test_one_is_exactly_one(connection):
    assert IN_SIZES.one(connection, after=1).no == 2
    assert IN_SIZES.first(connection, after=2) is None
    with pytest.raises(NoResultFound):
        IN_SIZES.one(connection, after=2)
    with pytest.raises(MultipleResultsFound):
        IN_SIZES.one(connection, after=0)


def test_values_of_the_statement_and_of_the_call_come_in_their_order(connection):
    fill = Prepared(
        update(boxes)
        .where(boxes.c.no == bindparam("at"), boxes.c.size.not_in(("L",)))
        .values(full=True),
        "of",
    )
    assert fill.run(connection, at=2, of="N2") == 1
    assert fill.run(connection, at=3, of="N3") == 0
    assert Prepared(select(boxes.c.of).where(boxes.c.full)).scalars(connection) == [None, "N2"]


@pytest.mark.parametrize("values", [{}, {"of": 1}, {"after": 1, "of": 2}])
def test_a_value_too_many_or_too_few_is_refused(connection, values):
    with pytest.raises((ArgumentError, KeyError)):
        IN_SIZES.rows(connection, **values)


def test_an_error_is_sqlalchemy_s_and_names_no_values(connection):
    with pytest.raises(IntegrityError) as raised:
        ADD.run(connection, no=1, size="secret", full=True)
    assert "secret" not in str(raised.value)
