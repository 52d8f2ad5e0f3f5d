// The engine is Python's; this asks it. An exported page has the answers of a recorded run in it instead.

import { $ } from "byhand/dom";

export const boot = JSON.parse($("boot").textContent);
export const recording = await readRecording();

export const step = (request) => ask("/api/step", request);
export const listing = (request) => ask("/api/listing", request);

async function ask(address, request) {
  let response;
  try {
    response = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
    });
  } catch {
    throw new Error("byhand play does not answer: it may have been stopped in the terminal. Start it again, then reload this page; its address keeps your work.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function readRecording() {
  const packed = $("recording").textContent.trim();
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}
