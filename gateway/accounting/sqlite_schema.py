"""The SQLite ledger's tables and the statements over them. Values are parameters; names come from here only."""

from typing import get_args

from gateway.accounting.ledger import Grouping

# Each entry brings the schema one version up, in one transaction. They only ever add: an older process may go on
# beside a newer one, and a crash in the middle leaves the version before.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE receipt (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            time REAL NOT NULL,
            key TEXT NOT NULL,
            router TEXT NOT NULL,
            model TEXT NOT NULL,
            provider TEXT NOT NULL,
            target TEXT NOT NULL,
            status INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            stream INTEGER NOT NULL,
            fallback INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            estimated INTEGER NOT NULL,
            cost_nano_usd INTEGER,
            carbon_g REAL,
            seconds REAL NOT NULL,
            first_token_seconds REAL,
            task TEXT NOT NULL,
            session TEXT NOT NULL
        )""",
        "CREATE INDEX receipt_by_time ON receipt (time)",
        "CREATE INDEX receipt_by_key ON receipt (key, time)",
        # Apart from the columns, so that sums over a month read no JSON.
        "CREATE TABLE detail (number INTEGER PRIMARY KEY, json BLOB NOT NULL)",
        "CREATE TABLE segment (name TEXT PRIMARY KEY, drained INTEGER NOT NULL)",
    ),
    ("ALTER TABLE receipt ADD COLUMN carbon_low_g REAL", "ALTER TABLE receipt ADD COLUMN carbon_high_g REAL"),
    (
        """CREATE TABLE feedback (
            decision TEXT NOT NULL,
            origin TEXT NOT NULL,
            time REAL NOT NULL,
            score REAL NOT NULL,
            task TEXT NOT NULL,
            PRIMARY KEY (decision, origin)
        ) WITHOUT ROWID""",
    ),
)

INSERT_RECEIPT = """
    INSERT OR IGNORE INTO receipt (
        id, time, key, router, model, provider, target, status, outcome, stream, fallback,
        input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, estimated,
        cost_nano_usd, carbon_g, seconds, first_token_seconds, task, session, carbon_low_g, carbon_high_g
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_DETAIL = "INSERT OR IGNORE INTO detail (number, json) SELECT number, ? FROM receipt WHERE id = ?"
SET_OFFSET = "INSERT INTO segment VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET drained = excluded.drained"

FIND = "SELECT json FROM detail JOIN receipt USING (number) WHERE id = ?"
RECENT = """
    SELECT json FROM detail JOIN receipt USING (number)
    WHERE (:key IS NULL OR key = :key) AND (:router IS NULL OR router = :router) AND time < :before
    ORDER BY time DESC LIMIT :limit
"""
PRUNE_DETAIL = """
    DELETE FROM detail WHERE number IN (SELECT number FROM receipt WHERE time < :before ORDER BY time LIMIT :limit)
"""
PRUNE_RECEIPT = """
    DELETE FROM receipt WHERE number IN (SELECT number FROM receipt WHERE time < :before ORDER BY time LIMIT :limit)
"""
PRUNE_FEEDBACK = "DELETE FROM feedback WHERE time < :before"

# Quantiles by nearest rank: the smallest value that at least q of the values do not exceed.
USAGE = """
    WITH asked AS (
        SELECT *, GROUP_EXPRESSION AS name, CASE WHEN outcome = 'ok' THEN seconds END AS answered
        FROM receipt
        WHERE time >= :since AND time < :until
            AND (:key IS NULL OR key = :key) AND (:router IS NULL OR router = :router)
    ),
    ranked AS (
        SELECT name AS ranked_name, answered AS value,
            row_number() OVER (PARTITION BY name ORDER BY answered) AS place,
            count(*) OVER (PARTITION BY name) AS many
        FROM asked WHERE answered IS NOT NULL
    ),
    quantiles AS (
        SELECT ranked_name,
            max(CASE WHEN place = (many * 50 + 99) / 100 THEN value END) AS p50,
            max(CASE WHEN place = (many * 95 + 99) / 100 THEN value END) AS p95
        FROM ranked GROUP BY ranked_name
    )
    SELECT name, count(*), sum(outcome IN ('failed', 'cut')), sum(outcome = 'refused'), sum(fallback),
        sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens),
        coalesce(sum(cost_nano_usd), 0), sum(cost_nano_usd IS NULL), sum(estimated),
        total(carbon_g), total(coalesce(carbon_low_g, carbon_g)), total(coalesce(carbon_high_g, carbon_g)),
        sum(carbon_g IS NULL),
        avg(answered), p50, p95
    FROM asked LEFT JOIN quantiles ON ranked_name = name
    GROUP BY name ORDER BY ORDER_EXPRESSION
"""
GROUPS = {
    "day": "strftime('%Y-%m-%d', time, 'unixepoch')",
    "hour": "strftime('%Y-%m-%dT%H:00Z', time, 'unixepoch')",
    "total": "''",
}


def usage_statement(by: str) -> str:
    order = "name" if by in ("day", "hour") else "coalesce(sum(cost_nano_usd), 0) DESC, count(*) DESC, name"
    return USAGE.replace("GROUP_EXPRESSION", GROUPS.get(by, by)).replace("ORDER_EXPRESSION", order)


USAGE_BY = {by: usage_statement(by) for by in get_args(Grouping)}
