/** A response's body -> server-sent events, with the words of their specification; EventSource can send no key. */

const LINE = /\r\n|\n|\r/;

/** Yields { name, data }, and null for a comment: a sign of life. `retry` hears what the server asks for, in ms. */
export async function* eventsOf(body, retry = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { name: "message", data: [] };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event that was cut off is dropped
      const lines = (rest + value).split(LINE);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data.length > 0) yield { name: event.name, data: event.data.join("\n") };
          event = { name: "message", data: [] };
        } else if (line.startsWith(":")) yield null;
        else {
          const [, field, content = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
          if (field === "event") event.name = content;
          else if (field === "data") event.data.push(content);
          else if (field === "retry" && /^\d+$/.test(content)) retry(Number(content));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
