"""A server of the exercise as its solutions with asyncio are: IAMAT and WHATSAT of one server, without neighbors.

Each WHATSAT is a call of Nearby Search over a connection of its own; the JSON is read, cut and written anew. It writes
no log, which is kind to it.

    python3 exercise-asyncio.py <port> <port of the stand-in for Google>
"""

import asyncio
import json
import re
import sys
import time

PORT, GOOGLE_PORT = int(sys.argv[1]), int(sys.argv[2])
NAME = "Solo"
PATH = "/maps/api/place/nearbysearch/json?key={key}&location={location}&radius={radius}"
clients = {}


def split_position(text):
    match = re.fullmatch(r"([+-]\d+\.?\d*)([+-]\d+\.?\d*)", text)
    return f"{float(match[1])},{float(match[2])}"


def iamat(client, position, sent):
    difference = time.time() - float(sent)
    at = f"AT {NAME} {difference:+.9f} {client} {position} {sent}"
    known = clients.get(client)
    if known is None or float(sent) >= known[2]:
        clients[client] = (at, split_position(position), float(sent))
    return at + "\n"


async def whatsat(client, radius, items):
    at, location, _ = clients[client]
    path = PATH.format(key="key", location=location, radius=float(radius) * 1000)
    reader, writer = await asyncio.open_connection("127.0.0.1", GOOGLE_PORT)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read(-1)
    writer.close()
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    body["results"] = body["results"][: int(items)]
    text = re.sub(r"\n\n+", "\n", json.dumps(body, indent=3)).rstrip("\n")
    return f"{at}\n{text}\n\n"


async def handle(reader, writer):
    while line := await reader.readline():
        words = line.decode().split()
        try:
            if len(words) == 4 and words[0] == "IAMAT":
                reply = iamat(*words[1:])
            elif len(words) == 4 and words[0] == "WHATSAT":
                reply = await whatsat(*words[1:])
            else:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            reply = "? " + line.decode()
        writer.write(reply.encode())
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", PORT)
    await server.serve_forever()


asyncio.run(main())
