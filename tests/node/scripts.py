"""What runs in a client's pod: chat completions, streams, and probes of addresses.

Answers have the length that is asked for, except through a gateway: it rejects a body with
`ignore_eos`, which only vLLM's API has. Keys of a gateway's teams begin with `sk-` in these tests.
"""

_ASKS = """
import json, ssl, sys, urllib.error, urllib.request

address, key, model = sys.argv[1:4]

def request(tokens, **more):
    asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}],
             "max_tokens": int(tokens), **more}
    if "gateway" not in address and not key.startswith("sk-"):
        asked["ignore_eos"] = True
    return urllib.request.Request(
        f"{address}/v1/chat/completions", json.dumps(asked).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
"""

CHAT = (
    _ASKS
    + """
import time

tokens, authority = sys.argv[4], sys.argv[5:]
context = ssl.create_default_context(cadata=authority[0]) if authority else None
began = time.monotonic()
try:
    with urllib.request.urlopen(request(tokens), timeout=100, context=context) as answer:
        status, body, headers = answer.status, json.load(answer), answer.headers
except urllib.error.HTTPError as error:
    status, body, headers = error.code, error.read().decode(), error.headers
except OSError as error:
    status, body, headers = 0, str(error), {}
print(json.dumps({"status": status, "body": body, "seconds": time.monotonic() - began,
                  "by": headers.get("x-served-by"), "retry": headers.get("retry-after")}))
"""
)
"""One chat completion: ADDRESS KEY MODEL TOKENS [CERTIFICATE]; status 0 if there is no answer."""

_BEGIN = """
import socket, sys, time, urllib.parse

target = urllib.parse.urlsplit(sys.argv[1])
while True:
    try:
        socket.create_connection((target.hostname, target.port), timeout=3).close()
        break
    except OSError:
        time.sleep(0.2)
print("begins", flush=True)
"""
"""A new pod is refused until the enforcer of network rules has seen it; no rule of a stack does."""

STREAM = (
    _BEGIN
    + _ASKS
    + """
stream = request(sys.argv[4], stream=True, stream_options={"include_usage": True})
began, chunks, usage, done, error = time.monotonic(), 0, None, False, None
try:
    with urllib.request.urlopen(stream, timeout=100) as answer:
        for line in answer:
            text = line.decode().strip().removeprefix("data: ")
            if text == "[DONE]":
                done = True
            elif text:
                event = json.loads(text)
                error = event.get("error") or error
                usage = event.get("usage") or usage
                chunks += 1
except OSError as cut:
    error = str(cut)
print(json.dumps({"chunks": chunks, "done": done, "error": error, "usage": usage,
                  "seconds": time.monotonic() - began}))
"""
)
"""One stream to its end: ADDRESS KEY MODEL TOKENS."""

LOAD = (
    _BEGIN
    + _ASKS
    + """
import collections, os, threading

seconds, at_once, tokens = sys.argv[4:7]
until, lock = time.monotonic() + float(seconds), threading.Lock()
statuses, by, slowest, errors = collections.Counter(), collections.Counter(), 0.0, []
calls = []

def call():
    global slowest
    while time.monotonic() < until and not os.path.exists("/tmp/stop"):
        began, served = time.monotonic(), None
        try:
            with urllib.request.urlopen(request(tokens), timeout=240) as answer:
                answer.read()
                status, served = answer.status, answer.headers.get("x-served-by")
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError as error:
            status = 0
            errors.append(str(error))
        with lock:
            took = time.monotonic() - began
            calls.append((time.time() - took, took, status))
            statuses[status] += 1
            by[served or "nobody"] += 1
            slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.1)

threads = [threading.Thread(target=call) for _ in range(int(at_once))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps({"statuses": statuses, "by": by, "slowest": slowest, "errors": errors[:3],
                  "calls": calls}))
"""
)
"""Requests one after the other from some callers: ADDRESS KEY MODEL SECONDS CALLERS TOKENS.

It ends earlier where a file /tmp/stop appears. `calls` has the beginning of each request, in
seconds since 1970, how long it took, and its status."""

REACH = """
import json, socket, sys

def reach(target):
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=3):
            return "open"
    except socket.gaierror:
        return "no name"
    except OSError:
        return "refused"

print(json.dumps({target: reach(target) for target in sys.argv[1:]}))
"""
"""Whether addresses HOST:PORT can be reached; each listens, so that only a rule refuses."""
