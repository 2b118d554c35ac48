#!/usr/bin/env python3
"""A small Plexum host, written from docs/protocol.md and docs/schema alone. Python 3.8, nothing else.

    python3 docs/examples/host.py WORKSPACE plexum-openai-provider-plugin

It asks for a turn in WORKSPACE and lends codex a tool, then for another turn that it cancels, consumes
the tool's output, and closes stdin. Every message, in both directions, is held against its JSON Schema.
The first thing that is not as the protocol has it ends the program with a traceback.

The plugin takes its environment from here (see "What a host must give" in docs/protocol.md).
"""

import json
import os
import queue
import subprocess
import sys
import threading

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "schema")
# Longest silence, in seconds. The plugin's own limits are in its configuration (`timeouts`).
PATIENCE = 120

# Which schema the params of a method keep to, and which one its result.
PARAMS = {
    "plexum/provider/stream": "stream.params",
    "plexum/session/mutate": "mutate.params",
    "plexum/host/tool/call": "host_tool_call.params",
    "logging/setLevel": "set_level.params",
    "notifications/cancelled": "cancelled.params",
    "notifications/message": "log.params",
    "notifications/plexum/provider/event": "stream.event",
}
RESULTS = {
    "initialize": "initialize.result",
    "plexum/provider/stream": "stream.result",
    "plexum/session/mutate": "mutate.result",
    "plexum/plugin/stats": "stats.result",
    "plexum/host/tool/call": "host_tool_call.result",
}


# ---------------------------------------------------------------- JSON Schema, as far as docs/schema uses it

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
CHECKS = {
    *("$ref", "type", "const", "enum", "anyOf", "oneOf", "not", "minimum", "minLength"),
    *("required", "properties", "additionalProperties", "items"),
}
SAYS_NOTHING = {"$schema", "$defs", "title", "description", "default"}


def mistakes(schema, value, root, path="$"):
    """What is wrong with a value, as a list of texts; empty when it keeps to the schema."""
    found = []

    def wrong(what):
        found.append("%s: %s, found %s" % (path, what, json.dumps(value)[:200]))

    def fits(other):
        return not mistakes(other, value, root, path)

    for key, wanted in schema.items():
        if key not in CHECKS and key not in SAYS_NOTHING:
            raise ValueError("the schema has %s, which this program does not know" % key)
        if key == "$ref":
            found += mistakes(root["$defs"][wanted.split("/")[-1]], value, root, path)
        elif key == "type":
            kinds = wanted if isinstance(wanted, list) else [wanted]
            if not any(TYPES[kind](value) for kind in kinds):
                wrong("expected %s" % " or ".join(kinds))
        elif key == "const" and value != wanted:
            wrong("expected %s" % json.dumps(wanted))
        elif key == "enum" and value not in wanted:
            wrong("expected one of %s" % json.dumps(wanted))
        elif key == "anyOf" and not any(map(fits, wanted)):
            wrong("fits none of %d shapes" % len(wanted))
        elif key == "oneOf" and sum(map(fits, wanted)) != 1:
            wrong("does not fit exactly one of %d shapes" % len(wanted))
        elif key == "not" and fits(wanted):
            wrong("is what it must not be")
        elif key == "minimum" and TYPES["number"](value) and value < wanted:
            wrong("expected at least %s" % wanted)
        elif key == "minLength" and TYPES["string"](value) and len(value) < wanted:
            wrong("expected at least %s characters" % wanted)
        elif key == "required" and TYPES["object"](value):
            found += ["%s: has no %s" % (path, name) for name in wanted if name not in value]
        elif key == "properties" and TYPES["object"](value):
            for name in wanted.keys() & value.keys():
                found += mistakes(wanted[name], value[name], root, "%s.%s" % (path, name))
        elif key == "additionalProperties" and TYPES["object"](value):
            for name in value.keys() - schema.get("properties", {}).keys():
                found += mistakes(wanted, value[name], root, "%s.%s" % (path, name))
        elif key == "items" and TYPES["array"](value):
            for at, item in enumerate(value):
                found += mistakes(wanted, item, root, "%s[%d]" % (path, at))
    return found


def check(name, value):
    """Fails when a value does not keep to docs/schema/NAME.json."""
    with open(os.path.join(SCHEMAS, name + ".json"), encoding="utf-8") as file:
        schema = json.load(file)
    found = mistakes(schema, value, schema)
    assert not found, "%s: %s" % (name, "; ".join(found))


# ---------------------------------------------------------------- the wire


class Failed(Exception):
    """The plugin answered with a JSON-RPC error."""


class Plugin:
    """The plugin's process, and one JSON-RPC conversation with it."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.frames = queue.Queue()
        self.asked = {}  # id → method, of requests without an answer
        self.last_id = 0
        # stdout is read all the time, also while this program writes or thinks.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        # Bytes are split at 0x0A and at nothing else: text mode would do, str.splitlines() would not.
        for line in self.process.stdout:
            self.frames.put(json.loads(line.decode("utf-8")))
        self.frames.put(None)

    def _send(self, **frame):
        line = json.dumps({"jsonrpc": "2.0", **frame}, separators=(",", ":")) + "\n"
        self.process.stdin.write(line.encode("utf-8"))
        self.process.stdin.flush()

    def ask(self, method, params):
        """Sends a request and returns its id."""
        if method in PARAMS:
            check(PARAMS[method], params)
        self.last_id += 1
        self.asked[self.last_id] = method
        self._send(id=self.last_id, method=method, params=params)
        return self.last_id

    def tell(self, method, params):
        """Sends a notification."""
        if method in PARAMS:
            check(PARAMS[method], params)
        self._send(method=method, params=params)

    def answer(self, request, result):
        """Answers a request of the plugin."""
        check(RESULTS[request["method"]], result)
        self._send(id=request["id"], result=result)

    def next(self):
        """The next frame from the plugin, checked; None when it has closed its stdout."""
        frame = self.frames.get(timeout=PATIENCE)
        if frame is None:
            return None
        assert frame["jsonrpc"] == "2.0", frame
        if "method" in frame:
            if frame["method"] in PARAMS:
                check(PARAMS[frame["method"]], frame["params"])
        elif "error" in frame:
            if frame["error"]["code"] == -32000:
                check("error", frame["error"]["data"])
        else:
            method = self.asked[frame["id"]]
            if method in RESULTS:
                check(RESULTS[method], frame["result"])
        return frame

    def call(self, method, params):
        """Sends a request and waits for its result; whatever else arrives meanwhile is passed over."""
        wanted = self.ask(method, params)
        while True:
            frame = self.next()
            assert frame is not None, "the plugin is gone"
            if frame.get("id") == wanted and "method" not in frame:
                return self.result(frame)

    def result(self, frame):
        """The result of an answer; raises Failed where it is an error."""
        method = self.asked.pop(frame["id"])
        if "error" in frame:
            raise Failed("%s: %s" % (method, frame["error"]["message"]))
        return frame["result"]

    def close(self):
        """Closes stdin, reads what is left, and returns the exit code."""
        self.process.stdin.close()
        while self.next() is not None:
            pass
        return self.process.wait(timeout=PATIENCE)


# ---------------------------------------------------------------- a turn


def turn(plugin, workspace, prompt, tools, cancel_at=None):
    """
    One turn, its events printed as they come. `tools` has a description and a function for each name. At the first
    event of the type `cancel_at` the turn is cancelled. Returns its events.
    """
    request = plugin.ask(
        "plexum/provider/stream",
        {
            "model": "codex",
            "agent": {"agent_id": "example", "workspace": workspace},
            "session_id": "s_1",
            "request": {
                "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
                "tools": [tool for tool, _ in tools.values()],
            },
        },
    )
    events, cancelled = [], False
    while True:
        frame = plugin.next()
        assert frame is not None, "the plugin is gone"
        method, params = frame.get("method"), frame.get("params")
        if method == "notifications/plexum/provider/event" and params["request_id"] == request:
            assert params["seq"] == len(events), "seq counts without gaps"
            event = params["event"]
            events.append(event)
            show(event)
            if event["type"] == cancel_at and not cancelled:
                cancelled = True
                plugin.tell("notifications/cancelled", {"requestId": request, "reason": "example"})
            if event["type"] == "message_end" and event["stop_reason"] == "cancelled":
                break  # A cancelled request gets no answer.
        elif method == "plexum/host/tool/call":
            _, run = tools[params["name"]]
            text = run(**params["arguments"])
            plugin.answer(frame, {"content": [{"type": "text", "text": text}]})
        elif method is None and frame["id"] == request:
            end = plugin.result(frame)
            assert end["stop_reason"] == events[-1]["stop_reason"], "the answer repeats the end"
            break
        # Anything else is a log line, or something that a later revision has added.
    plugin.asked.pop(request, None)
    kinds = [event["type"] for event in events if event["type"] != "status"]
    assert kinds[-1] == "message_end" and kinds.count("message_end") == 1, kinds
    assert cancelled or kinds[0] == "message_start", kinds
    return events


def show(event):
    """One line for each event that has no text of the answer; unknown types are passed over."""
    kind = event["type"]
    if kind == "tool_call_start":
        print("call      %s of the %s (%s)" % (event["name"], event["source"], event["id"]))
    elif kind == "tool_result":
        output = event["output"]
        if isinstance(output, list):
            output = "\n".join(piece.get("text", "(%s)" % piece["type"]) for piece in output)
        print("result    %s" % json.dumps(output))
    elif kind == "error":
        print("error     %s: %s" % (event["error"]["kind"], event["error"]["message"]))
    elif kind == "message_end":
        usage = event["usage"]
        print("end       %s, %d tokens in, %d out" % (
            event["stop_reason"], usage["input_tokens"], usage["output_tokens"]))


def answer(events):
    """The model's answer: the pieces of each block joined, without blocks that were taken back."""
    blocks = {}
    for event in events:
        if event["type"] == "text_delta":
            blocks[event["index"]] = blocks.get(event["index"], "") + event["text"]
        elif event["type"] == "text_retracted":
            blocks.pop(event["index"], None)
    return "".join(blocks.values())


# ---------------------------------------------------------------- what this host does

TOOLS = {
    "tide": (
        {
            "name": "tide",
            "description": "High water at a place.",
            "inputSchema": {
                "type": "object",
                "properties": {"place": {"type": "string"}},
                "required": ["place"],
            },
        },
        lambda place: "High water at %s: 06:42" % place,
    ),
}


def main(workspace, command):
    plugin = Plugin(command)
    try:
        hello = plugin.call("initialize", {})
        offer = hello["capabilities"]["experimental"]["plexum"]
        assert {"stream", "host_tools", "session_mutate"} <= set(offer["features"]), offer
        print("plugin    %s, revision %d" % (hello["serverInfo"]["version"], offer["revision"]))
        plugin.tell("notifications/initialized", {})

        events = turn(plugin, workspace, "When is high water at Petrel Point?", TOOLS)
        print("text      %s" % answer(events))
        turn(plugin, workspace, "Count the waves until I stop you.", {}, cancel_at="message_start")

        calls = [event["id"] for event in events if event["type"] == "tool_call_start"]
        done = plugin.call("plexum/session/mutate", {
            "agent_id": "example",
            "workspace": workspace,
            "mutations": [{"block_id": call, "op": "consume-light"} for call in calls],
        })
        print("consumed  %d of %d, %d deferred" % (
            done["touched"], done["requested"], done["deferred"]))
        stats = plugin.call("plexum/plugin/stats", {})
        print("stats     %d ended, %d cancelled" % (
            stats["turns"]["end_turn"], stats["turns"]["cancelled"]))
        code = plugin.close()
        print("exit      %d" % code)
        return code
    finally:
        if plugin.process.poll() is None:
            plugin.process.kill()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: host.py WORKSPACE PLUGIN [ARGUMENT...]")
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
