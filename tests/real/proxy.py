"""A proxy before one engine that spoils chosen exchanges: cut, delay, swallow, edit.

It ends the client's TLS with the engine's own certificate and speaks TLS to the engine with the
client's, because only so can it tell one request from another. All of it runs on one thread.
"""

import asyncio
import dataclasses
import enum
import http
import json
import re
import ssl
import threading
import typing

HEAD_LIMIT = 64 * 1024


class Action(enum.Enum):
    CUT_BEFORE_REQUEST = "close the client's connection; the engine never hears of it"
    CUT_BEFORE_REPLY = "the engine does it and answers; the client's connection is closed instead"
    CUT_WITHIN_REPLY = "the client gets the head of the reply and no more"
    DELAY_REPLY = "the reply is held back for delay_s"
    SWALLOW = "the engine does it; the client gets nothing until it gives up"
    EDIT_REPLY = "the client gets what edit makes of the reply"


@dataclasses.dataclass
class Rule:
    """Applies to requests whose method and path match, from the first-th to the last-th such request."""

    action: Action
    path: str
    method: str = ".*"
    first: int = 1
    last: int = 1 << 30
    delay_s: float = 0.0
    edit: typing.Callable = None  # (path, status, JSON value) -> (status, JSON value)
    seen: int = 0
    applied: int = 0

    def takes(self, method, path):
        if not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        self.seen += 1
        if not self.first <= self.seen <= self.last:
            return False
        self.applied += 1
        return True


class Proxy:
    """Listens on 127.0.0.1 in front of an Engine; url stands in for the engine's url."""

    def __init__(self, engine):
        self._target = (engine.address, 2376)
        self._inward = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=engine.server.ca)
        self._inward.verify_mode = ssl.CERT_REQUIRED
        self._inward.load_cert_chain(engine.server.cert, engine.server.key)
        self._outward = ssl.create_default_context(cafile=engine.identity.ca)
        self._outward.load_cert_chain(engine.identity.cert, engine.identity.key)
        self._rules = []
        self.requests = []
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        ready = threading.Event()
        self._loop.call_soon(lambda: self._loop.create_task(self._listen(ready)))
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the proxy does not listen")
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"

    def add(self, rule):
        """The first rule that takes a request decides; returns the rule, to look at applied."""
        self._rules = self._rules + [rule]
        return rule

    def remove(self, rule):
        self._rules = [one for one in self._rules if one is not rule]

    def clear(self):
        self._rules = []

    def close(self):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        # A connection that breaks in the midst of a TLS exchange is what this proxy is for.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._loop.run_forever()
        self._loop.close()

    async def _listen(self, ready):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._inward)
        ready.set()

    async def _stop(self):
        self._server.close()
        mine = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    def _rule_for(self, method, path):
        for rule in self._rules:
            if rule.takes(method, path):
                return rule
        return None

    async def _serve(self, reader, writer):
        client = _Side(reader, writer)
        upstream = None
        try:
            while True:
                head = await client.head()
                if upstream is None:
                    upstream = _Side(*await asyncio.open_connection(*self._target, ssl=self._outward))
                if not await self._exchange(client, upstream, head):
                    return
        except (OSError, EOFError, asyncio.LimitOverrunError):
            return
        finally:
            client.abort()
            if upstream is not None:
                upstream.abort()

    async def _exchange(self, client, upstream, head):
        """One request and its reply; true when the connections serve another."""
        method, path = head.first.split(" ")[:2]
        rule = self._rule_for(method, path)
        self.requests.append((method, path, rule.action if rule else None))
        action = rule.action if rule else None
        if action is Action.CUT_BEFORE_REQUEST:
            return False
        upstream.send(head.raw)
        async for piece in client.body(head):
            upstream.send(piece)
        await upstream.drain()
        reply = await upstream.head()
        while reply.status == 100:
            client.send(reply.raw)
            reply = await upstream.head()
        if action in (Action.CUT_BEFORE_REPLY, Action.SWALLOW):
            async for _ in upstream.body(reply, method):
                pass
            if action is Action.SWALLOW:
                await client.ended()
            return False
        if action is Action.EDIT_REPLY:
            client.send(await _edited(upstream, reply, method, path, rule.edit))
            await client.drain()
            return not reply.until_close(method)
        if action is Action.DELAY_REPLY:
            await asyncio.wait([client.watch()], timeout=rule.delay_s)
        client.send(reply.raw)
        await client.drain()
        if action is Action.CUT_WITHIN_REPLY:
            return False
        if reply.status == 101:
            await _tunnel(client, upstream)
            return False
        return await _relay_body(client, upstream, reply, method)


async def _relay_body(client, upstream, reply, method):
    """Passes the reply on piece by piece; stops when the client goes, as followers of logs do."""
    async def relay():
        async for piece in upstream.body(reply, method):
            client.send(piece)
            await client.drain()
    work = asyncio.ensure_future(relay())
    try:
        await asyncio.wait([work, client.watch()], return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not client.eof:
            await work
    finally:
        if not work.done():
            work.cancel()
    if not work.done() or work.cancelled():
        return False
    work.result()
    return not reply.until_close(method)


async def _edited(upstream, reply, method, path, edit):
    """The whole reply as edit wants it; for replies that end and are JSON."""
    body = b"".join([piece async for piece in upstream.content(reply, method)])
    status, value = edit(path, reply.status, json.loads(body))
    text = json.dumps(value).encode()
    kept = "".join(f"{name}: {value}\r\n" for name, value in reply.fields.items()
                   if name and name not in ("content-length", "transfer-encoding"))
    head = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n{kept}Content-Length: {len(text)}\r\n\r\n"
    return head.encode("latin-1") + text


async def _tunnel(client, upstream):
    async def pump(source, target):
        while await source.fill():
            target.send(source.take())
            await target.drain()
        target.end()
    for side, other in ((client, upstream), (upstream, client)):
        if side.buffer:
            other.send(side.take())
    await asyncio.gather(pump(client, upstream), pump(upstream, client))


class _Head:
    def __init__(self, raw):
        lines = raw.decode("latin-1").split("\r\n")
        self.raw = raw
        self.first = lines[0]
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.strip().lower()] = value.strip()
        parts = self.first.split(" ")
        self.status = int(parts[1]) if parts[0].startswith("HTTP/") else 0

    @property
    def chunked(self):
        return "chunked" in self.fields.get("transfer-encoding", "").lower()

    def length(self, method=None):
        """The body's length; None when it is chunked or ends with the connection."""
        if self.status in (204, 304) or (self.status and method == "HEAD"):
            return 0
        if self.chunked:
            return None
        if "content-length" in self.fields:
            return int(self.fields["content-length"])
        return None if self.status else 0

    def until_close(self, method):
        closing = self.fields.get("connection", "").lower() == "close"
        return closing or (self.length(method) is None and not self.chunked)


class _Side:
    """One end of the proxy: a buffer over asyncio's streams that can watch for the end meanwhile."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._filling = None
        self.buffer = b""
        self.eof = False

    def watch(self):
        """A future that is done once more input, or its end, has come."""
        if self._filling is None:
            self._filling = asyncio.ensure_future(self._fill())
        return self._filling

    async def _fill(self):
        try:
            piece = await self._reader.read(65536)
        except OSError:
            piece = b""
        self.buffer += piece
        self.eof = self.eof or piece == b""
        self._filling = None

    async def fill(self):
        await self.watch()
        return not self.eof

    async def ended(self):
        while not self.eof:
            await self.watch()

    async def head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_LIMIT or not await self.fill():
                raise EOFError
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return _Head(head + b"\r\n\r\n")

    def take(self, limit=None):
        taken = self.buffer if limit is None else self.buffer[:limit]
        self.buffer = self.buffer[len(taken):]
        return taken

    async def body(self, head, method=None):
        left = head.length(method)
        if left is not None:
            async for piece in self._exactly(left):
                yield piece
        elif head.chunked:
            async for piece in self._chunks():
                yield piece
        else:
            yield self.take()
            while await self.fill():
                yield self.take()

    async def _exactly(self, left):
        while left > 0:
            if not self.buffer and not await self.fill():
                raise EOFError
            piece = self.take(left)
            left -= len(piece)
            yield piece

    async def content(self, head, method=None):
        """The body without the framing of chunks."""
        if not head.chunked:
            async for piece in self.body(head, method):
                yield piece
            return
        size = None
        while size != 0:
            size = int((await self._line()).split(b";")[0], 16)
            chunk = b"".join([piece async for piece in self._exactly(size + 2)])
            yield chunk[:-2]

    async def _chunks(self):
        size = None
        while size != 0:
            line = await self._line()
            yield line + b"\r\n"
            size = int(line.split(b";")[0], 16)
            async for piece in self._exactly(size + 2):
                yield piece

    async def _line(self):
        while b"\r\n" not in self.buffer:
            if not await self.fill():
                raise EOFError
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def send(self, data):
        self._writer.write(data)

    async def drain(self):
        await self._writer.drain()

    def end(self):
        if self._writer.can_write_eof():
            self._writer.write_eof()

    def abort(self):
        if self._filling is not None:
            self._filling.cancel()
        self._writer.transport.abort()
