// The engine is Python's; this asks it. An exported page has recorded answers in it instead.

import { $ } from "byhand/dom";

export const boot = JSON.parse($("boot").textContent);
export const recording = await readRecording();

export const step = (request) => ask("/api/step", request);
export const listing = (request) => ask("/api/listing", request);
export const landscape = (request) => ask("/api/landscape", request);
export const story = (id) => (recording?.story ? Promise.resolve(recording.story) : ask("/api/story", { id }));

async function ask(address, request) {
  let response;
  try {
    response = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
    });
  } catch {
    throw new Error("byhand play does not answer: it may have been stopped in the terminal. Start it again, then reload this page; its address keeps your work.");
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Error(response.status === 503 ? "byhand play is busy with other requests just now. Try again in a moment." : `byhand play gave an answer that is none (${response.status}). Try again.`);
  }
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
