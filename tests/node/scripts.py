"""What runs in a client's pod: chat completions, streams, and probes of addresses."""

CHAT = """
import json, sys, time, urllib.error, urllib.request

address, key, model, tokens = sys.argv[1:5]
asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}],
         "max_tokens": int(tokens), "ignore_eos": True}
request = urllib.request.Request(
    f"{address}/v1/chat/completions", json.dumps(asked).encode(),
    {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
began = time.monotonic()
try:
    with urllib.request.urlopen(request, timeout=100) as answer:
        status, body = answer.status, json.load(answer)
except urllib.error.HTTPError as error:
    status, body = error.code, error.read().decode()
except OSError as error:
    status, body = 0, str(error)
print(json.dumps({"status": status, "body": body, "seconds": time.monotonic() - began}))
"""
"""One chat completion: ADDRESS KEY MODEL TOKENS; status 0 where there is no answer."""

STREAM = """
import json, sys, time, urllib.request

address, key, model, tokens = sys.argv[1:5]
asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": True,
         "max_tokens": int(tokens), "ignore_eos": True, "stream_options": {"include_usage": True}}
request = urllib.request.Request(
    f"{address}/v1/chat/completions", json.dumps(asked).encode(),
    {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
began, chunks, usage, done, error = time.monotonic(), 0, None, False, None
try:
    with urllib.request.urlopen(request, timeout=100) as answer:
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
"""One stream to its end: ADDRESS KEY MODEL TOKENS."""

LOAD = """
import collections, json, sys, threading, time, urllib.error, urllib.request

address, key, model, seconds, at_once, tokens = sys.argv[1:7]
until, lock = time.monotonic() + float(seconds), threading.Lock()
statuses, slowest, errors = collections.Counter(), 0.0, []

def call():
    global slowest
    while time.monotonic() < until:
        asked = {"model": model, "max_tokens": int(tokens), "ignore_eos": True,
                 "messages": [{"role": "user", "content": "Hello"}]}
        request = urllib.request.Request(
            f"{address}/v1/chat/completions", json.dumps(asked).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=100) as answer:
                answer.read()
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError as error:
            status = 0
            errors.append(str(error))
        with lock:
            statuses[status] += 1
            slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.1)

threads = [threading.Thread(target=call) for _ in range(int(at_once))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps({"statuses": statuses, "slowest": slowest, "errors": errors[:3]}))
"""
"""Requests one after the other from some callers: ADDRESS KEY MODEL SECONDS CALLERS TOKENS."""

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
