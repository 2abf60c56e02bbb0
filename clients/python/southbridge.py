"""A vCPU's connection to a Southbridge server, for emulators in Python. Standard library only.

    from southbridge import Vcpu

    with Vcpu("http://127.0.0.1:8080", "default", 0) as vcpu:
        vcpu.write(0xFED00010, 8, 1)
        counter = vcpu.read(0xFED000F0, 8)
        vcpu.wait(1.0)
        for event in vcpu.take_events(): ...

A connection belongs to one thread. Each call blocks until the server has replied; every interrupt that an access caused is
in the queue when its call returns. The protocol is in docs/protocol.md.
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
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote, urlsplit

__all__ = ["Gap", "Interrupt", "Intr", "RequestError", "Vcpu"]

MOST_EVENTS = 65536
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MASK_32 = 0xFFFFFFFF
_SIZES = {1: 0, 2: 1, 4: 2, 8: 3}
_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_MOST_HEAD = 16384


class RequestError(Exception):
    """A refusal of the server, by its code (docs/errors.md), or one of this client's.

    Those are connection-refused (no server answers), connection-lost (the request may or may not have been applied;
    `reconnect` comes back) and timeout (the same, and the connection is still open).
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
    connection that holds the vCPU now, to take it over. Every call raises RequestError.
    """

    def __init__(self, url, machine, vcpu, *, token=None, resume_token=None, timeout=30.0, context=None):
        self.url = url
        self.path = f"/v1/machines/{quote(machine, safe='')}/vcpus/{int(vcpu)}"
        self.timeout = timeout
        #: Takes over from this connection.
        self.resume_token = resume_token
        #: Number of the last event that arrived.
        self.sequence = 0
        self._token = token
        self._context = context
        self._events = deque()
        self._id = 0
        self._posted_error = None
        self._was_open = False
        self._socket = None
        self.reconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def reconnect(self):
        """Connects again after connection-lost, and shows the resume token. Interrupts that came meanwhile follow.

        Posted writes without a later reply may be lost.
        """
        if self._socket:
            return
        protocols = ["southbridge.v1.proto"]
        if self.resume_token:
            protocols.append(f"southbridge.resume.{self.resume_token}")
        opened = _WebSocket(self.url, self.path, protocols, self._token, self.timeout, self._context)
        try:
            self._greeted(opened.receive(time.monotonic() + self.timeout))
        except BaseException as error:
            opened.socket.close()
            if isinstance(error, TimeoutError):
                raise RequestError("connection-refused", f"{self.url} sends no hello.") from None
            raise
        self._socket = opened

    def close(self):
        """Ends the connection. Interrupts for the vCPU wait at the server."""
        if self._socket:
            self._socket.close()
        self._socket = None

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

    def step(self, ns):
        """Moves a manual clock."""
        self._request(11, _number(2, ns))

    def sync(self):
        """Fence: every posted write before it is applied."""
        self._request(12, b"")

    # Events

    def wait(self, timeout=None):
        """Waits until an event is in the queue, as HLT does: whether there is one after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not self._events:
                self._heard(self._receive(end), None)
        except TimeoutError:
            return False
        return True

    def take_events(self):
        """All events in the queue, in their order: Interrupt, Intr and Gap."""
        events = list(self._events)
        self._events.clear()
        return events

    # Inside

    def _request(self, number, body, posted=False):
        if self._posted_error:
            error, self._posted_error = self._posted_error, None
            raise error
        if not self._socket:
            raise RequestError("connection-lost", f"There is no connection to {self.url}; call reconnect.")
        self._id = self._id % _MASK_32 + 1
        try:
            self._socket.send(_delimited(number, _number(1, self._id) + body), timeout=self.timeout)
        except RequestError:
            self._lost()
            raise
        if posted:
            return None
        end = time.monotonic() + self.timeout
        while True:
            try:
                reply = self._heard(self._receive(end), self._id)
            except TimeoutError:
                raise RequestError("timeout", f"The request has no reply within {self.timeout} s.") from None
            if reply is not None:
                return reply

    def _receive(self, end):
        if not self._socket:
            raise RequestError("connection-lost", f"There is no connection to {self.url}; call reconnect.")
        try:
            if end is None:
                self._socket.socket.settimeout(None)
            return self._socket.receive(end)
        except RequestError:
            self._lost()
            raise

    def _lost(self):
        if self._socket:
            self._socket.socket.close()
        self._socket = None

    def _heard(self, message, wanted):
        """Takes one ServerMessage; the fields of the reply that is wanted, or else None."""
        for number, body in _fields(message):
            if number == 2:
                reply = list(_fields(body))
                if dict(reply).get(1, 0) == wanted:
                    return reply
            elif number == 3:
                error = dict(_fields(body))
                refusal = RequestError(error.get(2, b"").decode(), error.get(3, b"").decode())
                if wanted is not None and error.get(1) == wanted:
                    raise refusal
                self._posted_error = self._posted_error or refusal
            elif number in (4, 5, 7):
                self._push(_event(number, dict(_fields(body))))
        return None

    def _greeted(self, message):
        hello = dict(_fields(dict(_fields(message))[1]))
        self.resume_token = hello.get(5, b"").decode() or self.resume_token
        # INTR is a level, which begins low.
        if 7 in hello and (hello[7] or self._was_open):
            self._push(Intr(hello.get(6, 0), bool(hello[7])))
        self._was_open = True

    def _push(self, event):
        self.sequence = event.sequence
        if len(self._events) < MOST_EVENTS:
            self._events.append(event)
            return
        last = self._events.pop()
        first = last.first if isinstance(last, Gap) else last.sequence
        self._events.append(Gap(first, event.sequence))

    @staticmethod
    def _value(reply):
        fields = dict(reply)
        return fields.get(4, 0) << 32 | fields.get(3, 0)


def _event(number, body):
    if number == 7:
        lines = dict(_fields(body[3])) if 3 in body else None
        levels = () if lines is None else (lines.get(1, 0), lines.get(2, 0))
        return Gap(body.get(1, 0), body.get(2, 0), *levels)
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
