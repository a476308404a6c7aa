// The JavaScript side of the exchange: starts spans with npm's braintrust. See ../README.md.
import { createInterface } from "node:readline";
import * as braintrust from "braintrust";

const loggers = new Map();

function logger(project) {
  if (!loggers.has(project)) {
    const options = { projectName: project, apiKey: "sk-nobody", setCurrent: false, asyncFlush: true };
    loggers.set(project, braintrust.initLogger(options));
  }
  return loggers.get(project);
}

async function start(request) {
  let parent = request.slug;
  if (request.headers !== undefined) {
    parent = braintrust.extractTraceContextFromHeaders(request.headers);
    if (parent === undefined) {
      throw new Error("the headers name no span");
    }
  }
  const span =
    parent === undefined
      ? logger(request.project).startSpan({ name: "peer", propagatedEvent: request.propagate })
      : braintrust.startSpan({ name: "peer", parent });
  return {
    row_id: span.id,
    span_id: span.spanId,
    root_span_id: span.rootSpanId,
    parents: span.spanParents ?? [],
    slug: await span.export(),
    headers: braintrust.injectTraceContext(request.carrier, { span }),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await start(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
// The package would otherwise try for long to deliver its spans.
process.exit(0);
