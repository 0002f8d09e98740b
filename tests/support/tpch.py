"""TPC-H over three owners: contract, rows and the standard's queries.

Rule: the rows come from `tpchgen-cli` and the texts from the standard, with its validation
parameters; what belongs to this project is only which owner holds what.

    retailer  customer, orders
    maker     part, supplier, partsupp, nation, region
    lineitem  federated: an order's lines are spread over `carrier` and `maker`
"""

import datetime as dt
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from heads import head

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms

OWNERS = ("retailer", "carrier", "maker")
HOLDS = {
    "retailer": ("customer", "orders"),
    "maker": ("part", "supplier", "partsupp", "nation", "region"),
}
CARRIERS = ("carrier", "maker")
RIGHTS = {"analyst": [right.value for right in Right]}
NATIONS = [
    *("ALGERIA", "ARGENTINA", "BRAZIL", "CANADA", "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY"),
    *("INDIA", "INDONESIA", "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA", "MOROCCO", "MOZAMBIQUE"),
    *("PERU", "CHINA", "ROMANIA", "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM"),
    "UNITED STATES",
]
REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
MODES = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]
INSTRUCTIONS = ["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"]
TYPES = [
    f"{size} {finish} {metal}"
    for size in ("STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO")
    for finish in ("ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED")
    for metal in ("TIN", "NICKEL", "BRASS", "STEEL", "COPPER")
]
CONTAINERS = [
    f"{size} {form}"
    for size in ("SM", "LG", "MED", "JUMBO", "WRAP")
    for form in ("CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM")
]


def room(scale: float, min_group: int = 1) -> dict[str, Any]:
    """Return the contract for a scale factor, as a dict of the shape of the TOML file."""
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7401 + i}"}
        for i, name in enumerate(OWNERS)
    }
    return {
        **head("tpch", 7400),
        "members": {**computing, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": min_group},
        "tables": _tables(scale),
    }


def terms(scale: float, min_group: int = 1) -> Terms:
    return Terms.of(room(scale, min_group))


def _whole(low: int, high: float) -> dict[str, Any]:
    return {"type": "INTEGER", "bounds": [low, int(high)], "rights": RIGHTS}


def _money(low: int, high: int) -> dict[str, Any]:
    return {"type": "DECIMAL(15,2)", "bounds": [low, high], "rights": RIGHTS}


def _one_of(values: list[str]) -> dict[str, Any]:
    return {"type": "TEXT", "values": values, "rights": RIGHTS}


def _text(max_bytes: int) -> dict[str, Any]:
    return {"type": "TEXT", "max_bytes": max_bytes, "rights": RIGHTS}


def _day() -> dict[str, Any]:
    bounds = [dt.date(1992, 1, 1), dt.date(1998, 12, 31)]
    return {"type": "DATE", "bounds": bounds, "rights": RIGHTS}


def _tables(scale: float) -> dict[str, Any]:
    customers, orders = 150_000 * scale, 1_500_000 * scale
    parts, suppliers = 200_000 * scale, 10_000 * scale
    customer, order = _whole(1, customers), _whole(1, 4 * orders)
    part, supplier = _whole(1, parts), _whole(1, suppliers)
    nation, region = _whole(0, 24), _whole(0, 4)
    return {
        "retailer.customer": {
            "person": "c_custkey",
            "max_rows_per_person": 1,
            "max_rows": int(customers),
            "columns": {
                "c_custkey": customer,
                "c_name": _text(25),
                "c_address": _text(40),
                "c_nationkey": nation,
                "c_phone": _text(15),
                "c_acctbal": _money(-1000, 10_000),
                "c_mktsegment": _one_of(SEGMENTS),
                "c_comment": _text(117),
            },
        },
        "retailer.orders": {
            "person": "o_orderkey",
            "max_rows_per_person": 1,
            "max_rows": int(orders),
            "columns": {
                "o_orderkey": order,
                "o_custkey": customer,
                "o_orderstatus": _one_of(["F", "O", "P"]),
                "o_totalprice": _money(0, 600_000),
                "o_orderdate": _day(),
                "o_orderpriority": _one_of(PRIORITIES),
                "o_clerk": _text(15),
                "o_shippriority": _whole(0, 0),
                "o_comment": _text(79),
            },
        },
        "lineitem": {
            "members": list(CARRIERS),
            "person": "l_orderkey",
            "max_rows_per_person": 7,
            "max_rows": int(orders * 2.2),
            "columns": {
                "l_orderkey": order,
                "l_partkey": part,
                "l_suppkey": supplier,
                "l_linenumber": _whole(1, 7),
                "l_quantity": _money(0, 50),
                "l_extendedprice": _money(0, 105_000),
                "l_discount": {**_money(0, 1), "bounds": ["0.00", "0.10"]},
                "l_tax": {**_money(0, 1), "bounds": ["0.00", "0.08"]},
                "l_returnflag": _one_of(["A", "N", "R"]),
                "l_linestatus": _one_of(["F", "O"]),
                "l_shipdate": _day(),
                "l_commitdate": _day(),
                "l_receiptdate": _day(),
                "l_shipinstruct": _one_of(INSTRUCTIONS),
                "l_shipmode": _one_of(MODES),
                "l_comment": _text(44),
            },
        },
        "maker.part": {
            "person": "p_partkey",
            "max_rows_per_person": 1,
            "max_rows": int(parts),
            "columns": {
                "p_partkey": part,
                "p_name": _text(55),
                "p_mfgr": _one_of([f"Manufacturer#{i}" for i in range(1, 6)]),
                "p_brand": _one_of([f"Brand#{i}{j}" for i in range(1, 6) for j in range(1, 6)]),
                "p_type": _one_of(TYPES),
                "p_size": _whole(1, 50),
                "p_container": _one_of(CONTAINERS),
                "p_retailprice": _money(0, 2200),
                "p_comment": _text(23),
            },
        },
        "maker.supplier": {
            "person": "s_suppkey",
            "max_rows_per_person": 1,
            "max_rows": int(suppliers),
            "columns": {
                "s_suppkey": supplier,
                "s_name": _text(25),
                "s_address": _text(40),
                "s_nationkey": nation,
                "s_phone": _text(15),
                "s_acctbal": _money(-1000, 10_000),
                "s_comment": _text(101),
            },
        },
        "maker.partsupp": {
            "person": "ps_partkey",
            "max_rows_per_person": 4,
            "max_rows": int(4 * parts),
            "columns": {
                "ps_partkey": part,
                "ps_suppkey": supplier,
                "ps_availqty": _whole(1, 9999),
                "ps_supplycost": _money(0, 1000),
                "ps_comment": _text(199),
            },
        },
        "maker.nation": {
            "person": "n_nationkey",
            "max_rows_per_person": 1,
            "max_rows": 25,
            "columns": {
                "n_nationkey": nation,
                "n_name": _one_of(NATIONS),
                "n_regionkey": region,
                "n_comment": _text(152),
            },
        },
        "maker.region": {
            "person": "r_regionkey",
            "max_rows_per_person": 1,
            "max_rows": 5,
            "columns": {
                "r_regionkey": region,
                "r_name": _one_of(REGIONS),
                "r_comment": _text(152),
            },
        },
    }


def generate(folder: Path, scale: float) -> None:
    """Write one Parquet file for each table."""
    command = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    subprocess.run(
        [command, "parquet", "--scale-factor", str(scale), "--output-dir", str(folder), "--quiet"],
        check=True,
    )


def divide(folder: Path) -> dict[str, dict[str, Path]]:
    """Give every owner its files; return owner -> table -> path."""
    paths: dict[str, dict[str, Path]] = {owner: {} for owner in OWNERS}
    for owner, tables in HOLDS.items():
        for table in tables:
            paths[owner][f"{owner}.{table}"] = folder / f"{table}.parquet"
    for i, owner in enumerate(CARRIERS):
        part = folder / f"lineitem-{owner}.parquet"
        mine = f"(l_orderkey + l_linenumber) % {len(CARRIERS)} = {i}"
        source = f"SELECT * FROM '{folder}/lineitem.parquet' WHERE {mine}"
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"COPY ({source}) TO '{part}'")
        paths[owner]["lineitem"] = part
    return paths


def pooled(folder: Path, agreed: Terms) -> duckdb.DuckDBPyConnection:
    """Return plain DuckDB with all rows, in the types of the contract."""
    connection = duckdb.connect(":memory:")
    kinds = {"INTEGER": "BIGINT", "TEXT": "VARCHAR"}
    for name, table in agreed.tables.items():
        plain = name.rpartition(".")[2]
        typed = ", ".join(
            f"{c}::{kinds.get(t.type, t.type)} AS {c}" for c, t in table.columns.items()
        )
        source = f"SELECT {typed} FROM '{folder}/{plain}.parquet'"
        connection.execute(f"CREATE TABLE {plain} AS {source}")
    return connection


def queries() -> Mapping[int, str]:
    """Return the 22 texts of tpch.sql by their number in the standard."""
    return dict(_blocks((Path(__file__).parent / "tpch.sql").read_text(encoding="utf-8")))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    for block in text.split("-- Q")[1:]:
        number, _, sql = block.partition("\n")
        yield int(number.split()[0]), sql.strip().removesuffix(";")
