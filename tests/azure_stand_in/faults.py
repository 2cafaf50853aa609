"""Faults that a test scripts: which request, which of its calls, and what goes wrong."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DROP = "azure_stand_in.drop"


@dataclass(slots=True)
class Reply:
    """What is sent: a status, headers and a body."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Exchange:
    """One request that a fault meddles with."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send

    async def proceed(self) -> Reply:
        """Let the server do what is asked for; its answer is not sent yet."""
        reply = Reply()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = list(message.get("headers", []))
            else:
                reply.body += message.get("body", b"")

        await self._app(self._scope, self._receive, keep)
        return reply

    async def answer(self, reply: Reply, *, cut: bool = False) -> None:
        """Send an answer; cut, half of its body, and end the connection."""
        headers = [item for item in reply.headers if item[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await self._send(
            {"type": "http.response.start", "status": reply.status, "headers": headers}
        )
        body = reply.body[: len(reply.body) // 2] if cut else reply.body
        await self._send({"type": "http.response.body", "body": body, "more_body": cut})
        if cut:
            await self.drop()

    async def drop(self) -> None:
        """End the connection, once what was sent is out."""
        self._scope["extensions"][DROP]()
        await self.left()

    async def left(self) -> None:
        """Wait until the client has given up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Action(Protocol):
    """What goes wrong."""

    async def play(self, exchange: Exchange) -> None:
        """Answer the request, or not."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer this; the server does nothing, or does it first where `after` is set."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False

    async def play(self, exchange: Exchange) -> None:
        if self.after:
            await exchange.proceed()
        headers = {"content-type": "application/json; charset=utf-8", **self.headers}
        encoded = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await exchange.answer(Reply(self.status, encoded, self.body.encode()))


@dataclass(frozen=True, slots=True)
class Truncate:
    """Do what is asked for, and send half of the answer."""

    async def play(self, exchange: Exchange) -> None:
        await exchange.answer(await exchange.proceed(), cut=True)


@dataclass(frozen=True, slots=True)
class Junk:
    """Do what is asked for, and answer with the right status and a body that is none."""

    body: str = "<html><body>Bad gateway</body></html>"

    async def play(self, exchange: Exchange) -> None:
        reply = await exchange.proceed()
        reply.body = self.body.encode()
        await exchange.answer(reply)


@dataclass(frozen=True, slots=True)
class Slow:
    """Wait so many seconds, then do what is asked for."""

    seconds: float

    async def play(self, exchange: Exchange) -> None:
        await asyncio.sleep(self.seconds)
        await exchange.answer(await exchange.proceed())


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; with `after`, once it is done."""

    after: bool = False

    async def play(self, exchange: Exchange) -> None:
        if self.after:
            await exchange.proceed()
        await exchange.left()


@dataclass(frozen=True, slots=True)
class Drop:
    """End the connection without an answer; with `after`, once it is done."""

    after: bool = False

    async def play(self, exchange: Exchange) -> None:
        if self.after:
            await exchange.proceed()
        await exchange.drop()


@dataclass(frozen=True, slots=True)
class Kill:
    """Do what is asked for, then kill a process group, so that nobody hears of it.

    Attributes:
        group: The process group's id; never the stand-in's own.
    """

    group: int

    def __post_init__(self) -> None:
        if self.group <= 1 or self.group == os.getpgrp():
            raise ValueError("the stand-in does not kill itself")

    async def play(self, exchange: Exchange) -> None:
        await exchange.proceed()
        os.killpg(self.group, signal.SIGKILL)
        await exchange.drop()


@dataclass(frozen=True, slots=True)
class Do:
    """Call something first, as `tokens.expire_all`, then do what is asked for."""

    what: Callable[[], object]

    async def play(self, exchange: Exchange) -> None:
        self.what()
        await exchange.answer(await exchange.proceed())


@dataclass(slots=True)
class Fault:
    """Which requests something happens to.

    Attributes:
        method: The request's method; empty for any.
        path: A regular expression, found anywhere in the path without regard to case.
        action: What happens.
        calls: Which of the requests that fit, counted from 1; None for all of them.
        seen: How many there were until now.
    """

    method: str
    path: str
    action: Action
    calls: Container[int] | None = None
    seen: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is one of them; counts it."""
        if self.method not in ("", method) or not re.search(self.path, path, re.IGNORECASE):
            return False
        self.seen += 1
        return self.calls is None or self.seen in self.calls


class Faults:
    """The faults of a server; each request meets the first that strikes it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self, method: str, path: str, action: Action, calls: Container[int] | None = None
    ) -> Fault:
        """Script a fault."""
        fault = Fault(method, path, action, calls)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def striking(self, method: str, path: str) -> Action | None:
        """What happens to this request; counts it for every fault."""
        struck = [fault for fault in list(self._faults) if fault.strikes(method, path)]
        return struck[0].action if struck else None


class FaultyApp:
    """An application to which faults happen."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        action = None
        if scope["type"] == "http":
            action = self._faults.striking(scope["method"], scope["path"])
        if action is None:
            await self._app(scope, receive, send)
        else:
            await action.play(Exchange(self._app, scope, receive, send))
