/** A drawing of `resnetc figure` in the page: layers can be clicked, and those at the cursor are marked. */

/** A drawing's own rules; the page's policy forbids them as an element, which even the parser minds. */
const STYLE = /<style>([^<]*)<\/style>/;
const rules = new CSSStyleSheet();
let scale = 1;
/** Pixels at the top that the header covers, and at the bottom that are too near to the edge. */
const HEADER = 50;
const EDGE = 20;

export function showFigure(place: HTMLElement, svg: string, onLayer: (path: string) => void): void {
  const [style = "", text = ""] = STYLE.exec(svg) ?? [];
  rules.replaceSync(text);
  const { documentElement } = new DOMParser().parseFromString(svg.replace(style, ""), "image/svg+xml");
  document.adoptedStyleSheets = [rules];
  for (const group of documentElement.querySelectorAll("g")) {
    group.dataset["layer"] = group.querySelector(":scope > title")?.textContent ?? "";
  }
  documentElement.addEventListener("click", ({ target }) => {
    const layer = (target as Element).closest<SVGGElement>("g[data-layer]")?.dataset["layer"];
    if (layer !== undefined) onLayer(layer);
  });
  place.replaceChildren(documentElement);
  resize(place);
}

/** Marks these layers, and brings the first of them into view where it is out of it. */
export function markLayers(place: HTMLElement, layers: readonly string[]): void {
  const wanted = new Set(layers);
  let first: Element | undefined;
  for (const group of place.querySelectorAll<SVGGElement>("g[data-layer]")) {
    const isMarked = wanted.has(group.dataset["layer"] ?? "");
    group.classList.toggle("current", isMarked);
    if (isMarked) first ??= group;
  }
  const { top = 0, bottom = 0 } = first?.getBoundingClientRect() ?? {};
  if (top < HEADER || bottom > window.innerHeight - EDGE) first?.scrollIntoView({ block: "center", inline: "nearest" });
}

export function zoomBy(place: HTMLElement, factor: number): void {
  scale = Math.min(4, Math.max(0.25, scale * factor));
  resize(place);
}

function resize(place: HTMLElement): void {
  const drawing = place.querySelector("svg");
  if (!drawing) return;
  const { width, height } = drawing.viewBox.baseVal;
  drawing.setAttribute("width", String(width * scale));
  drawing.setAttribute("height", String(height * scale));
}
