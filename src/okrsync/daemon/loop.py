"""The loop: wait for the next scheduled time, load the workspace anew, sync, say how it went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from .. import sync as story
from ..bootstrap import Session, Stopped, open_session
from ..config import SecretMissing
from ..domain.exits import DONE, PARTIAL
from ..domain.storage import LeaseHeld, StoreError
from ..domain.trackers import Clock, TrackerError
from ..domain.workspace import Settings, WorkspaceError
from ..logs import get_logger, redacted
from ..sync import SyncResult
from .health import Pulse
from .metrics import Metrics
from .once import Once
from .schedule import Schedule
from .stopping import Stop
from .troubles import Troubles, difference, of_failure, of_result

log = get_logger()

_LOOK = 10.0  # seconds between two looks at the clock while waiting


class Outcome(StrEnum):
    """How a run ended; `okrsync_runs_total` counts by these. All but the first two did nothing, or not all."""

    DONE = "done"
    PARTIAL = "partial"  # exit 3: something was suspended, refused, cut or failed
    FAILED = "failed"
    MISCONFIGURED = "misconfigured"
    BUSY = "busy"  # another process holds the lease


_OUTCOMES = {DONE: Outcome.DONE, PARTIAL: Outcome.PARTIAL}


class Daemon:
    """Runs `sync` on the schedule until it is asked to stop.

    root      the workspace, loaded anew for each run: goals live in git, and change
    settings  as last loaded; the ones given start it
    report    the latest report as a page, there if `reports.formats` has it written; None before the first run
    metrics   told of each run and each request
    once      told when a run has ended
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        *,
        env: Mapping[str, str],
        clock: Clock,
        stop: Stop,
        metrics: Metrics,
        once: Once,
    ) -> None:
        self.settings = settings
        self.report: Path | None = None
        self._root = root
        self._env = env
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._once = once
        self._troubles: Troubles = {}
        self._listen = settings.listen
        self._running: datetime | None = None
        self._ended: datetime | None = None
        self._beat = clock()

    @property
    def pulse(self) -> Pulse:
        """For health checks, from any thread."""
        return Pulse(
            beat=self._beat,
            running=self._running,
            ended=self._ended,
            schedule=self.settings.schedule,
            run_timeout=self.settings.run_timeout,
        )

    def run(self) -> None:
        """Returns once it was asked to stop. The first run begins at once; a run that fails is logged, no more."""
        due = self._clock()
        self._metrics.scheduled(due, 0)
        while self._wait(due):
            self._run_once()
            due, left_out = Schedule(self.settings.schedule).following(due, self._clock())
            self._metrics.scheduled(due, left_out)
            if left_out and not self._stop.asked():
                log.info("the run took longer than the schedule's pause; runs were left out", count=left_out)
        log.info("stopped")

    def _wait(self, due: datetime) -> bool:
        """False when it was asked to stop. A clock that is set back does not make the wait longer than a pause."""
        schedule = Schedule(self.settings.schedule)
        while not self._stop.asked():
            self._beat = now = self._clock()
            due = min(due, schedule.after(now))
            if now >= due:
                return True
            self._stop.sleep(min((due - now).total_seconds(), _LOOK))
        return False

    def _run_once(self) -> None:
        self._running = began = self._clock()
        self._metrics.run_begins()
        result: SyncResult | None = None
        try:
            result = self._sync()
        except Stopped:
            log.info("stopped in the middle of a run; what was read and written is kept, the next run goes on")
            return
        except LeaseHeld as problem:
            outcome, troubles = Outcome.BUSY, of_failure(self._troubles, str(problem))
        except (WorkspaceError, SecretMissing) as problem:
            outcome, troubles = Outcome.MISCONFIGURED, of_failure(self._troubles, str(problem))
        except (StoreError, TrackerError, OSError) as problem:
            outcome, troubles = Outcome.FAILED, of_failure(self._troubles, str(problem))
        except Exception as problem:
            log.debug("unexpected", exc_info=True)
            text = f"unexpected {type(problem).__name__}: {problem} (-v shows where)"
            outcome, troubles = Outcome.FAILED, of_failure(self._troubles, text)
        else:
            outcome, troubles = _OUTCOMES.get(result.exit, Outcome.FAILED), of_result(result)
        finally:
            self._running = None
            self._beat = self._clock()
        if outcome in (Outcome.DONE, Outcome.PARTIAL):
            self._ended = self._beat
        self._compare(troubles)
        seconds = (self._beat - began).total_seconds()
        self._metrics.run_ended(outcome, seconds, troubles=len(troubles))
        if result is not None:
            self._metrics.judged(result, self._ended)
        log.info("run ended", outcome=outcome.value, seconds=round(seconds, 1), **_figures(result))
        self._once.run_ended()

    def _sync(self) -> SyncResult:
        with open_session(
            self._root,
            env=self._env,
            clock=self._clock,
            sleep=self._stop.sleep,
            stopping=self._stop.asked,
            meter=self._metrics.meter,
        ) as session:
            self._adopt(session)
            result = story.sync(session, approve=self._env.get("OKRSYNC_APPROVE"))
        for warning in (*result.pulled.loud, *result.pulled.warnings) if result.pulled else ():
            log.warning("reading", warning=warning)
        return result

    def _adopt(self, session: Session) -> None:
        self.settings = session.workspace.settings
        self.report = story.reports_dir(session) / "okrsync.html"
        if self.settings.listen != self._listen:
            log.warning("`listen` has changed; the daemon has to be started again for that", listen=self._listen)

    def _compare(self, troubles: Troubles) -> None:
        said = difference(self._troubles, troubles)
        for what, problem in said.started.items():
            log.error("trouble", what=what, problem=redacted(problem))
        for what in said.healed:
            log.info("healed", what=what)
        self._troubles = troubles


def _figures(result: SyncResult | None) -> dict[str, object]:
    """What the log says of a run that went through."""
    if result is None:
        return {}
    summary, applied = result.judged.summary, result.applied
    return {
        "run": result.judged.run,
        "open": summary.open,
        "alignment_rate": summary.alignment_rate,
        "findings": len(result.judged.findings),
        "planned": len(result.plan.changes),
        "written": len(applied.done) if applied is not None else 0,
    }
