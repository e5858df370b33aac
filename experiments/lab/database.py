"""PostgreSQL under Patroni: one node per region, etcd in neither.

The rule that surprises: a node's published address is that of the link by which the *other* region reaches it, so replication,
base backups and rewinds cross the relay and can be cut. Nobody in the node's own region needs the published address.
"""

from __future__ import annotations

from typing import Any, Final

from experiments.lab.layout import ETCD_PORT, PATRONI_PORT, POSTGRES_PORT, REGIONS, Layout
from experiments.lab.settings import Settings

SCOPE: Final = "orders"
SUPERUSER: Final = "postgres"
DATABASE: Final = "orders"
MAXIMUM_LAG_ON_FAILOVER: Final = 1_048_576
"""Patroni's default: a replica with more bytes missing is not promoted."""

SCHEMA: Final = """\
CREATE DATABASE orders;
\\connect orders
CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, price_cents integer NOT NULL, stock integer NOT NULL);
INSERT INTO items SELECT n, 'item ' || n, 500 + 100 * (n % 50), 1000000 FROM generate_series(1, 200) AS n;
CREATE TABLE orders (
  id text PRIMARY KEY, item integer NOT NULL REFERENCES items, state text NOT NULL CHECK (state IN ('pending', 'confirmed', 'cancelled')),
  reason text, placed timestamptz NOT NULL DEFAULT clock_timestamp(), settled timestamptz);
CREATE INDEX orders_pending ON orders (placed) WHERE state = 'pending';
CREATE TABLE payments (order_id text PRIMARY KEY REFERENCES orders, amount_cents integer NOT NULL, charge text NOT NULL);
CREATE TABLE pulse (writer text PRIMARY KEY, beat timestamptz NOT NULL);
"""
"""Tables of the shop. `pulse` is written every second by each checkout instance; its age on a copy is how stale that copy is."""


def node_name(layout: Layout, region: str) -> str:
    """Patroni's name of the region's node."""
    return f"{SCOPE}-{layout.zone(region)}"


def dsn(host: str, *, user: str = SUPERUSER) -> str:
    """How a client connects; bounded waits, so that a dead node is noticed."""
    return f"host={host} port={POSTGRES_PORT} dbname={DATABASE} user={user} connect_timeout=2 tcp_user_timeout=3000"


def patroni_config(layout: Layout, settings: Settings, region: str, folder: str, programs: str) -> dict[str, Any]:
    """What Patroni reads for one node; `folder` is where the node keeps its data, `programs` where PostgreSQL's programs are."""
    seen_as = layout.database_from(region, layout.other(region))
    return {
        "scope": SCOPE,
        "name": node_name(layout, region),
        "restapi": {
            "listen": f"{layout.database(region)}:{PATRONI_PORT}",
            "connect_address": f"{seen_as}:{PATRONI_PORT}",
        },
        "etcd3": {"hosts": [f"{layout.etcd_from(region)}:{ETCD_PORT}"], "use_proxies": True},
        "bootstrap": {
            "dcs": {
                "ttl": settings.lease_s,
                "loop_wait": settings.heartbeat_s,
                "retry_timeout": 5,
                "maximum_lag_on_failover": MAXIMUM_LAG_ON_FAILOVER,
                "synchronous_mode": settings.synchronous,
                "postgresql": {"use_pg_rewind": True, "parameters": _parameters()},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums", {"auth": "trust"}],
            "post_init": f"'{programs}/psql' --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file '{folder}/schema.sql'",
        },
        "postgresql": {
            "listen": f"{layout.database(region)}:{POSTGRES_PORT}",
            "connect_address": f"{seen_as}:{POSTGRES_PORT}",
            "data_dir": f"{folder}/postgres",
            "bin_dir": programs,
            "pgpass": f"{folder}/pgpass",
            "use_unix_socket": False,
            "basebackup": [{"checkpoint": "fast"}],  # the default spreads it over minutes, and the copy waits for it
            "authentication": {
                "superuser": {"username": SUPERUSER},
                "replication": {"username": "replicator"},
                "rewind": {"username": SUPERUSER},
            },
            "pg_hba": ["host all all 127.0.0.0/8 trust", "host replication all 127.0.0.0/8 trust"],
        },
        "watchdog": {"mode": "off"},
        "tags": {"nofailover": False, "noloadbalance": False, "clonefrom": False, "nosync": False},
    }


def _parameters() -> dict[str, Any]:
    """Small memory, real durability: fsync stays on."""
    return {
        "max_connections": 80,
        "shared_buffers": "16MB",
        "max_wal_size": "256MB",
        "wal_keep_size": "128MB",
        "max_wal_senders": 6,
        "max_replication_slots": 6,
        "hot_standby": "on",
        "wal_log_hints": "on",
        "unix_socket_directories": "",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }


def etcd_command(layout: Layout, program: str, folder: str) -> list[str]:
    """One etcd member; the lab is about what depends on it, and one member is enough to take it away."""
    from experiments.lab.layout import ETCD_PEER_PORT

    client = f"http://{layout.etcd}:{ETCD_PORT}"
    peer = f"http://{layout.etcd}:{ETCD_PEER_PORT}"
    return [
        program,
        "--name=witness",
        f"--data-dir={folder}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=witness={peer}",
        "--log-level=warn",
    ]


def regions() -> list[str]:
    """Regions in the order in which their nodes are started; the first becomes the primary."""
    return list(REGIONS)
