"""A server of the exercise as its solutions with Twisted are: IAMAT and WHATSAT of one server, without neighbors.

Each WHATSAT is a call of Nearby Search over a connection of its own; the JSON is read, cut and written anew. It writes
no log, which is kind to it. As with them, replies may overtake each other on a connection.

    python3 exercise-twisted.py <port> <port of the stand-in for Google>
"""

import json
import re
import sys
import time

from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from twisted.web.client import Agent, readBody

PORT, GOOGLE_PORT = int(sys.argv[1]), int(sys.argv[2])
NAME = "Solo"
URL = "http://127.0.0.1:{port}/maps/api/place/nearbysearch/json?key={key}&location={location}&radius={radius}"
clients = {}
agent = Agent(reactor)


def split_position(text):
    match = re.fullmatch(r"([+-]\d+\.?\d*)([+-]\d+\.?\d*)", text)
    return f"{float(match[1])},{float(match[2])}"


class Herd(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        words = line.decode().split()
        try:
            if len(words) == 4 and words[0] == "IAMAT":
                self.iamat(*words[1:])
            elif len(words) == 4 and words[0] == "WHATSAT":
                self.whatsat(*words[1:])
            else:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            self.sendLine(b"? " + line)

    def iamat(self, client, position, sent):
        difference = time.time() - float(sent)
        at = f"AT {NAME} {difference:+.9f} {client} {position} {sent}"
        known = clients.get(client)
        if known is None or float(sent) >= known[2]:
            clients[client] = (at, split_position(position), float(sent))
        self.sendLine(at.encode())

    def whatsat(self, client, radius, items):
        at, location, _ = clients[client]
        url = URL.format(port=GOOGLE_PORT, key="key", location=location, radius=float(radius) * 1000)
        answer = agent.request(b"GET", url.encode())
        answer.addCallback(readBody)
        answer.addCallback(self.answer, at, int(items))
        answer.addErrback(lambda failure: self.transport.abortConnection())

    def answer(self, body, at, items):
        places = json.loads(body)
        places["results"] = places["results"][:items]
        text = re.sub(r"\n\n+", "\n", json.dumps(places, indent=3)).rstrip("\n")
        self.transport.write(f"{at}\n{text}\n\n".encode())


reactor.listenTCP(PORT, Factory.forProtocol(Herd), interface="127.0.0.1")
reactor.run()
