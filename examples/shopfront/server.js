// Serves the folder `page` beside this file, by Node alone: nothing of npm is needed where the shop runs.
import { createReadStream, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, relative, sep } from "node:path";

const PAGE = join(import.meta.dirname, "page");
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

function filesOf(folder) {
  const found = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return found.filter((path) => statSync(path).isFile());
}

// Only what is in this table is ever served, so that no spelling of an address leads out of the folder.
const files = new Map(filesOf(PAGE).map((path) => ["/" + relative(PAGE, path).split(sep).join("/"), path]));
files.set("/", files.get("/index.html"));

function answer(request, response) {
  const path = request.url.split("?", 1)[0];
  if (path === "/health") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ healthy: true }));
    return;
  }
  const file = ["GET", "HEAD"].includes(request.method) ? files.get(path) : undefined;
  if (file === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end("There is no such page.\n");
    return;
  }
  // The names in assets hold a digest of the content, so they may be kept for ever.
  const keep = path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": statSync(file).size,
    "cache-control": keep,
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  createReadStream(file)
    .on("error", () => response.destroy())
    .pipe(response);
}

function say(level, message) {
  console.log(`${new Date().toISOString()} ${level} shopfront ${message}`);
}

const port = Number(process.env.PORT ?? 8112);
const server = createServer(answer);
server.listen(port, "127.0.0.1", () => say("INFO", `${files.size} files on http://127.0.0.1:${port}/`));
process.on("SIGTERM", () => {
  server.close(() => say("INFO", "stopped"));
  server.closeIdleConnections();
});
