"""Frames over the golden tables, of a room that is never asked, with the SQL that each one is."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NoReturn

import rooms

from cleanroom.frames import Frame, col, count, rank, row_number, when
from cleanroom.frames.table import block_of


class Unasked:
    """A room that nobody asks anything."""

    def sql(self, *_: Any, **__: Any) -> NoReturn:
        raise AssertionError

    explain = sql


_ROOM = Unasked()


def table(name: str, room: Any = _ROOM) -> Frame:
    return Frame(room, block_of(name, rooms.terms()))


def cases(room: Any = _ROOM) -> Iterator[tuple[Frame, str]]:
    """Yield frames, each with the query that somebody would write for it."""
    people, claims, moves = (
        table(name, room) for name in ("alpha.people", "beta.claims", "transactions")
    )
    both = people.join(claims, left_on="id", right_on="pid")
    yield people.agg(count()), "SELECT COUNT(*) AS count FROM alpha.people"
    yield (
        people.filter((col("score") > 3) & col("state").is_in(["nsw", "vic"]) | col("active"))
        .group_by("state")
        .agg(col("income").sum().alias("total"), n=count(), mean=col("score").mean())
        .sort("n", "state", descending=[True, False]),
        "SELECT state, SUM(income) AS total, COUNT(*) AS n, AVG(score) AS mean FROM alpha.people "
        "WHERE (score > 3 AND state IN ('nsw', 'vic')) OR active "
        "GROUP BY state ORDER BY n DESC, state",
    )
    yield (
        both.filter(col("amount").is_not_null(), col("kind") != "car")
        .group_by("kind")
        .agg(persons=col("id").n_unique(), total=col("amount").sum(where=col("level") >= 5))
        .filter(col("persons") > 2)
        .sort("kind"),
        "SELECT claims.kind, COUNT(DISTINCT people.id) AS persons, "
        "SUM(claims.amount) FILTER (WHERE claims.level >= 5) AS total FROM alpha.people "
        "JOIN beta.claims ON people.id = claims.pid "
        "WHERE NOT claims.amount IS NULL AND claims.kind <> 'car' GROUP BY claims.kind "
        "HAVING COUNT(DISTINCT people.id) > 2 ORDER BY kind",
    )
    yield (
        people.join(claims.filter(col("kind") == "car"), left_on="id", right_on="pid", how="left")
        .group_by("state")
        .agg(n=count(), cars=col("kind").count()),
        "SELECT people.state, COUNT(*) AS n, COUNT(claims.kind) AS cars FROM alpha.people "
        "LEFT JOIN beta.claims ON people.id = claims.pid AND claims.kind = 'car' "
        "GROUP BY people.state",
    )
    yield (
        people.join(
            claims.with_columns(level=col("level").fill_null(5)),
            left_on="id",
            right_on="pid",
            how="left",
        ).agg(total=col("level").sum()),
        "SELECT SUM(claims.level) AS total FROM alpha.people LEFT JOIN "
        "(SELECT pid, COALESCE(level, 5) AS level FROM beta.claims) AS claims "
        "ON people.id = claims.pid",
    )
    for how in ("semi", "anti"):
        yield (
            people.join(claims.filter(col("level") > 2), left_on="id", right_on="pid", how=how).agg(
                n=count(), s=col("score").sum()
            ),
            f"SELECT COUNT(*) AS n, SUM(people.score) AS s FROM alpha.people {how.upper()} JOIN "
            "beta.claims ON people.id = claims.pid AND claims.level > 2",
        )
    yield (
        people.filter(col("score") > 0)
        .join(claims, left_on="id", right_on="pid", how="right")
        .group_by("id")
        .agg(n=count(), s=col("score").sum()),
        "SELECT claims.pid AS id, COUNT(*) AS n, SUM(people.score) AS s "
        "FROM (SELECT id, score FROM alpha.people WHERE score > 0) AS people "
        "RIGHT JOIN beta.claims ON people.id = claims.pid GROUP BY claims.pid",
    )
    yield (
        people.filter(col("score") > 0)
        .join(claims, left_on="id", right_on="pid", how="full")
        .agg(n=count(), score=col("score").sum(), level=col("level").sum()),
        "SELECT COUNT(*) AS n, SUM(people.score) AS score, SUM(claims.level) AS level "
        "FROM (SELECT id, score FROM alpha.people WHERE score > 0) AS people "
        "FULL JOIN beta.claims ON people.id = claims.pid",
    )
    yield (
        moves.join(moves, left_on="other", right_on="cust").agg(
            n=count(), s=col("amt_right").sum()
        ),
        "SELECT COUNT(*) AS n, SUM(transactions_2.amt) AS s FROM transactions "
        "JOIN transactions AS transactions_2 ON transactions.other = transactions_2.cust",
    )
    yield (
        moves.group_by("cust")
        .agg(total=col("amt").sum())
        .filter(col("total") > 100)
        .join(people, left_on="cust", right_on="id")
        .group_by("state")
        .agg(n=count(), s=col("total").sum()),
        "SELECT people.state, COUNT(*) AS n, SUM(transactions.total) AS s "
        "FROM (SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust "
        "HAVING SUM(amt) > 100) AS transactions JOIN alpha.people ON transactions.cust = people.id "
        "GROUP BY people.state",
    )
    yield (
        moves.group_by("channel")
        .agg(mean=(col("amt").sum() / count()).round(2))
        .sort("mean", descending=True)
        .limit(2),
        "SELECT channel, ROUND(SUM(amt) / COUNT(*), 2) AS mean FROM transactions "
        "GROUP BY channel ORDER BY mean DESC LIMIT 2",
    )
    yield (
        moves.filter(col("booked") + dt.timedelta(hours=36) > dt.datetime(2020, 6, 1))
        .filter(col("booked").dt.month().is_between(2, 9))
        .group_by(quarter=col("booked").dt.truncate("quarter"))
        .agg(n=count())
        .sort("quarter"),
        "SELECT DATE_TRUNC('QUARTER', booked) AS quarter, COUNT(*) AS n FROM transactions "
        "WHERE booked + INTERVAL '36' HOUR > CAST('2020-06-01 00:00:00' AS TIMESTAMP) "
        "AND EXTRACT(MONTH FROM booked) BETWEEN 2 AND 9 "
        "GROUP BY DATE_TRUNC('QUARTER', booked) ORDER BY quarter",
    )
    band = when(col("score") > 10).then("high").when(col("score") < -10).then("low").otherwise("?")
    yield (
        people.filter(col("born") >= dt.date(1960, 1, 1))
        .group_by(band.alias("band"))
        .agg(n=count()),
        "SELECT CASE WHEN score > 10 THEN 'high' WHEN score < -10 THEN 'low' ELSE '?' END AS band, "
        "COUNT(*) AS n FROM alpha.people WHERE born >= CAST('1960-01-01' AS DATE) GROUP BY CASE "
        "WHEN score > 10 THEN 'high' WHEN score < -10 THEN 'low' ELSE '?' END",
    )
    yield (
        people.with_columns(state=col("state").str.upper(), twice=2 * (col("score") - 1))
        .group_by("state")
        .agg(t=col("twice").sum(), d=-col("score").max())
        .sort("state"),
        "SELECT UPPER(state) AS state, SUM(2 * (score - 1)) AS t, -MAX(score) AS d "
        "FROM alpha.people GROUP BY UPPER(state) ORDER BY state",
    )
    yield (
        people.rename({"state": "region"}).select("region", "active").unique(),
        "SELECT state AS region, active FROM alpha.people GROUP BY state, active",
    )
    yield (
        people.select("id", "score").sort("score", nulls_first=True).limit(7).limit(9),
        "SELECT id, score FROM alpha.people ORDER BY score NULLS FIRST LIMIT 7",
    )
    yield (
        people.select(col("score").quantile(0.5).alias("q"), col("income").median().alias("m")),
        "SELECT QUANTILE_DISC(score, 0.5) AS q, MEDIAN(income) AS m FROM alpha.people",
    )
    yield (
        table("alpha.visits", room)
        .with_columns(
            nth=row_number().over("id", order_by=["day", "cost"]),
            gap=col("day") - col("day").shift().over("id", order_by=["day", "cost"]),
        )
        .filter(col("nth") > 1, col("gap") <= 30)
        .agg(n=count(), cost=col("cost").sum()),
        "SELECT COUNT(*) AS n, SUM(cost) AS cost FROM (SELECT cost, "
        "ROW_NUMBER() OVER (PARTITION BY id ORDER BY day, cost) AS nth, "
        "day - LAG(day, 1) OVER (PARTITION BY id ORDER BY day, cost) AS gap "
        "FROM alpha.visits) AS visits WHERE nth > 1 AND gap <= 30",
    )
    yield (
        moves.group_by("cust", "channel")
        .agg(total=col("amt").sum())
        .select("cust", "total", r=rank().over("cust", order_by="total", descending=True))
        .filter(col("r") <= 2)
        .group_by("r")
        .agg(persons=count(), total=col("total").sum()),
        "SELECT r, COUNT(*) AS persons, SUM(total) AS total FROM (SELECT total, "
        "RANK() OVER (PARTITION BY cust ORDER BY total DESC) AS r FROM "
        "(SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust, channel) AS "
        "transactions) AS transactions WHERE r <= 2 GROUP BY r",
    )
