"""Endpoints on loopback through which people and tools take part: PagerDuty Events v2, Slack webhooks, Alertmanager's webhook, say, ack.

The rule that surprises: every request must carry the run's token, as the routing key (PagerDuty), in the path (Slack, Alertmanager) or as
a bearer (`gameday say`, `gameday ack`, `gameday steer`); it lies in the run folder, readable by its owner only.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from experiments.observe.alert_book import AlertBook, instant
from experiments.observe.metrics import CONTENT_TYPE
from experiments.observe.notebook import Notebook
from experiments.observe.pages import Pages
from experiments.observe.steering import Refused, Steering
from gameday.scenario.model import Scenario

FILE: Final = "receivers.json"
LARGEST_BODY: Final = 512 * 1024
"""PagerDuty's own limit."""
ALERTMANAGER: Final = "alertmanager"
Answer = tuple[int, object]


@dataclass(frozen=True, slots=True)
class Receivers:
    """What arrives is written down, and pages are sent or taken."""

    scenario: Scenario
    notebook: Notebook
    pages: Pages
    token: str
    book: AlertBook
    metrics: Callable[[], str]
    """What `GET /metrics` answers to who has the token."""
    steering: Steering | None = None
    """What people may do to the system."""

    def start(self, folder: Path) -> str:
        """Listen on a free port of loopback; the address is in `receivers.json` of the folder."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        handle = os.open(folder / FILE, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"url": url, "token": self.token}, file)
        return url

    def take(self, path: str, body: Mapping[str, Any], bearer: str) -> Answer:
        """What one request does: status and answer."""
        parts = path.strip("/").split("/")
        if parts == ["v2", "enqueue"]:
            return self._page_event(body) if self.right(str(body.get("routing_key"))) else (403, {"status": "invalid key"})
        if parts[0] in {"slack", "alertmanager"}:
            if len(parts) < 2 or not self.right(parts[1]):
                return 404, "no_service"
            return self._slack(body) if parts[0] == "slack" else self._alertmanager(body)
        if not self.right(bearer):
            return 403, {"error": "wrong token"}
        if parts == ["ack"]:
            return self._ack(body)
        if parts == ["say"]:
            return self._say(body)
        if parts == ["steer"] and self.steering is not None:
            return self._steer(self.steering, body)
        return 404, {"error": f"there is no /{'/'.join(parts)}"}

    def scraped(self, path: str, bearer: str) -> Answer:
        """What a request of Prometheus is answered."""
        if not self.right(bearer):
            return 403, {"error": "wrong token"}
        return (200, self.metrics()) if path == "/metrics" else (404, {"error": f"there is no {path}"})

    def right(self, token: str) -> bool:
        """Whether a token is the run's."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    def _page_event(self, body: Mapping[str, Any]) -> Answer:
        """PagerDuty Events v2: trigger pages a team, acknowledge takes the page, resolve ends it."""
        action, key = body.get("event_action"), str(body.get("dedup_key") or f"event-{secrets.token_hex(8)}")
        payload = body.get("payload") or {}
        if action not in {"trigger", "acknowledge", "resolve"} or (action == "trigger" and not payload.get("summary")):
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["event_action or payload"]}
        if action == "trigger":
            subject = str(payload.get("component") or payload.get("source") or "pagerduty")
            self.pages.page(f"pagerduty/{key}", payload.get("group"), [str(payload["summary"])[:200]], subject)
        elif action == "resolve":
            self.pages.resolved(f"pagerduty/{key}")
        else:
            for person in self.scenario.response.people:
                if self.pages.acknowledge(person, f"pagerduty/{key}"):
                    break
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}

    def _slack(self, body: Mapping[str, Any]) -> Answer:
        if not isinstance(body.get("text"), str) or not body["text"]:
            return 400, "invalid_payload"
        return self._publish("internal", "chat", body["text"], str(body.get("username") or "chat"), "responder", "update")

    def _alertmanager(self, body: Mapping[str, Any]) -> Answer:
        """Alertmanager's webhook, version 4: alerts fire and resolve, a notification arrives."""
        if body.get("version") != "4":
            return 400, {"error": f"webhook version {body.get('version')!r}, and 4 is read"}
        now, wall_at_0 = self.notebook.clock.now(), self.notebook.clock.wall
        rules, subjects = [], []
        for alert in body.get("alerts", []):
            labels = self.book.labels(alert.get("labels", {}))
            rules.append(labels["rule"])
            subjects.append(self.book.subject(labels))
            fires = alert.get("status") == "firing"
            began, ended = (instant(alert.get(key), wall_at_0, now) for key in ("startsAt", "endsAt"))
            self.book.report(alert.get("labels", {}), firing=fires, at=began if fires else ended, began=began, by=ALERTMANAGER)
        subject = (subjects or ["monitoring"])[0]
        rules = list(dict.fromkeys(rules))
        receiver = str(body.get("receiver", "page"))
        common = {str(k): str(v) for k, v in body.get("groupLabels", {}).items()}
        about = {"rules": rules, "receiver": receiver, "group": common, "evaluator": ALERTMANAGER}
        self.notebook.say("alert.notified", subject, about)
        self._page_or_not(body, receiver, rules, subject)
        return 200, {}

    def _page_or_not(self, body: Mapping[str, Any], receiver: str, rules: list[str], subject: str) -> None:
        """What a receiver does is said by the scenario's routing tree; without one, `page` pages."""
        group, routing = f"alertmanager/{body.get('groupKey')}", self.scenario.monitoring.routing
        known = routing.receivers.get(receiver) if routing is not None else None
        if body.get("status") != "firing":
            self.pages.resolved(group)
        elif known.kind == "page" if known is not None else receiver.startswith("page"):
            labels = {**body.get("commonLabels", {}), **body.get("groupLabels", {})}
            team = (known.team if known is not None else None) or labels.get("team")
            self.pages.page(group, team, rules, subject, evaluator=ALERTMANAGER)

    def _ack(self, body: Mapping[str, Any]) -> Answer:
        person = str(body.get("person", ""))
        if person not in self.scenario.response.people:
            return 404, {"error": f"'{person}' is not in the cast: {', '.join(self.scenario.response.people)}"}
        taken = self.pages.acknowledge(person, body.get("page"))
        return (200, {"page": taken}) if taken else (409, {"error": f"{person} was called about no open page"})

    def _steer(self, steering: Steering, body: Mapping[str, Any]) -> Answer:
        try:
            done = steering.act(*(str(body.get(key) or "") for key in ("person", "action", "target")))
        except Refused as error:
            return 409, {"error": str(error)}
        return 200, {"done": done}

    def _say(self, body: Mapping[str, Any]) -> Answer:
        audience, text = str(body.get("audience") or "internal"), str(body.get("text") or "")
        audiences = self.scenario.communication.audiences
        if not text:
            return 400, {"error": "text is empty"}
        if audiences and audience not in audiences:
            return 404, {"error": f"'{audience}' is no audience: {', '.join(audiences)}"}
        known = audiences.get(audience)
        channel = known.channel if known else "chat"
        role = str(body.get("role") or (known.author if known else "responder"))
        return self._publish(
            audience, channel, text, str(body.get("person") or "somebody"), role, str(body.get("phase") or "update")
        )

    def _publish(self, audience: str, channel: str, text: str, author: str, role: str, phase: str) -> Answer:
        about = {"audience": audience, "phase": phase, "channel": channel, "text": text[:4000], "author": author, "role": role}
        data = {"message": f"message/{secrets.token_hex(4)}", **about}
        self.notebook.say("message.published", "incident/1", data, source="human")
        return 200, "ok"


def _handler(receivers: Receivers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_GET(self) -> None:
            """Prometheus scrapes."""
            status, answer = receivers.scraped(self.path, self.headers.get("Authorization", "").removeprefix("Bearer "))
            self._reply(status, answer, CONTENT_TYPE)

        def do_POST(self) -> None:
            """Everything else is posted."""
            self._reply(*self._answer())

        def _reply(self, status: int, answer: object, text_type: str = "text/plain") -> None:
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", text_type if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def _answer(self) -> Answer:
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > LARGEST_BODY:
                return 413, {"error": f"a body holds at most {LARGEST_BODY} bytes"}
            try:
                body = json.loads(self.rfile.read(int(length)) or b"{}")
            except ValueError:
                return 400, "invalid_payload"
            if not isinstance(body, dict):
                return 400, "invalid_payload"
            return receivers.take(self.path, body, self.headers.get("Authorization", "").removeprefix("Bearer "))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server calls
            """Nothing: there are tokens in paths."""

    return Handler
