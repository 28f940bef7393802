"""Who is called and written to: SQL over Twilio, without a warehouse. docs/notebook.md explains."""

import duckdb

from tap_twilio import arrow

calls = arrow.read("calls", start_date="P30D")
messages = arrow.read("messages", start_date="P30D")

duckdb.sql("""
    WITH called AS (
        SELECT "from" AS number, count(*) AS calls, sum(duration) AS seconds,
            -sum(price) AS cost_of_calls
        FROM calls GROUP BY number
    ), written AS (
        SELECT "from" AS number, count(*) AS messages, max(date_sent) AS last_sent,
            -sum(price) AS cost_of_messages
        FROM messages GROUP BY number
    )
    SELECT number, calls, seconds, messages, last_sent,
        round(coalesce(cost_of_calls, 0) + coalesce(cost_of_messages, 0), 2) AS cost
    FROM called FULL JOIN written USING (number)
    ORDER BY cost DESC, number LIMIT 20
""").show()
