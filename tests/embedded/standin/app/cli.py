import os
import sys

import psycopg2

with psycopg2.connect(os.environ["DATABASE_OWNER_URL"]) as connection, connection.cursor() as cursor:
    if sys.argv[1] == "migrate":
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("CREATE TABLE IF NOT EXISTS runs (id bigint GENERATED ALWAYS AS IDENTITY, verb text)")
    cursor.execute("INSERT INTO runs (verb) VALUES (%s)", [sys.argv[1]])
