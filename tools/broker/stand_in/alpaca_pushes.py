"""One connection to the stand-in's stream of trade updates: Alpaca's messages, and what can go wrong with them.

A client says its keys, asks to listen, and is told every change of an order, in binary frames as Alpaca's paper stream
does. `duplicate_events` tells everything twice; `out_of_order_events` tells every other event after the one that
comes next; `request_lost` and `answer_lost` lose an event, any other fault breaks the connection.
"""

import json
import socket
import uuid
from contextlib import suppress
from threading import RLock
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from .alpaca_routes import order_json
from .exchange import Order, Trade
from .faults import FaultInjector

_EVENTS = {"open": "new", "cancelled": "canceled"}


class StreamConnection:
    """The server's side of one connection.

    Args:
        connection: the socket, on which the client has asked for an upgrade.
        faults: what goes wrong.
        keys: that a client must show.
    """

    def __init__(self, connection: socket.socket, faults: FaultInjector, keys: tuple[str, str]) -> None:
        self._socket, self._faults, self._keys = connection, faults, keys
        self._protocol = ServerProtocol()
        self._lock = RLock()
        self._known = self._listens = False
        self._held: list[dict[str, Any]] = []

    def serve(self, request: bytes) -> None:
        """Answer the upgrade, then the client's messages, until one side has enough."""
        protocol = self._protocol
        with suppress(OSError):
            self._socket.settimeout(None)
            protocol.receive_data(request)
            for event in protocol.events_received():
                assert isinstance(event, Request)
                protocol.send_response(protocol.accept(event))
            self._flush()
            while protocol.state is OPEN and (data := self._socket.recv(65536)):
                with self._lock:
                    protocol.receive_data(data)
                    for event in protocol.events_received():
                        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                            self._answer(json.loads(bytes(event.data)))
                    self._flush()

    def push(self, order: Order, trade: Trade | None) -> None:
        """Tell what has happened to an order."""
        with self._lock:
            if not self._listens or self._protocol.state is not OPEN:
                return
            standing = self._faults.standing
            fault = self._faults.next("updates")
            if fault in ("request_lost", "answer_lost"):
                return
            if fault is not None and fault not in ("duplicate_events", "out_of_order_events"):
                return self.hang_up()
            messages = [_message(order, trade)] * (2 if "duplicate_events" in (fault, *standing) else 1)
            if "out_of_order_events" in (fault, *standing) and order.status == "open" and not self._held:
                self._held = messages
                return
            for message in (*messages, *self._held):
                self._protocol.send_binary(json.dumps({"stream": "trade_updates", "data": message}).encode())
            self._held = []
            with suppress(OSError):
                self._flush()

    def hang_up(self) -> None:
        """Break the connection without a word."""
        with self._lock, suppress(OSError):
            self._listens = False
            self._socket.shutdown(socket.SHUT_RDWR)

    def _answer(self, message: dict[str, Any]) -> None:
        data = message.get("data", {})
        if message.get("action") == "authenticate":
            self._known = (data.get("key_id"), data.get("secret_key")) == self._keys
            status = "authorized" if self._known else "unauthorized"
            self._say({"stream": "authorization", "data": {"action": "authenticate", "status": status}})
        elif message.get("action") == "listen" and self._known:
            self._listens = "trade_updates" in data.get("streams", [])
            self._say({"stream": "listening", "data": {"streams": data.get("streams", [])}})

    def _say(self, message: dict[str, Any]) -> None:
        self._protocol.send_binary(json.dumps(message).encode())

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)
            else:
                self._socket.shutdown(socket.SHUT_WR)


def _message(order: Order, trade: Trade | None) -> dict[str, Any]:
    at = trade.at if trade else order.ended_at or order.submitted_at
    event = _EVENTS.get(order.status, order.status)
    told: dict[str, Any] = {"order": order_json(order), "timestamp": at.isoformat(), "event": event}
    if trade is not None:
        told |= {
            "event": "fill" if order.status == "filled" else "partial_fill",
            "execution_id": str(uuid.uuid5(uuid.NAMESPACE_OID, trade.id)),
            "price": str(trade.price),
            "qty": str(trade.quantity),
        }
    return told
