/** The page in the panel: draws what it is told, says what was clicked. */
import type { FromPage, ToPage, View } from "../panel.js";
import { showFigure, markLayers, zoomBy } from "./figure.js";
import { showSummary } from "./summary.js";

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void };
const host = acquireVsCodeApi();

const element = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const tabs: Readonly<Record<View, HTMLButtonElement>> = {
  figure: element("button", { type: "button", onclick: () => choose("figure") }, "Figure"),
  summary: element("button", { type: "button", onclick: () => choose("summary") }, "Summary"),
};
const zoom = element(
  "span",
  { className: "zoom" },
  element("button", { type: "button", title: "Smaller", onclick: () => zoomBy(views.figure, 1 / 1.2) }, "−"),
  element("button", { type: "button", title: "Larger", onclick: () => zoomBy(views.figure, 1.2) }, "+"),
);
const name = element("strong");
const notice = element("p", { className: "notice" });
notice.setAttribute("role", "status");
const views: Readonly<Record<View, HTMLElement>> = {
  figure: element("main", { className: "figure" }),
  summary: element("main", { className: "summary" }),
};
document.body.append(element("header", {}, name, tabs.figure, tabs.summary, zoom), notice, views.figure, views.summary);

function choose(view: View): void {
  show(view);
  host.postMessage({ kind: "view", view });
}

function show(view: View): void {
  for (const each of ["figure", "summary"] as const) {
    views[each].hidden = each !== view;
    tabs[each].setAttribute("aria-pressed", String(each === view));
  }
  zoom.hidden = view !== "figure";
}

function say(text: string): void {
  notice.textContent = text;
  notice.hidden = text === "";
}

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  if (data.kind === "view") show(data.view);
  else if (data.kind === "nothing") say("Put the cursor into a network, or a block that one uses.");
  else {
    const { network, layers, number, drawing } = data.answer;
    name.textContent = network.name;
    // What was drawn last stays while the text has an error.
    say(number === undefined ? `${network.name} has errors; this is how it was without.` : "");
    for (const view of Object.values(views)) view.classList.toggle("old", number === undefined);
    if (drawing) {
      showFigure(views.figure, drawing.svg, (layer) => host.postMessage({ kind: "layer", layer }));
      showSummary(views.summary, drawing.summary);
    }
    markLayers(views.figure, layers);
  }
});
say("");
show("figure");
host.postMessage({ kind: "ready" });
