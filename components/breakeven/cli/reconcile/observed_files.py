"""Reads observed data from files: server responses, bill exports, API reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from breakeven.bills.api_spend import ApiSpend, read_api_spend
from breakeven.bills.charged import Charged, together
from breakeven.bills.export import looks_like_export, read_export
from breakeven.cli.reconcile.errors import ReconcileError
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.reconciliation.charges import Rented, from_api_spend, from_bill
from breakeven.cost.reconciliation.kind import Deployment, Kind, TrialReplicas
from breakeven.cost.reconciliation.kinds import KINDS, detect_kind
from breakeven.cost.reconciliation.observations import Observed
from breakeven.planning.offline import LoadedStack
from breakeven.traffic.files import open_log

_AMBIGUOUS = tuple(kind.name for kind in KINDS.values() if kind.is_ambiguous)
_MISSING = (
    "reading bill exports requires polars, which is not installed. In a checkout, run: python3 "
    "tools/bootstrap setup --dev --packages. Elsewhere: pip install 'breakeven[bills]'"
)


@dataclass(slots=True)
class Files:
    """Reads files of observed data.

    Attributes:
        loaded: The stack.
        now: The time, in UTC.
        stated: Kind of Prometheus responses with an ambiguous metric.
        tags: That rows of an export must have.
        machines: Machine types of GPU nodes; empty for those of the stack.
        trial: What a candidate on trial costs; None without one.
        charged: Exports read so far.
        spent: Reports of APIs read so far.
    """

    loaded: LoadedStack
    now: datetime
    stated: Kind | None
    tags: Sequence[tuple[str, str]]
    machines: Sequence[str]
    trial: CandidateCost | None = None
    charged: list[Charged] = field(default_factory=list)
    spent: list[ApiSpend] = field(default_factory=list)

    def observations(self, paths: Sequence[Path]) -> Iterator[tuple[str, Observed]]:
        """Yields name and figures of each file, and of all bill exports together.

        Args:
            paths: Files, or folders with exports in parts.

        Raises:
            ReconcileError: A file has an unknown kind, or a library is missing.
            BillError: An export is invalid.
            ObservedError: Figures are invalid.
            TrafficError: A file cannot be opened.
        """
        for path in _listed(paths):
            observed = self._read(path)
            if observed is not None:
                yield str(path), observed
        calendar = self.loaded.assumptions.calendar
        if self.charged:
            whole = together(self.charged)
            yield whole.name, from_bill(whole, self._rented(), calendar)
        if self.spent:
            yield "the API's report", from_api_spend(self.spent, calendar)

    def _read(self, path: Path) -> Observed | None:
        """Returns the figures of a file; None for a bill, whose parts are read together."""
        name = str(path)
        if path.name.lower().endswith(".parquet"):
            self._export(path)
            return None
        with open_log(path, lambda _: None) as file:
            start = file.read(2**16)
            if not _is_api_csv(start) and looks_like_export(path):
                self._export(path)
                return None
            text = start + file.read()
        spent = read_api_spend(text, name, self._own_models())
        if spent is not None:
            self.spent.append(spent)
            return None
        return self.answer(text, name, None)

    def answer(self, text: str, name: str, kind: Kind | None) -> Observed:
        """Returns the figures in a Prometheus or OpenCost response, or in YAML.

        Args:
            text: Of the answer.
            name: Of its file or address, for messages.
            kind: Of the answer; None to detect it.
        """
        kind = kind or detect_kind(text) or self.stated
        if kind is None:
            stated = " or ".join(f"--kind {name}" for name in _AMBIGUOUS)
            msg = f"{name}: ambiguous metric in a Prometheus response. State its kind: {stated}"
            raise ReconcileError(msg)
        settings = self.loaded.settings
        deployment = Deployment(
            now=self.now,
            calendar=self.loaded.assumptions.calendar,
            replicas_per_node=settings.replicas_per_node,
            nodes_per_replica=settings.engine.pipeline_parallel,
            namespace=settings.network.namespace,
            trial=self.trial_replicas(),
        )
        return kind.read(text, name, deployment)

    def trial_replicas(self) -> TrialReplicas | None:
        """Returns a candidate's replicas; None without one, and where no node is paid for it."""
        tried = self.loaded.settings.tried
        if tried is None or self.trial is None or not self.trial.nodes:
            return None
        return TrialReplicas(
            name=tried.settings.name,
            replicas_per_node=tried.settings.replicas_per_node,
            nodes=self.trial.nodes,
        )

    def _export(self, path: Path) -> None:
        try:
            self.charged.append(read_export(path, self.tags))
        except ModuleNotFoundError as error:
            raise ReconcileError(_MISSING) from error

    def _rented(self) -> Rented:
        node = self.loaded.assumptions.node
        if not isinstance(node, RentedNode):
            return Rented(machines=(), gpus=1, is_billed=False)
        tried = self.loaded.settings.tried
        of_trial = tried.settings.pool.instance_types if tried and tried.has_own_pool else ()
        known = (node.machine, *of_trial) if node.machine else ()
        return Rented(machines=tuple(self.machines) or known, gpus=node.gpus, is_billed=True)

    def _own_models(self) -> tuple[str, ...]:
        facts = self.loaded.settings.model.facts
        return facts.name, facts.repository.rpartition("/")[2], facts.repository


def _is_api_csv(start: str) -> bool:
    return "amount_value" in start.partition("\n")[0].lower()


def _listed(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        parts = sorted(part for part in path.rglob("*") if looks_like_export(part))
        if not parts:
            msg = (
                f"{path}: this folder contains no export. Allowed: a folder with CSV, Parquet or "
                "JSONL files"
            )
            raise ReconcileError(msg)
        yield from parts
