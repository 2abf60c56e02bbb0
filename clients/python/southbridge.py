"""A vCPU's connection to a Southbridge server, for emulators in Python. Standard library only.

    from southbridge import Vcpu

    with Vcpu("http://127.0.0.1:8080", "default", 0) as vcpu:
        vcpu.write(0xFED00010, 8, 1)
        counter = vcpu.read(0xFED000F0, 8)
        vcpu.wait(1.0)
        for event in vcpu.take_events(): ...

A session belongs to one thread. Each call blocks until the server has replied; every interrupt that an access caused is
in the queue when its call returns. When the connection is lost, the call in progress or the next one makes another and goes on
with the session: nothing is lost. The protocol is in docs/protocol.md.
"""

import base64
import hashlib
import os
import re
import socket
import ssl
import struct
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Optional
from urllib.parse import quote, urlsplit

__all__ = ["Gap", "Interrupt", "Intr", "RequestError", "Restored", "Stepped", "Vcpu"]

MOST_EVENTS = 65536
_PROTOCOLS = ("southbridge.v1.1.proto", "southbridge.v1.proto")
# docs/protocol.md, sessions.
_ACK_EVENTS, _ACK_SECONDS = 64, 0.05
_LONGEST_RETRY = 5.0
# Posted writes without a reply behind them, after which one waits.
_POSTED_AT_ONCE = 256
_INPUTS = {"pit": 1, "rtc": 2, "xen": 3}
# With these a later try to connect may succeed.
_PASSING = {
    "connection-refused", "connection-lost", "shutting-down", "server-failed", "not-ready", "internal", "machine-hung",
    "machine-suspect", "too-many-connections", "too-many-from-address", "too-slow", "bad-answer", "machine-moved",
    "machine-elsewhere", "stale-owner", "owner-unknown", "node-unreachable", "forwarding-stale", "lease-lost",
}  # fmt: skip
# Offered by a client that goes to the owner which a hello names; nodes in a row that may send it on.
_FOLLOW, _MOST_HOPS = "southbridge.follow", 4
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MASK_32 = 0xFFFFFFFF
_SIZES = {1: 0, 2: 1, 4: 2, 8: 3}
_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_MOST_HEAD = 16384


class RequestError(Exception):
    """A refusal of the server, by its code (docs/errors.md), or one of this client's.

    Those are connection-refused (no server answers), connection-lost (the request may or may not have been applied;
    `reconnect` comes back) and timeout (the same, and the session goes on).
    """

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Interrupt:
    """A message for the local APIC of this vCPU. Delivery modes are those of a redirection entry."""

    sequence: int
    vector: int
    delivery_mode: int
    level_triggered: bool
    logical: bool
    destination: int


@dataclass(frozen=True)
class Intr:
    """To vCPU 0: the output of the 8259 pair changed, or its level after `reconnect`."""

    sequence: int
    level: bool


@dataclass(frozen=True)
class Gap:
    """Events `first` to `sequence` were lost: more came than are kept while the vCPU was away or did not take them."""

    first: int
    sequence: int
    #: Bit n: the level at which the HPET, or clients, drive line n after `sequence`. None if the gap is this client's.
    hpet_lines: Optional[int] = None
    external_lines: Optional[int] = None
    #: To vCPU 0: the level of INTR after `sequence`.
    intr: Optional[bool] = None


@dataclass(frozen=True)
class Restored:
    """The state of the machine was replaced, by a snapshot or by that of a checkpoint after a crash.

    Earlier events from `first` on are not part of the state. It has the levels of the lines, and for vCPU 0 that of INTR.
    """

    sequence: int
    first: int
    #: How old the state was, in milliseconds.
    age: int
    hpet_lines: Optional[int] = None
    external_lines: Optional[int] = None
    intr: Optional[bool] = None


@dataclass(frozen=True)
class Stepped:
    """Where a step ended, in nanoseconds of virtual time. A server of version 1 reports nothing."""

    time: Optional[int] = None
    #: None if no timer is armed.
    deadline: Optional[int] = None
    #: Of the register that was read.
    value: Optional[int] = None


class _Places:
    """Where a machine is: at the server that the application named, or, in a cluster, at the owner or at other nodes.

    No hello is taken with a lower fence than one that was taken: the frames behind it are those of an earlier owner.
    """

    def __init__(self, server, follow):
        self.server = server
        self.follows = follow and not server.startswith("unix:")
        #: The next first.
        self.urls = [server]
        self.fence = 0

    def refusal(self, hello):
        """Why a connection is not to be used after its hello, a list of fields; None if it is."""
        here, fields = self.urls[0], dict(hello)
        fence = fields.get(14, 0)
        if fence < self.fence:
            self.failed()
            return RequestError("stale-owner", f"{here} had the machine before another node took it.")
        if 15 in fields:
            owner = fields[15].decode()
            if self._may_use(owner):
                self._set([owner, *self.urls])
            else:
                self.failed()
            return RequestError("machine-elsewhere", f"The machine is at {owner}.")
        self.fence = fence
        nodes = [value.decode() for number, value in hello if number == 16]
        self._set([here, self.server, *filter(self._may_use, nodes)])
        return None

    def _may_use(self, url):
        """A token that the application sends over TLS does not go anywhere without."""
        is_secure = self.server.startswith(("https:", "wss:"))
        return url.startswith("https:") or (url.startswith("http:") and not is_secure)

    def _set(self, urls):
        self.urls = list(dict.fromkeys(urls))

    def failed(self):
        """The next try goes to another address, if there is one."""
        self.urls.append(self.urls.pop(0))


class _Request:
    """A request that has no reply yet."""

    def __init__(self, number, message, posted):
        self.id = number
        self.posted = posted
        self.message = message
        #: In the session; 0 until it is sent.
        self.number = 0
        #: The fields of its reply, or the error.
        self.outcome = None


# Protobuf: what this protocol has of it.


def _varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field, value):
    return _varint(field << 3) + _varint(value) if value else b""


def _fixed32(field, value):
    return _varint(field << 3 | 5) + struct.pack("<I", value) if value else b""


def _delimited(field, body):
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _fields(message):
    """(number, value) of each field: an int, or the bytes of a delimited one."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}.get(kind)
        if size is None or at + size > len(message):
            raise ValueError(f"wire type {kind}")
        value = message[at : at + size]
        at += size
        yield tag >> 3, value if kind == 2 else int.from_bytes(value, "little")


class _WebSocket:
    """As much of RFC 6455 as a client of binary messages needs."""

    def __init__(self, url, path, protocols, token, timeout, context):
        self.url = url
        self.received = bytearray()
        self.parts = b""
        self.socket, host = _connect(url, timeout, context)
        try:
            self._upgrade(host, path, protocols, token)
        except BaseException as error:
            self.socket.close()
            if isinstance(error, TimeoutError):
                raise RequestError("connection-refused", f"{url} does not answer.") from None
            raise

    def _upgrade(self, host, path, protocols, token):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: {', '.join(protocols)}",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if any(re.search(r"[\r\n]", line) for line in lines):
            raise ValueError("names and tokens have no line breaks")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while not head:
            end = self.received.find(b"\r\n\r\n")
            if end >= 0:
                head = bytes(self.received[:end])
                del self.received[: end + 4]
            elif len(self.received) > _MOST_HEAD:
                raise RequestError("connection-refused", f"What answers at {self.url} is no server of this kind.")
            else:
                self._fill(None)
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if " 101 " not in status:
            raise self._refusal(status)
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest())
        if accept not in head:
            raise RequestError("connection-refused", f"What answers at {self.url} is no WebSocket.")

    def _refusal(self, status):
        pattern = re.compile(rb'"code":"([^"]+)"')
        while not pattern.search(self.received) and len(self.received) < _MOST_HEAD:
            try:
                self._fill(None)
            except (RequestError, OSError):
                break
        found = pattern.search(self.received)
        code = found[1].decode() if found else "connection-refused"
        return RequestError(code, f"{self.url} refused the connection: {status}.")

    def _fill(self, end):
        """Reads some bytes. Raises TimeoutError after `end`, a time of `time.monotonic`."""
        if end is not None:
            self.socket.settimeout(max(0.0, end - time.monotonic()) or 1e-6)
        try:
            chunk = self.socket.recv(65536)
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
            raise TimeoutError from None
        except OSError as error:
            raise RequestError("connection-lost", f"The connection to {self.url} ended: {error}.") from error
        if not chunk:
            raise RequestError("connection-lost", f"The connection to {self.url} ended.")
        self.received += chunk

    def send(self, payload, opcode=_BINARY, timeout=None):
        length = len(payload)
        size = length if length < 126 else 126 if length < 65536 else 127
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        if size > 125:
            head += length.to_bytes(2 if size == 126 else 8, "big")
        mask = os.urandom(4)
        pattern = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        masked = (int.from_bytes(payload, "big") ^ pattern).to_bytes(length, "big")
        try:
            self.socket.settimeout(timeout)
            self.socket.sendall(head + mask + masked)
        except OSError as error:
            raise RequestError("connection-lost", f"The connection to {self.url} ended: {error}.") from error

    def receive(self, end=None):
        """The next message. Raises TimeoutError after `end`; nothing that has arrived is lost then."""
        while True:
            frame = self._frame()
            if frame is None:
                self._fill(end)
                continue
            is_last, opcode, body = frame
            if opcode == _PING:
                self.send(body, _PONG)
            elif opcode == _CLOSE:
                raise self._closed(body)
            elif opcode in (_CONTINUATION, _BINARY):
                self.parts += body
                if is_last:
                    body, self.parts = self.parts, b""
                    return body

    def _frame(self):
        received = self.received
        if len(received) < 2:
            return None
        first, length = received[0], received[1]
        head = 2 if length < 126 else 4 if length == 126 else 10
        if len(received) < head:
            return None
        if head > 2:
            length = int.from_bytes(received[2:head], "big")
        if len(received) < head + length:
            return None
        body = bytes(received[head : head + length])
        del received[: head + length]
        return bool(first & 0x80), first & 0xF, body

    def _closed(self, body):
        """The server's reasons are codes of errors; a proxy has none."""
        code = int.from_bytes(body[:2], "big") if len(body) >= 2 else 1005
        reason = body[2:].decode("utf-8", "replace")
        if reason == "" or " " in reason or code == 1001:
            return RequestError("connection-lost", f"The connection to {self.url} ended: {reason or code}.")
        return RequestError(reason, f"The server closed the connection to {self.url} (close code {code}).")

    def close(self):
        try:
            self.send(struct.pack("!H", 1000), _CLOSE, 1.0)
        except RequestError:
            pass
        self.socket.close()


def _connect(url, timeout, context):
    """A socket, and the name of the host for the header."""
    try:
        if url.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            connection.connect(url[len("unix:") :])
            return connection, "localhost"
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
            raise ValueError(f"{url} does not begin with http://, https://, ws://, wss:// or unix:")
        is_secure = parts.scheme in ("https", "wss")
        connection = socket.create_connection((parts.hostname, parts.port or (443 if is_secure else 80)), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_secure:
            context = context or ssl.create_default_context()
            connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        return connection, parts.netloc.rpartition("@")[2]
    except OSError as error:
        raise RequestError("connection-refused", f"No server answers at {url}: {error}.") from error


class Vcpu:
    """One vCPU of a machine. `url` is http://, https://, ws:// or wss://, or unix:PATH.

    `timeout` is seconds for each call; `context` an `ssl.SSLContext` in place of the default; `resume_token` that of the
    connection that holds the vCPU now, to take it over. A try to connect fails if the server's first message does not come
    within `connect_timeout` seconds. A lost connection is followed by another: at once, after `retry` seconds, then after twice
    the wait before, up to 5 s; with `retry=None` only `reconnect` makes one. With `follow=False` nodes of a cluster forward the
    frames, and the client does not connect to the node that has the machine. Every call raises RequestError.
    """

    def __init__(
        self,
        url,
        machine,
        vcpu,
        *,
        token=None,
        resume_token=None,
        timeout=30.0,
        context=None,
        connect_timeout=10.0,
        retry=0.05,
        follow=True,
    ):
        self.url = url
        self._places = _Places(url, follow)
        self.path = f"/v1/machines/{quote(machine, safe='')}/vcpus/{int(vcpu)}"
        self.timeout = timeout
        #: Takes over from this connection.
        self.resume_token = resume_token
        #: Number of the last event that arrived.
        self.sequence = 0
        self._token = token
        self._context = context
        self._connect_timeout = min(connect_timeout, timeout)
        self._retry = retry
        self._tries = 0
        self._next_try = 0.0
        self._events = deque()
        self._id = 0
        self._posted_error = None
        self._was_open = False
        self._socket = None
        self._requests = deque()
        self._begin_session()
        self.reconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def reconnect(self):
        """Connects again now.

        A client with a session does so by itself in the next call that waits, and loses nothing. This is for one that has ended
        (connection-lost), and for a server of version 1, where what was sent into the connection before may be lost.
        """
        if self._socket:
            return
        if self._has_ended:
            self._begin_session()
        for hop in range(_MOST_HOPS):
            try:
                opened, hello = self._open(self._places.urls[0])
            except RequestError:
                self._places.failed()
                raise
            refusal = self._places.refusal(hello)
            if refusal is None:
                break
            opened.socket.close()
            if refusal.code != "machine-elsewhere" or hop == _MOST_HOPS - 1:
                raise refusal
        self._socket = opened
        self._tries = 0
        self._next_try = 0.0
        self._greeted(dict(hello))

    def _open(self, url):
        """A connection, and the fields of its hello."""
        protocols = [*_PROTOCOLS]
        if self.resume_token:
            protocols.append(f"southbridge.resume.{self.resume_token}")
        if self._places.follows:
            protocols.append(_FOLLOW)
        opened = _WebSocket(url, self.path, protocols, self._token, self._connect_timeout, self._context)
        try:
            hello = opened.receive(time.monotonic() + self._connect_timeout)
            return opened, list(_fields(dict(_fields(hello))[1]))
        except BaseException as error:
            opened.socket.close()
            if isinstance(error, TimeoutError):
                raise RequestError("connection-refused", f"{url} sends no hello.") from None
            raise

    def close(self):
        """Ends the connection. Interrupts for the vCPU wait at the server."""
        if self._socket:
            if self._ack_due is not None:
                self._acknowledge_quietly()
            if self._socket:
                self._socket.close()
        self._socket = None
        self._has_ended = True

    def fileno(self):
        """For `select`: when it is readable, call `wait(0)`."""
        return self._socket.socket.fileno() if self._socket else -1

    # Guest accesses; sizes are 1, 2, 4 or 8 bytes.

    def read(self, address, size):
        return self._value(self._request(2, _access(address, size)))

    def write(self, address, size, value):
        self._request(3, _access(address, size) + _written(value, size))

    def post(self, address, size, value):
        """Writes without waiting. If the server refuses it, a later call raises the error, without effect of its own."""
        self._request(3, _access(address, size) + _written(value, size) + _number(7, 1), posted=True)

    def batch(self, accesses):
        """Applies all accesses, or none: (address, size) is a read, (address, size, value) a write.

        Returns the value of each read, and None for each write.
        """
        accesses = list(accesses)
        records = b"".join(_record(*access) for access in accesses)
        reply = self._request(4, _delimited(2, records) if records else b"")
        for _, fault in filter(lambda field: field[0] == 7, reply):
            error = dict(_fields(dict(_fields(fault))[2]))
            raise RequestError(error.get(2, b"").decode(), error.get(3, b"").decode())
        results = dict(reply).get(6, bytes(8 * len(accesses)))
        values = [value for (value,) in struct.iter_unpack("<Q", results)]
        return [value if len(access) == 2 else None for access, value in zip(accesses, values)]

    # The 8259 pair, lines and the local APIC

    def port_in(self, port):
        return self._value(self._request(5, _number(2, port)))

    def port_out(self, port, value):
        self._request(6, _number(2, port) + _number(3, value))

    def acknowledge(self):
        """INTA, after an Intr of level True: the vector."""
        return dict(self._request(7, b"")).get(5, 0)

    def set_line(self, gsi, level):
        """Drives a line as the machine's external source."""
        self._request(8, _number(2, gsi) + _number(3, int(bool(level))))

    def end_of_interrupt(self, vector):
        self._request(9, _number(2, vector))

    def set_apic(self, logical_id, destination_format):
        """Logical id and destination format ("flat" or "cluster") of the local APIC."""
        self._request(10, _number(2, logical_id) + _number(3, {"flat": 1, "cluster": 2}[destination_format]))

    def step(self, ns, *, to_deadline=False, read=None):
        """Moves a manual clock; with `to_deadline` no further than the next deadline. Returns a Stepped.

        `read` is an (address, size) that is read behind the step. A server of version 1 refuses both.
        """
        body = _number(2, ns) + _number(3, int(to_deadline))
        if read is not None:
            address, size = read
            _check_size(size)
            register = _number(1, size) + _fixed32(2, address & _MASK_32) + _fixed32(3, address >> 32)
            body += _delimited(4, register)
        reply = self._request(11, body)
        fields = dict(reply)
        return Stepped(fields.get(9), fields.get(10), None if read is None else self._value(reply))

    def set_input(self, name, level):
        """Drives an input: output of the "pit" or the "rtc", or the callback of "xen". Not for a server of version 1."""
        self._request(16, _number(2, _INPUTS[name]) + _number(3, int(bool(level))))

    def sync(self):
        """Fence: every posted write before it is applied."""
        self._request(12, b"")

    # Events

    def wait(self, timeout=None):
        """Waits until an event is in the queue, as HLT does: whether there is one after `timeout` seconds.

        With a session, a lost connection is no error: the call makes another.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self._events:
            try:
                if not self._socket and not self._come_back(end):
                    return False
                self._heard(self._receive(end))
            except TimeoutError:
                return False
            except RequestError:
                if self._socket or not self._comes_back:
                    raise
        return True

    def take_events(self):
        """All events in the queue, in their order: Interrupt, Intr, Gap and Restored.

        Acknowledges them in this or a later call: 64 events or 50 ms later at most, if the application calls.
        """
        events = list(self._events)
        self._events.clear()
        own, self._foreign = events[self._foreign :], 0
        if own:
            self._taken_event = max(self._taken_event, own[-1].sequence)
        if events:
            self._taken += len(events)
            self._acknowledge_soon()
        if self._ack_due is not None and (self._taken >= _ACK_EVENTS or time.monotonic() >= self._ack_due):
            self._acknowledge_quietly()
        return events

    # Requests

    def _request(self, number, body, posted=False):
        if self._posted_error:
            error, self._posted_error = self._posted_error, None
            raise error
        if not self._socket and not self._comes_back:
            raise self._not_connected()
        self._id = self._id % _MASK_32 + 1
        request = _Request(self._id, _delimited(number, _number(1, self._id) + body), posted)
        self._requests.append(request)
        try:
            if self._socket:
                self._transmit(request)
        except RequestError:
            if not self._comes_back:
                self._requests.clear()
                raise
        if not posted:
            return self._answer_to(request)
        if len(self._requests) >= _POSTED_AT_ONCE:
            self.sync()
        return None

    def _answer_to(self, request):
        """Waits for the reply to a request, over as many connections as it takes."""
        end = time.monotonic() + self.timeout
        while request.outcome is None:
            try:
                if self._socket:
                    self._heard(self._receive(end))
                elif not self._come_back(end):
                    raise TimeoutError
            except TimeoutError:
                self._cancel(request)
                message = f"The request has no reply within {self.timeout} s; it may be applied."
                raise RequestError("timeout", message) from None
            except RequestError:
                if self._socket or not self._comes_back:
                    raise
        if isinstance(request.outcome, RequestError):
            raise request.outcome
        return request.outcome

    def _cancel(self, request):
        """A request that was never sent is not to be sent later."""
        if request.number == 0 and self._requests and self._requests[-1] is request:
            self._requests.pop()

    def _transmit(self, request):
        """With the acknowledgement that is due, once: when a request is sent again, the epoch may be another one."""
        self._last_request += 1
        request.number = self._last_request
        message = request.message
        if self._ack_due is not None:
            message += _delimited(17, self._acknowledgement())
        self._send(message)

    def _send(self, message):
        try:
            self._socket.send(message, timeout=self.timeout)
        except RequestError:
            self._lost()
            raise

    def _replied(self, number, outcome):
        """A reply came, and with it the requests before it are done."""
        if not any(request.id == number and request.number for request in self._requests):
            return None
        while True:
            request = self._requests.popleft()
            if request.id != number:
                continue
            self._taken_reply = request.number
            request.outcome = outcome
            self._acknowledge_soon()
            return request

    def _lose_requests(self):
        """They may or may not have been applied."""
        for request in self._requests:
            request.outcome = RequestError("connection-lost", f"It may or may not have been applied by {self.url}.")
        self._requests.clear()

    # Connections

    def _begin_session(self):
        """Protocol 1.1: its name has 128 bits, so that no two clients have the same."""
        self._lose_requests()
        self._has_ended = False
        self._name = os.urandom(16).hex()
        self._epoch = None
        self._last_request = 0
        self._ack_due = None
        self._count_from_zero()

    def _count_from_zero(self):
        self._received = -1
        self._taken_event = self._taken_reply = self._taken = 0
        # The first events in the queue, which are of an earlier epoch or session and not to be acknowledged.
        self._foreign = len(self._events)

    @property
    def _comes_back(self):
        return self._epoch is not None and self._retry is not None and not self._has_ended

    def _not_connected(self):
        return RequestError("connection-lost", f"There is no connection to {self.url}; call reconnect.")

    def _come_back(self, end):
        """Tries to connect until it succeeds; false after `end`. Raises if a later try cannot succeed."""
        if not self._comes_back:
            raise self._not_connected()
        while True:
            wait = max(0.0, self._next_try - time.monotonic())
            left = wait if end is None else max(0.0, end - time.monotonic())
            time.sleep(min(wait, left))
            if left < wait:
                return False
            try:
                self.reconnect()
                return True
            except RequestError as error:
                if error.code not in _PASSING:
                    self._has_ended = True
                    raise
            self._next_try = time.monotonic() + min(_LONGEST_RETRY, self._retry * 2 ** min(self._tries, 20))
            self._tries += 1

    def _greeted(self, hello):
        self.resume_token = hello.get(5, b"").decode() or self.resume_token
        epoch = hello[11].decode() if 11 in hello else None
        is_first, self._was_open = not self._was_open, True
        # INTR is a level, which begins low. In a session its changes follow, and interrupts with lower numbers may.
        continues = epoch is not None and self._epoch is not None
        if 7 in hello and not continues and (hello[7] or not is_first):
            self._push(Intr(0 if epoch else hello.get(6, 0), bool(hello[7])))
        if epoch is None:
            self._epoch = None
            self._lose_requests()
        else:
            self._resume(epoch, hello.get(12, b"").decode() == self._name, hello.get(13))

    def _resume(self, epoch, is_continued, accepted):
        """Shows the session to the server, and sends the requests again that it did not accept."""
        if self._epoch is None:
            self._count_from_zero()
        # A state that is older than the session has none of its requests.
        if not is_continued and accepted != 0:
            self._lose_requests()
        self._last_request = accepted or 0 if is_continued else 0
        for request in self._requests:
            if not is_continued or request.number > self._last_request:
                request.number = 0
        self._taken_reply = min(self._taken_reply, self._last_request)
        body = _delimited(1, self._name.encode())
        body += _delimited(2, self._epoch.encode()) if self._epoch else b""
        self._epoch = self._epoch or epoch
        self._send(_delimited(14, body + _number(3, self._taken_event) + _number(4, self._taken_reply)))
        for request in [request for request in self._requests if request.number == 0]:
            self._transmit(request)

    def _lost(self, error=None):
        if self._socket:
            self._socket.socket.close()
        self._socket = None
        # The next resume says the same.
        self._ack_due = None
        self._taken = 0
        if error and error.code not in _PASSING:
            self._has_ended = True

    # What is acknowledged

    def _acknowledge_soon(self):
        if self._socket and self._epoch is not None and self._ack_due is None:
            self._ack_due = time.monotonic() + _ACK_SECONDS

    def _acknowledge(self):
        self._send(_delimited(15, self._acknowledgement()))

    def _acknowledgement(self):
        self._ack_due = None
        self._taken = 0
        return _number(1, self._taken_event) + _number(2, self._taken_reply)

    def _acknowledge_quietly(self):
        """A connection that is lost here shows in the next call."""
        try:
            self._acknowledge()
        except RequestError:
            pass

    # What arrives

    def _receive(self, end):
        while True:
            due = self._ack_due
            if due is not None and time.monotonic() >= due:
                self._acknowledge()
                continue
            wakes = due is not None and (end is None or due < end)
            try:
                if end is None and not wakes:
                    self._socket.socket.settimeout(None)
                return self._socket.receive(due if wakes else end)
            except TimeoutError:
                if not wakes:
                    raise
            except RequestError as error:
                self._lost(error)
                raise

    def _heard(self, message):
        """Takes one ServerMessage."""
        for number, body in _fields(message):
            if number == 2:
                reply = list(_fields(body))
                self._replied(dict(reply).get(1, 0), reply)
            elif number == 3:
                error = dict(_fields(body))
                refusal = RequestError(error.get(2, b"").decode(), error.get(3, b"").decode())
                request = self._replied(error.get(1), refusal)
                if request is None or request.posted:
                    self._posted_error = self._posted_error or refusal
            elif number in (4, 5, 7, 9):
                self._pass_on(_event(number, dict(_fields(body))), body)

    def _pass_on(self, event, body):
        """Each event once, although a new connection brings again what the application has not taken."""
        if self._epoch is not None:
            position = 2 * event.sequence + 1
            if isinstance(event, Restored):
                self._epoch = dict(_fields(body))[2].decode()
                self._taken_event = event.sequence
                self._foreign = len(self._events)
            elif position <= self._received:
                return
            elif isinstance(event, Gap):
                # Of the events that it stands for, the first may have arrived by the connection before.
                event = replace(event, first=max(event.first, (self._received + 1) // 2))
            self._received = position
        self._push(event)

    def _push(self, event):
        self.sequence = event.sequence
        if len(self._events) < MOST_EVENTS:
            self._events.append(event)
            return
        if isinstance(event, Restored) or isinstance(self._events[-1], Restored):
            # What replaced the state is never left out.
            self._events.append(event)
            return
        last = self._events.pop()
        gap = replace(last, sequence=event.sequence) if isinstance(last, Gap) else Gap(last.sequence, event.sequence)
        if isinstance(event, Gap):
            gap = replace(event, first=gap.first)
        elif isinstance(event, Intr):
            gap = replace(gap, intr=event.level)
        self._events.append(gap)

    @staticmethod
    def _value(reply):
        fields = dict(reply)
        return fields.get(4, 0) << 32 | fields.get(3, 0)


def _event(number, body):
    if number == 7:
        return Gap(body.get(1, 0), body.get(2, 0), *_levels(body, 3, 4))
    if number == 9:
        return Restored(body.get(1, 0), body.get(5, 0) + 1, body.get(3, 0), *_levels(body, 6, 7))
    if number == 5:
        return Intr(body.get(1, 0), bool(body.get(2, 0)))
    message = dict(_fields(body.get(2, b"")))
    return Interrupt(
        body.get(1, 0),
        message.get(1, 0),
        message.get(2, 0),
        bool(message.get(3, 0)),
        bool(message.get(4, 0)),
        message.get(5, 0),
    )


def _levels(body, lines, intr):
    """Levels of the lines and of INTR, by the numbers of their fields."""
    levels = dict(_fields(body[lines])) if lines in body else None
    both = (None, None) if levels is None else (levels.get(1, 0), levels.get(2, 0))
    return (*both, bool(body[intr]) if intr in body else None)


def _check_size(size):
    if size not in _SIZES:
        raise ValueError(f"{size} is not the width of an access; give 1, 2, 4 or 8")


def _access(address, size):
    _check_size(size)
    return _number(2, size) + _fixed32(3, address & _MASK_32) + _fixed32(4, address >> 32)


def _written(value, size):
    if not 0 <= value < 1 << 64:
        raise ValueError(f"{value} is not a value of {size} bytes")
    return _fixed32(5, value & _MASK_32) + _fixed32(6, value >> 32)


def _record(address, size, value=None):
    _check_size(size)
    kind = int(value is not None) | _SIZES[size] << 2
    return struct.pack("<BBHIQ", kind, 0, address >> 32, address & _MASK_32, value or 0)
