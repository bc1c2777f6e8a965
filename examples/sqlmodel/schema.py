"""Prints what the models are as SQL, without a database: python3 schema.py > schema.sql"""

import sys

from sqlalchemy import create_mock_engine
from sqlmodel import SQLModel

import shop  # noqa: F401  registers the tables


def dump(statement, *_, **__):
    print(str(statement.compile(dialect=engine.dialect)).strip() + ";")


# Other styles of parameters would double every % in defaults, checks and comments.
engine = create_mock_engine("postgresql://", dump, paramstyle="named")
if not SQLModel.metadata.tables:
    sys.exit("schema.py: the models have no tables; is the module that declares them imported?")
SQLModel.metadata.create_all(engine, checkfirst=False)
