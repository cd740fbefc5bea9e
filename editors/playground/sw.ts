/** Keeps the site for when there is no network: what a first visit loads at once, ONNX Runtime and weights once they were used. */
declare const VERSION: string;
declare const FILES: readonly string[];

interface Waiting extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const NAME = `resnetc-playground-${VERSION}`;

self.addEventListener("install", (event) => {
  (event as Waiting).waitUntil(caches.open(NAME).then((cache) => cache.addAll([...FILES])));
});

self.addEventListener("activate", (event) => {
  const forget = async (): Promise<void> => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("resnetc-playground-") && name !== NAME);
    await Promise.all(old.map((name) => caches.delete(name)));
  };
  (event as Waiting).waitUntil(forget());
});

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && new URL(request.url).origin === self.location.origin) await cache.put(request, response.clone());
  return response;
}

self.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  if (request.method === "GET") (event as Fetching).respondWith(answer(request));
});
