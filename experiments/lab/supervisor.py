"""The supervisor: one process that starts all others, watches them, breaks and mends them when asked, and ends them.

    python -m experiments.lab.supervisor FOLDER NAME      (what `gameday lab up` runs)

The rule that surprises: it does not take the lab with it when it is killed. `gameday lab up` and `down` find what is left.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from experiments.lab.folder import LabFolder
from experiments.lab.layout import SUPERVISOR_PORT, Layout
from experiments.lab.managed import Managed
from experiments.lab.monitoring import missing_programs, plan_monitoring
from experiments.lab.plan import Plan
from experiments.lab.programs import Programs
from experiments.lab.readiness import Readiness
from experiments.lab.settings import Settings
from experiments.lab.target_file import write_target
from gameday.errors import GamedayError

WATCH_EVERY_S: Final = 0.5
FIRST_ANSWERS_WITHIN_S: Final = 30.0
"""For the consensus store and the relay, which everybody else needs."""
FIRST_NODE_WITHIN_S: Final = 120.0
"""For the first database node, which shall become the primary: the second is started only then."""
RESTARTED_ANSWERS_WITHIN_S: Final = 20.0

log = logging.getLogger("lab")


class Supervisor:
    """All processes of one lab and the HTTP API over them."""

    def __init__(self, folder: LabFolder) -> None:
        state = folder.read_state()
        assert state is not None, "gameday lab up writes the state first"
        self.folder, self.state = folder, state
        self.layout = Layout(state["block"])
        self.settings = Settings.from_json(state["settings"])
        programs = Programs(
            Path(state["programs"]["postgres"]),
            Path(state["programs"]["etcd"]),
            Path(state["programs"]["envoy"]),
            state["versions"],
        )
        specs = Plan(self.layout, self.settings, programs, folder.data).write()
        self.processes = {spec.name: Managed(spec, folder.logs / f"{spec.name}.log") for spec in specs}
        self.locks = {name: asyncio.Lock() for name in self.processes}
        self.nodes = [name for name in self.processes if name.startswith("patroni-")]
        self.token = folder.read_token()
        self.done = asyncio.Event()

    async def run(self) -> None:
        """Serve until told to stop; everything is ended before it returns."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/processes", self._list)
        app.router.add_get("/status", self._status)
        app.router.add_post("/processes/{name}/{what}", self._do)
        app.router.add_get("/monitoring", self._can_monitor)
        app.router.add_put("/monitoring", self._monitor)
        app.router.add_delete("/monitoring", self._end_monitoring)
        app.router.add_post("/shutdown", self._shutdown)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self.layout.supervisor, SUPERVISOR_PORT).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.done.set)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            self.readiness = Readiness(self.layout, self.settings, http)
            work = asyncio.create_task(self._work())
            work.add_done_callback(self._worked)
            await self.done.wait()
            work.cancel()
        await asyncio.to_thread(self.folder.sweep)  # at once and without mercy: the data is thrown away
        await runner.cleanup()

    async def _work(self) -> None:
        """Start everything, then watch."""
        write_target(self.folder, self.layout)
        for name in ("etcd", "relay"):
            await asyncio.to_thread(self.processes[name].start)
        await asyncio.gather(*(self._answers(name, FIRST_ANSWERS_WITHIN_S) for name in ("etcd", "relay")))
        first, *later = self.nodes
        for name, one in self.processes.items():
            if name not in later:
                await asyncio.to_thread(one.start)
        await self._answers(first, FIRST_NODE_WITHIN_S)  # so that the primary is always in the same region
        for name in later:
            await asyncio.to_thread(self.processes[name].start)
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for name, one in list(self.processes.items()):
                if not self.locks[name].locked() and await asyncio.to_thread(one.watch):
                    log.warning("%s ended by itself and is now %s", name, one.state)

    def _worked(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("the lab cannot go on: %s", error, exc_info=error)
            self.done.set()

    async def _answers(self, name: str, within_s: float) -> bool:
        """Wait until the process answers, at most that long."""
        ends = asyncio.get_running_loop().time() + within_s
        while asyncio.get_running_loop().time() < ends:
            if await self.readiness.answers(self.processes[name].spec):
                return True
            await asyncio.sleep(0.1)
        return False

    # -- the API --------------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("X-Lab-Token", "").encode(), self.token.encode()):
            return web.json_response({"error": "the header X-Lab-Token is missing or wrong"}, status=401)
        try:
            return await handler(request)
        except GamedayError as error:
            return web.json_response({"error": str(error)}, status=500)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({name: one.as_json() for name, one in self.processes.items()})

    async def _status(self, request: web.Request) -> web.Response:
        """How everything is. With `?try=1` an order is placed in each region, which an observer of a running day would not want."""
        running = [one.spec for one in self.processes.values() if one.state != "stopped"]
        waiting = await self.readiness.waiting_for(running, order=request.query.get("try") == "1")
        members = [
            {key: one.get(key) for key in ("name", "role", "state", "timeline", "lag")} for one in await self.readiness.members()
        ]
        return web.json_response(
            {
                "name": self.folder.name,
                "block": self.layout.block,
                "ready": not waiting,
                "waiting": waiting,
                "settings": self.settings.as_json(),
                "versions": self.state["versions"],
                "database": members,
                "processes": {name: one.as_json() for name, one in self.processes.items()},
            }
        )

    async def _do(self, request: web.Request) -> web.Response:
        """Kill, restart, freeze, resume or throttle one process; the answer comes when it is done."""
        name, what = request.match_info["name"], request.match_info["what"]
        if name not in self.processes:
            return web.json_response({"error": f"no process '{name}'; there are {', '.join(self.processes)}"}, status=404)
        one, children = self.processes[name], request.query.get("children", "1") != "0"
        async with self.locks[name]:
            match what:
                case "kill":
                    await asyncio.to_thread(one.kill, children=children)
                case "freeze":
                    await asyncio.to_thread(one.freeze, children=children)
                case "resume":
                    await asyncio.to_thread(one.resume)
                case "throttle":
                    await asyncio.to_thread(one.throttle, _number(request.query.get("share", "")))
                case "restart":
                    if request.query.get("force") == "1":
                        await asyncio.to_thread(one.kill)
                    await asyncio.to_thread(one.start)
                    answers = await self._answers(name, RESTARTED_ANSWERS_WITHIN_S)
                    return web.json_response(one.as_json() | {"answers": answers})
                case _:
                    return web.json_response({"error": f"'{what}' is not kill, restart, freeze, resume or throttle"}, status=404)
        log.info("%s: %s%s", name, what, "" if children else " without children")
        return web.json_response(one.as_json())

    async def _can_monitor(self, _request: web.Request) -> web.Response:
        """Whether Prometheus and Alertmanager can be started here, and whether they run."""
        running = "prometheus" in self.processes
        return web.json_response({"monitoring": {"missing": missing_programs(), "running": running}})

    async def _monitor(self, request: web.Request) -> web.Response:
        """Start Prometheus and Alertmanager with the rules and routes of the body, or start them again with others.

        `scrape`: further scrape configurations. `announce: false`: they are somebody's for a while, and not named in target.yaml.
        """
        body = await request.json()
        found = await asyncio.to_thread(
            plan_monitoring,
            self.layout,
            self.folder.data,
            body["rules"],
            body["alertmanager"],
            body["scrape_s"],
            body.get("scrape", ()),
        )
        answers = {}
        for spec in found.processes:
            if spec.name in self.processes:
                await asyncio.to_thread(self.processes[spec.name].kill)
            self.processes[spec.name] = Managed(spec, self.folder.logs / f"{spec.name}.log")
            self.locks.setdefault(spec.name, asyncio.Lock())
            await asyncio.to_thread(self.processes[spec.name].start)
            answers[spec.name] = await self._answers(spec.name, RESTARTED_ANSWERS_WITHIN_S)
        if silent := [name for name, answered in answers.items() if not answered]:
            return web.json_response({"error": f"{', '.join(silent)} does not answer; see its log"}, status=500)
        addresses = {"prometheus": found.prometheus, "alertmanager": found.alertmanager}
        if body.get("announce", True):
            await asyncio.to_thread(write_target, self.folder, self.layout, **addresses)
        return web.json_response(addresses)

    async def _end_monitoring(self, _request: web.Request) -> web.Response:
        """End both and forget them; nothing happens when they do not run."""
        ended = [name for name in ("prometheus", "alertmanager") if name in self.processes]
        for name in ended:
            await asyncio.to_thread(self.processes.pop(name).kill)
        await asyncio.to_thread(write_target, self.folder, self.layout)
        return web.json_response({"ended": ended})

    async def _shutdown(self, _request: web.Request) -> web.Response:
        self.done.set()
        return web.json_response({"pid": os.getpid()})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise GamedayError(f"a share of the processor is a number, not '{text}'") from None


def main() -> None:
    """Run the lab of the folder named on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    folder = LabFolder(Path(sys.argv[1]), sys.argv[2])

    async def run() -> None:
        await Supervisor(folder).run()

    asyncio.run(run())


if __name__ == "__main__":
    main()
