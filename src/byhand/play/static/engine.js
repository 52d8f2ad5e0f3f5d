// The engine is Python's; this asks it: the server, or a worker in a site without one. An exported page has recorded
// answers in it instead, and a site's stories are recorded.

import { $ } from "byhand/dom";

export const boot = JSON.parse($("boot").textContent);
export const recording = await readRecording();
const { site } = boot;

export const step = (request) => ask("step", request);
export const listing = (request) => ask("listing", request);
export const landscape = (request) => ask("landscape", request);
export const story = (id) => (recording?.story ? Promise.resolve(recording.story) : site ? read(`stories/${id}.json`) : ask("story", { id }));

/** Something to tell while the engine is on its way: `tell(text)`. */
export const onTheWay = { tell: () => {} };

const ask = (name, request) => (site ? askWorker(name, request) : askServer(name, request));

async function askServer(name, request) {
  let response;
  try {
    response = await fetch(`/api/${name}`, {
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

async function read(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} is not there (${response.status}).`);
  return response.json();
}

// A site without a server

let worker = null;
const waiting = new Map();

function askWorker(name, request) {
  if (!worker) begin();
  const id = crypto.randomUUID?.() ?? String(Math.random());
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    const absolute = (address) => new URL(address, document.baseURI).href;
    const from = { core: absolute(site.core), packages: absolute(site.packages), integrity: site.integrity, sources: absolute("static/byhand.zip") };
    worker.postMessage({ id, from, name, question: JSON.stringify(request) });
  });
}

function begin() {
  onTheWay.tell(`Python and NumPy are on their way from ${new URL(site.core, document.baseURI).host}: some 15 megabytes, once.`);
  worker = new Worker(new URL("static/worker.js", document.baseURI), { type: "module" });
  worker.addEventListener("message", ({ data: { id, answered, broken, text } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (answered) return resolve(JSON.parse(text));
    if (broken) end(text);
    return reject(new Error(broken ? unloaded(text) : text));
  });
  worker.addEventListener("error", ({ message }) => end(message ?? "the worker did not start"));
}

/** What waits gets no answer; the next question begins anew. */
function end(reason) {
  worker.terminate();
  worker = null;
  for (const { reject } of waiting.values()) reject(new Error(unloaded(reason)));
  waiting.clear();
}

const unloaded = (reason) => `The engine could not be loaded from ${site.core} (${reason}). The stories are recorded and need none.`;

async function readRecording() {
  const packed = $("recording").textContent.trim();
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}
