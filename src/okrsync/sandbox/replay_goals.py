"""Goals for the recorded work of Apache Kafka, as a company that builds it might have set them.

Initiatives are all improvement proposals (KIPs) that the record names, and the tickets without one that five or more
pull requests name, which a company would call its epics; those on test frameworks, formats and moving code are left
out, as upkeep that no goal asks for. Both are called after their public names, in brief. Teams and their objectives
follow the parts of Kafka as its documentation and its tracker divide it; an initiative stands under the part that its
name speaks of. Above the teams are four company objectives. What objectives and key results say is invented, their
numbers too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# id, title, baseline, target of the key results follow their objective
_OBJECTIVES = """
K1   |         |      | Rebalancing goes unnoticed
     | Cut consumer time lost in rebalances from 45 to 5 s an hour | 45 | 5
K2   |         |      | Nothing is processed twice
     | Cut reports of duplicated records from 30 to 5 a quarter | 30 | 5
K3   |         |      | Clusters run without ZooKeeper
     | Raise clusters without ZooKeeper from 30% to 80% | 30 | 80
K4   |         |      | Operators see and trust what runs
     | Raise operators who would recommend us from 41% to 60% | 41 | 60
GRP  | Groups  | K1   | Members come and go without a pause
     | Cut the pause of a rebalance from 45 to 5 seconds | 45 | 5
     | Cut traffic between racks from 60% to 20% | 60 | 20
STR  | Streams | K1   | Applications keep their state where they need it
     | Cut restores after a deployment from 100 to 40 | 100 | 40
     | Raise queries answered locally from 55% to 90% | 55 | 90
SHR  | Queues  | K2   | Queues need no second system
     | Raise queue workloads served from 0 to 20 | 0 | 20
TXN  | Transactions | K2 | Nobody waits for a transaction that hangs
     | Cut hanging transactions from 14 to 0 a month | 14 | 0
CON  | Connect | K2   | Data moves in and out without code
     | Raise connectors that deliver exactly once from 3 to 12 | 3 | 12
     | Cut mirrors that lag by an hour from 20 to 5 a month | 20 | 5
CTL  | Controllers | K3 | The quorum looks after itself
     | Cut clusters that need a restart to grow from 40 to 4 | 40 | 4
     | Cut the failover of a controller from 30 to 3 seconds | 30 | 3
LOG  | Storage | K3   | Old data is cheap and near
     | Cut the cost of a stored terabyte from 90 to 40 a month | 90 | 40
CLI  | Clients | K4   | Clients find their way back
     | Cut time to a new leader from 30 to 3 seconds | 30 | 3
OBS  | Observability | K4 | Trouble is seen where it starts
     | Raise clients with metrics from 0% to 50% | 0 | 50
SEC  | Security | K4  | Access is given and taken in minutes
     | Cut the time to revoke a credential from 300 to 10 min | 300 | 10
OPS  | Tools   | K4   | A cluster is set up and changed by command
     | Cut the set-up of a cluster from 60 to 10 min | 60 | 10
"""

# KIP | the key result it moves | its public name, in brief
_KIPS = """
KIP-848  | GRP.KR1 | The next generation of the consumer rebalance protocol
KIP-800  | GRP.KR1 | Reasons to join and leave a group
KIP-814  | GRP.KR1 | Static members let the leader skip assignment
KIP-915  | GRP.KR1 | Downgrade of the group coordinator
KIP-851  | GRP.KR1 | Offsets of groups that are stable
KIP-881  | GRP.KR2 | Rack-aware partition assignment for consumers
KIP-924  | STR.KR1 | Customizable task assignment for Streams
KIP-988  | STR.KR1 | Streams standby task update listener
KIP-708  | STR.KR1 | Rack awareness for Streams
KIP-878  | STR.KR1 | Internal topic autoscaling for Streams
KIP-671  | STR.KR1 | Streams uncaught exception handler
KIP-770  | STR.KR1 | Buffer and cache sizes of Streams
KIP-846  | STR.KR1 | Throughput metrics of Streams
KIP-954  | STR.KR2 | Default store of the DSL
KIP-591  | STR.KR2 | Default state store
KIP-960  | STR.KR2 | Single-key single-timestamp interactive queries for versioned state stores
KIP-968  | STR.KR2 | Single-key multi-timestamp interactive queries for versioned state stores
KIP-825  | STR.KR2 | When aggregated results are produced
KIP-862  | STR.KR2 | Self-join optimization for stream-stream joins
KIP-923  | STR.KR2 | A grace period for the stream-table join
KIP-941  | STR.KR2 | Range queries with open bounds
KIP-932  | SHR.KR1 | Queues for Kafka
KIP-890  | TXN.KR1 | Transactions server-side defense
KIP-994  | TXN.KR1 | Listing and describing transactions
KIP-854  | TXN.KR1 | Producer id expiry
KIP-847  | TXN.KR1 | Producer id count metrics
KIP-618  | CON.KR1 | Exactly-once support for source connectors
KIP-875  | CON.KR1 | First-class offsets support in Connect
KIP-898  | CON.KR1 | Connect plugin discovery
KIP-779  | CON.KR1 | Source tasks handle producer exceptions
KIP-793  | CON.KR1 | Sink connectors with topic-mutating transformations
KIP-959  | CON.KR1 | Boolean converter for Connect
KIP-581  | CON.KR1 | Optional null fields in converters
KIP-1040 | CON.KR1 | Nullable values in transformations
KIP-495  | CON.KR1 | Dynamic log levels in Connect
KIP-887  | CON.KR1 | Config provider for environment variables
KIP-787  | CON.KR2 | MirrorMaker 2 with a custom admin
KIP-894  | CON.KR2 | Incremental alter configs in MirrorMaker 2
KIP-911  | CON.KR2 | Source tag of mirror source metrics
KIP-949  | CON.KR2 | Topic separator of the replication policy in MirrorMaker 2
KIP-853  | CTL.KR1 | KRaft controller membership changes
KIP-919  | CTL.KR1 | Admin client talks directly with the KRaft controllers
KIP-866  | CTL.KR1 | ZooKeeper to KRaft migration
KIP-778  | CTL.KR1 | KRaft to KRaft upgrades
KIP-801  | CTL.KR1 | Authorizer that stores metadata in KRaft
KIP-835  | CTL.KR2 | Health of the KRaft controller quorum
KIP-836  | CTL.KR2 | Replication of the cluster metadata quorum
KIP-938  | CTL.KR2 | Metrics for KRaft performance
KIP-841  | CTL.KR2 | Fenced replicas stay out of the ISR in KRaft
KIP-704  | CTL.KR2 | Hint to the partition leader to recover the partition
KIP-903  | CTL.KR2 | Replicas with a stale broker epoch stay out of the ISR
KIP-963  | LOG.KR1 | Metrics of tiered storage
KIP-827  | LOG.KR1 | Total and usable space of log dirs
KIP-937  | LOG.KR1 | Message timestamp validation
KIP-951  | CLI.KR1 | Leader discovery optimisations for the client
KIP-899  | CLI.KR1 | Clients rebootstrap
KIP-580  | CLI.KR1 | Exponential backoff for clients
KIP-794  | CLI.KR1 | Strictly uniform sticky partitioner
KIP-390  | CLI.KR1 | Compression level
KIP-896  | CLI.KR1 | Old client protocol versions are removed
KIP-714  | OBS.KR1 | Client metrics and observability
KIP-1000 | OBS.KR1 | List client metrics resources
KIP-1019 | OBS.KR1 | Measurability of a metric
KIP-1076 | OBS.KR1 | Metrics of client applications
KIP-830  | OBS.KR1 | JMX reporter can be disabled
KIP-768  | SEC.KR1 | SASL/OAUTHBEARER with OIDC
KIP-373  | SEC.KR1 | Delegation tokens for other users
KIP-978  | SEC.KR1 | Dynamic reloading of certificates
KIP-1028 | OPS.KR1 | Docker official image
KIP-974  | OPS.KR1 | Docker image of a native broker
KIP-906  | OPS.KR1 | Tools migration guidelines
KIP-815  | OPS.KR1 | Max timestamp in GetOffsetShell
KIP-798  | OPS.KR1 | Headers in the console producer
KIP-840  | OPS.KR1 | Config files of message readers and formatters
KIP-764  | OPS.KR1 | Backlog size of the acceptor
"""
# ticket | the key result it moves | its public name, in brief
_TICKETS = """
KAFKA-10199 | STR.KR1 | State is restored in a thread of its own
KAFKA-14299 | STR.KR1 | The state updater is made stable
KAFKA-15326 | STR.KR1 | Processing threads apart from polling threads
KAFKA-15022 | STR.KR1 | Rack-aware task assignment in Streams
KAFKA-12648 | STR.KR1 | Named topologies in Streams
KAFKA-16448 | STR.KR1 | Processing exception handler of Streams
KAFKA-14491 | STR.KR2 | Versioned key-value stores in Streams
KAFKA-14834 | STR.KR2 | Processor semantics for versioned stores
KAFKA-13785 | STR.KR2 | Emit final for windowed aggregations
KAFKA-14936 | STR.KR2 | Grace period of the stream-table join
KAFKA-14367 | GRP.KR1 | The group APIs on the new group coordinator
KAFKA-14499 | GRP.KR1 | Offset commit and offset fetch on the new group coordinator
KAFKA-14500 | GRP.KR1 | Join group and sync group on the new group coordinator
KAFKA-14505 | GRP.KR1 | Transactional offset commit on the new group coordinator
KAFKA-15265 | LOG.KR1 | Quotas for remote log copy and fetch
KAFKA-15859 | LOG.KR1 | Remote list offsets without blocking
KAFKA-15662 | OBS.KR1 | Client instance ids in Streams
KAFKA-14588 | OPS.KR1 | ConfigCommand moves to tools
KAFKA-14589 | OPS.KR1 | ConsumerGroupCommand moves to tools
KAFKA-14595 | OPS.KR1 | ReassignPartitionsCommand moves to tools
"""
_OWNER = "Triage"
BETS: list[dict[str, Any]] = [{"id": "B1", "title": "The log that runs itself", "owner": _OWNER, "weight": 100}]


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def objectives() -> list[dict[str, Any]]:
    """As in `config/okrs/*.yaml`."""
    found: list[dict[str, Any]] = []
    for id_, *cells in _rows(_OBJECTIVES):
        if id_:
            team, above, title = cells
            found.append({"id": id_, "title": title, "owner": _OWNER, "key_results": []})
            found[-1] |= {"level": "team", "team": team} if team else {"level": "company"}
            found[-1]["supports"] = [above or BETS[0]["id"]]
        else:
            title, baseline, target = cells
            results = found[-1]["key_results"]
            name = f"{found[-1]['id']}.KR{len(results) + 1}"
            results.append({"id": name, "title": title, "baseline": int(baseline), "target": int(target)})
    return found


def initiatives(kips: Iterable[str], connector: str) -> list[dict[str, Any]]:
    """One for each KIP, one for each ticket above, which is pinned to it. A KIP without a line above goes by its
    number, and supports nothing."""
    known = {id_: (moves, name) for id_, moves, name in _rows(_KIPS.rstrip() + _TICKETS)}
    found = []
    for id_ in dict.fromkeys((*kips, *known)):
        moves, name = known.get(id_, ("", ""))
        goal = {"id": f"INIT-{id_}", "title": f"{name} ({id_})" if name else id_, "owner": _OWNER}
        work = [] if id_.startswith("KIP-") else [f"{connector}:{id_}"]
        found.append({**goal, "supports": [moves] if moves else [], "work": work})
    return found
