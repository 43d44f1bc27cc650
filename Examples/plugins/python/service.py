"""A service in Python: it answers the command `greet` over the channel, one JSON-RPC message a line."""
import json
import os
import signal
import sys

channel = os.fdopen(int(os.environ["PM_CHANNEL_FD"]), "r+b", buffering=0)


def send(message):
    channel.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def answer(method, params):
    if method == "greet":
        return f"Hello {params[0]} from Python {sys.version_info.major}"
    if method == "$metadata":
        return METADATA
    raise LookupError(method)


METADATA = {"name": "python", "commands": [{"name": "greet", "config": {"": {"inject": ["params.0"]}}}]}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", sys.argv[1:])
send({"id": 1, "method": "ready", "params": [METADATA]})
for line in channel:
    message = json.loads(line)
    if "method" not in message or "id" not in message:
        continue
    try:
        send({"id": message["id"], "result": answer(message["method"], message.get("params") or [])})
    except LookupError as error:
        send({"id": message["id"], "error": {"code": -32601, "message": f"Method not found: {error}"}})
