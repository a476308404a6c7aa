"""Asks every peer for spans, gives them to every other peer as parents, and compares. See README.md."""

import json
import os
import shlex
import subprocess
import sys
from urllib.parse import unquote

from braintrust.span_identifier_v4 import SpanComponentsV4

OFFLINE = {
    "BRAINTRUST_API_KEY": "sk-nobody",
    "BRAINTRUST_API_URL": "http://127.0.0.1:9",
    "BRAINTRUST_APP_URL": "http://127.0.0.1:9",
}
PROJECTS = ["plain", "Café 项目 🚀", "a:b=c, d;e %41+1 \"q\"/\\"]
CARRIER = {"Baggage": "vendor=a%2Fb;p=q , other=1", "Unrelated": "stays"}
TRACESTATE = "vendor=x,other=y"


class Peer:
    """One program of the exchange."""

    def __init__(self, name, log):
        command = shlex.split(os.environ[f"BRAINTRUST_INTEROP_{name.upper()}"])
        self.name = name
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        self.process = subprocess.Popen(command, env={**os.environ, **OFFLINE}, text=True, encoding="utf-8", **pipes)

    def start(self, **request):
        request = {"project": "the reader's own", "carrier": dict(CARRIER), **request}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"interop: {self.name} has died; see its messages above")
        answer = json.loads(answer)
        check(self.name, "no error", answer.get("error"), None)
        return answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


checks = 0


def check(who, what, found, expected):
    global checks
    checks += 1
    if found != expected:
        sys.exit(f"interop: {who}: {what}: found {found!r}, expected {expected!r}")


def place(slug):
    """The project that a slug names, as the Python package decodes it."""
    components = SpanComponentsV4.from_str(slug)
    args = components.compute_object_metadata_args or {}
    return components.object_type.value, components.object_id or args.get("project_id") or args.get("project_name")


def members(headers):
    return headers["baggage"].split(",")


def check_written(who, project, span):
    """What a peer writes about a new root span."""
    components = SpanComponentsV4.from_str(span["slug"])
    ids = (components.row_id, components.span_id, components.root_span_id)
    check(who, "ids in the slug", ids, (span["row_id"], span["span_id"], span["root_span_id"]))
    check(who, "project in the slug", place(span["slug"]), (2, project))
    headers = span["headers"]
    check(who, "names of headers", sorted(headers), ["Unrelated", "baggage", "traceparent"])
    check(who, "traceparent", headers["traceparent"], f"00-{span['root_span_id']}-{span['span_id']}-01")
    check(who, "baggage of others", members(headers)[:-1], ["vendor=a%2Fb;p=q", "other=1"])
    check(who, "our baggage", unquote(members(headers)[-1]), f"braintrust.parent=project_name:{project}")


def check_child(who, parent, child):
    """What a peer makes of a parent that came from elsewhere."""
    check(who, "trace", child["root_span_id"], parent["root_span_id"])
    check(who, "parents", child["parents"], [parent["span_id"]])
    check(who, "project", place(child["slug"]), place(parent["slug"]))
    components = SpanComponentsV4.from_str(child["slug"])
    check(who, "ids in the child's slug", (components.span_id, components.row_id), (child["span_id"], child["row_id"]))


def check_relayed(who, inbound, outbound):
    """What a peer hands on of the headers it received."""
    check(who, "flags", outbound["traceparent"][-2:], inbound["traceparent"][-2:])
    check(who, "tracestate", outbound.get("tracestate"), TRACESTATE)
    check(who, "parent handed on", unquote(members(outbound)[-1]), unquote(members(inbound)[-1]))


def exchange(writer, reader, project):
    who = f"{writer.name} -> {reader.name}, project {project!r}"
    root = writer.start(project=project)
    check_written(who, project, root)

    by_slug = reader.start(slug=root["slug"])
    check_child(f"{who}, by slug", root, by_slug)

    inbound = {**root["headers"], "tracestate": TRACESTATE}
    inbound["traceparent"] = inbound["traceparent"][:-2] + "00"
    shouting = {name.upper(): value for name, value in inbound.items()}
    for headers in (inbound, shouting):
        by_headers = reader.start(headers=headers)
        check_child(f"{who}, by headers", root, by_headers)
        check_relayed(f"{who}, by headers", inbound, by_headers["headers"])

    # And back again.
    for parent, back in [
        (by_slug, writer.start(slug=by_slug["slug"])),
        (by_headers, writer.start(headers=by_headers["headers"])),
        (by_headers, writer.start(slug=by_headers["slug"])),
    ]:
        check_child(f"{who} and back", parent, back)


def exchange_propagated(writer, reader):
    who = f"{writer.name} -> {reader.name}, propagated fields"
    event = {"metadata": {"tenant": "Café", "list": [1, 2.5, None, {"z": 1, "a": 2}]}}
    root = writer.start(project="plain", propagate=event)
    check(who, "event written", SpanComponentsV4.from_str(root["slug"]).propagated_event, event)
    child = reader.start(slug=root["slug"])
    check(who, "event inherited", SpanComponentsV4.from_str(child["slug"]).propagated_event, event)


def main(names):
    with open(os.environ.get("BRAINTRUST_INTEROP_LOG", os.devnull), "w") as log:
        peers = [Peer(name, log) for name in names]
        for writer in peers:
            for reader in peers:
                for project in PROJECTS:
                    exchange(writer, reader, project)
                if writer.name != "rust":
                    exchange_propagated(writer, reader)
        for peer in peers:
            peer.stop()
    print(f"interop: {', '.join(names)} agree ({checks} checks)")


main(sys.argv[1:])
