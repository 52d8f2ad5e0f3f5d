// The engine in the browser: Pyodide runs the package's own Python here, beside the page, one question after the other.

let engine = null;

self.addEventListener("message", async ({ data: { id, from, name, question } }) => {
  try {
    engine ??= begun(from);
    const [answered, text] = (await engine)(name, question);
    self.postMessage({ id, answered, text });
  } catch (error) {
    self.postMessage({ id, broken: true, text: String(error.message ?? error).trim().split("\n").at(-1) });
  }
});

/** Python with NumPy and this package; no file is used that is not the one it should be. */
async function begun({ core, packages, integrity, sources }) {
  const plain = self.fetch;
  self.fetch = (address, options) => plain(address, { ...options, ...digestOf(address) });
  const digestOf = (address) => {
    const digest = String(address).startsWith(core) && integrity[String(address).slice(core.length)];
    return digest ? { integrity: digest } : {};
  };
  const fetched = async (name) => {
    const response = await self.fetch(core + name);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return response.text();
  };
  const imported = async (name) => {
    const address = URL.createObjectURL(new Blob([await fetched(name)], { type: "text/javascript" }));
    try { return await import(address); } finally { URL.revokeObjectURL(address); }
  };
  const { loadPyodide } = await imported("pyodide.mjs");
  const python = await loadPyodide({
    indexURL: core, packageBaseUrl: packages, lockFileContents: await fetched("pyodide-lock.json"),
    createPyodideModule: (await imported("pyodide.asm.mjs")).default,
  });
  const failures = [];
  await python.loadPackage("numpy", { messageCallback: () => {}, errorCallback: (text) => failures.push(text) });
  if (failures.length) throw new Error(failures.join(" "));
  python.unpackArchive(await (await plain(sources)).arrayBuffer(), "zip");
  const answer = python.runPython("from byhand.play.answers import answer; answer");
  return (name, question) => answer(name, question).toJs();
}
