/** What is shown, in the address: `#v1=` and base64url of deflated JSON. Nothing is sent to a server. */

export interface State {
  readonly text: string;
  readonly compare?: string;
  readonly view?: string;
}

const MARK = "#v1=";

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export async function written(state: State): Promise<string> {
  const packed = await through(new TextEncoder().encode(JSON.stringify(state)), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return MARK + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Undefined where the address says nothing, or nothing that can be read. */
export async function read(hash: string): Promise<State | undefined> {
  if (!hash.startsWith(MARK)) return undefined;
  try {
    const binary = atob(hash.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw")));
    const state: unknown = JSON.parse(text);
    if (typeof state !== "object" || state === null) return undefined;
    const { text: source, compare, view } = state as Readonly<Record<string, unknown>>;
    if (typeof source !== "string") return undefined;
    return {
      text: source,
      ...(typeof compare === "string" && { compare }),
      ...(typeof view === "string" && { view }),
    };
  } catch {
    return undefined;
  }
}
