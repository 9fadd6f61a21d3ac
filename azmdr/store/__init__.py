"""The state store: which capture files are known, which events were read, which operations are open.

SQLite by default, PostgreSQL in production, the same code. Functions that belong together take an open
connection, so that a caller decides what commits as one.
"""
